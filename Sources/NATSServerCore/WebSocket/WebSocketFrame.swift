import NIOCore

/// The frames that a server writes: never masked, whole, and of one opcode each but for long compressed messages.
enum WebSocketFrame {
    static let binary: UInt8 = 2
    static let close: UInt8 = 8
    static let pong: UInt8 = 10

    /// Browsers do better with frames of a limited size (nats-server websocket.go wsFrameSizeForBrowsers).
    static let browserSize = 4096
    /// Less than this is not worth compressing (wsCompressThreshold).
    static let compressionThreshold = 64

    /// Writes a frame's header.
    ///
    /// - Parameters:
    ///   - buffer: Where to.
    ///   - opcode: What the frame is; 0 for one that goes on with a message.
    ///   - count: Bytes of the payload.
    ///   - isFinal: Whether the message ends with it.
    ///   - isCompressed: Whether a compressed message begins with it.
    static func writeHeader(
        to buffer: inout ByteBuffer,
        opcode: UInt8,
        count: Int,
        isFinal: Bool = true,
        isCompressed: Bool = false
    ) {
        buffer.writeInteger((isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode)
        switch count {
        case ...125:
            buffer.writeInteger(UInt8(truncatingIfNeeded: count))
        case ...0xffff:
            buffer.writeInteger(126 as UInt8)
            buffer.writeInteger(UInt16(truncatingIfNeeded: count))
        default:
            buffer.writeInteger(127 as UInt8)
            buffer.writeInteger(UInt64(count))
        }
    }

    /// A control frame.
    static func control(_ opcode: UInt8, _ payload: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        let payload = payload.prefix(WebSocketFrameParser.maxControlPayload)
        self.writeHeader(to: &buffer, opcode: opcode, count: payload.count)
        buffer.writeBytes(payload)
        return buffer
    }
}

/// What a close frame carries: nothing, or a status and a text.
struct WebSocketClosing: Equatable {
    private(set) var payload: [UInt8] = []

    /// No status: the peer gave none.
    init() {}

    init(status: UInt16, text: String) {
        self.payload = [UInt8(status >> 8), UInt8(truncatingIfNeeded: status)]
        let room = WebSocketFrameParser.maxControlPayload - 2
        let bytes = Array(text.utf8)
        self.payload += bytes.count > room ? bytes.prefix(room - 3) + Array("...".utf8) : bytes
    }

    /// What the server says when it closes a connection (nats-server websocket.go wsEnqueueCloseMessage).
    init(_ reason: ClosedReason) {
        let status: UInt16 =
            switch reason {
            case .clientClosed: 1000
            case .authenticationTimeout, .authenticationFailure, .slowConsumerPendingBytes,
                .slowConsumerWriteDeadline, .maxAccountConnectionsExceeded, .maxConnectionsExceeded,
                .maxControlLineExceeded, .maxSubscriptionsExceeded, .authenticationExpired, .revocation:
                1008
            case .tlsHandshakeFailure: 1015
            case .parseError, .protocolViolation, .badClientProtocolVersion: 1002
            case .maxPayloadExceeded: 1009
            case .writeError, .readError, .staleConnection, .serverShutdown: 1001
            default: 1011
            }
        self.init(status: status, text: reason.rawValue)
    }

    /// What a peer's close frame is answered with, or what is wrong with it (wsHandleControlFrame).
    static func answer(to payload: [UInt8]) -> Result<Self, Failure> {
        guard payload.count != 1 else { return .failure(Failure("close frame payload cannot be 1 byte")) }
        guard payload.count >= 2 else { return .success(Self()) }
        let status = UInt16(payload[0]) << 8 | UInt16(payload[1])
        guard Self.isValid(status) else { return .failure(Failure("invalid close status code \(status)")) }
        guard let text = String(validating: payload.dropFirst(2), as: UTF8.self) else {
            return .success(Self(status: 1007, text: "invalid utf8 body in close frame"))
        }
        return .success(Self(status: status, text: text))
    }

    struct Failure: Error, Equatable {
        let text: String

        init(_ text: String) { self.text = text }
    }

    /// Whether a peer may give this status; the rest is reserved.
    private static func isValid(_ status: UInt16) -> Bool {
        switch status {
        case 1004, 1005, 1006, 1015: false
        case 1016...2999: false
        case 1000..<5000: true
        default: false
        }
    }
}
