package import NIOCore

/// The frames that are written: whole, and of one opcode each but for long compressed messages; only a client masks them.
package enum WebSocketFrame {
    package static let binary: UInt8 = 2
    package static let close: UInt8 = 8
    package static let pong: UInt8 = 10

    /// Browsers do better with frames of a limited size (nats-server websocket.go wsFrameSizeForBrowsers).
    package static let browserSize = 4096
    /// Less than this is not worth compressing (wsCompressThreshold).
    package static let compressionThreshold = 64

    /// Writes a frame's header.
    ///
    /// - Parameters:
    ///   - buffer: Where to.
    ///   - opcode: What the frame is; 0 for one that goes on with a message.
    ///   - count: Bytes of the payload.
    ///   - isFinal: Whether the message ends with it.
    ///   - isCompressed: Whether a compressed message begins with it.
    ///   - key: What the payload is masked with, its lowest byte for the first one; `nil` if it is not masked.
    package static func writeHeader(
        to buffer: inout ByteBuffer,
        opcode: UInt8,
        count: Int,
        isFinal: Bool = true,
        isCompressed: Bool = false,
        key: UInt32? = nil
    ) {
        buffer.writeInteger((isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode)
        let mask: UInt8 = key == nil ? 0 : 0x80
        switch count {
        case ...125:
            buffer.writeInteger(mask | UInt8(truncatingIfNeeded: count))
        case ...0xffff:
            buffer.writeInteger(mask | 126)
            buffer.writeInteger(UInt16(truncatingIfNeeded: count))
        default:
            buffer.writeInteger(mask | 127)
            buffer.writeInteger(UInt64(count))
        }
        if let key { buffer.writeInteger(key, endianness: .little) }
    }

    /// A client's frame, whole: header, and the masked payload.
    package static func masked(
        _ payload: ByteBuffer,
        opcode: UInt8 = WebSocketFrame.binary,
        isCompressed: Bool = false,
        key: UInt32
    ) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: payload.readableBytes + self.largestHeader)
        self.writeHeader(
            to: &buffer,
            opcode: opcode,
            count: payload.readableBytes,
            isCompressed: isCompressed,
            key: key
        )
        let start = buffer.readableBytes
        buffer.writeImmutableBuffer(payload)
        buffer.withUnsafeMutableReadableBytes { bytes in
            _ = WebSocketFrameParser.unmask(bytes, start..<bytes.count, key: key)
        }
        return buffer
    }

    /// Two bytes, the length, the key.
    private static let largestHeader = 14

    /// A control frame.
    package static func control(_ opcode: UInt8, _ payload: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        let payload = payload.prefix(WebSocketFrameParser.maxControlPayload)
        self.writeHeader(to: &buffer, opcode: opcode, count: payload.count)
        buffer.writeBytes(payload)
        return buffer
    }
}

/// What a close frame carries: nothing, or a status and a text.
package struct WebSocketClosing: Equatable {
    package private(set) var payload: [UInt8] = []

    /// No status: the peer gave none.
    package init() {}

    package init(status: UInt16, text: String) {
        self.payload = [UInt8(status >> 8), UInt8(truncatingIfNeeded: status)]
        let room = WebSocketFrameParser.maxControlPayload - 2
        let bytes = Array(text.utf8)
        self.payload += bytes.count > room ? bytes.prefix(room - 3) + Array("...".utf8) : bytes
    }

    /// What a peer's close frame is answered with, or what is wrong with it (wsHandleControlFrame).
    package static func answer(to payload: [UInt8]) -> Result<Self, Failure> {
        guard payload.count != 1 else { return .failure(Failure("close frame payload cannot be 1 byte")) }
        guard payload.count >= 2 else { return .success(Self()) }
        let status = UInt16(payload[0]) << 8 | UInt16(payload[1])
        guard Self.isValid(status) else { return .failure(Failure("invalid close status code \(status)")) }
        guard let text = String(validating: payload.dropFirst(2), as: UTF8.self) else {
            return .success(Self(status: 1007, text: "invalid utf8 body in close frame"))
        }
        return .success(Self(status: status, text: text))
    }

    package struct Failure: Error, Equatable {
        package let text: String

        package init(_ text: String) { self.text = text }
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
