/// Cuts bytes into WebSocket frames (RFC 6455), in place and without keeping more than a frame's header.
///
/// Payloads are handed on as they arrive, since operations may straddle frames and reads alike; only control frames, which
/// are short, are collected. nats-server websocket.go wsReadLoop, whose messages for what is wrong these are.
package struct WebSocketFrameParser {
    package enum Event: Equatable {
        /// Bytes of a message, unmasked where they stand. `isLast`: the message ends with them.
        case data(Range<Int>, isCompressed: Bool, isLast: Bool)
        case ping([UInt8])
        case pong
        case close([UInt8])
        /// The peer breaks the protocol: nothing that follows means anything.
        case failure(String)
    }

    private enum State {
        case first
        case second
        /// So many bytes of the length are missing.
        case length(Int)
        case key(Int)
        case payload
        case failed
    }

    package static let maxControlPayload = 125

    /// Whether frames have to be masked; if not, they are not, whatever they say.
    package let isMasked: Bool
    /// Whether messages may be compressed.
    package let isCompressing: Bool
    /// Whether the peer is a server, which must not mask its frames.
    private let refusesMasks: Bool
    private var state = State.first
    private var opcode: UInt8 = 0
    private var isFinal = true
    private var remaining: UInt64 = 0
    /// The masking key, rotated to the next byte.
    private var key: UInt32 = 0
    /// A message has begun, and its last frame has not come.
    private var isInMessage = false
    private var messageIsCompressed = false
    private var control: [UInt8] = []

    package init(isMasked: Bool, isCompressing: Bool, refusesMasks: Bool = false) {
        self.isMasked = isMasked
        self.refusesMasks = refusesMasks
        self.isCompressing = isCompressing
    }

    /// Handles bytes up to the next event.
    ///
    /// - Parameters:
    ///   - bytes: What arrived.
    ///   - position: Where to begin; moved behind what was handled.
    /// - Returns: `nil` when all bytes have been handled.
    package mutating func next(_ bytes: UnsafeMutableRawBufferPointer, _ position: inout Int) -> Event? {
        while position < bytes.count {
            let event: Event?
            switch self.state {
            case .payload:
                event = self.payload(bytes, &position)
            case .failed:
                position = bytes.count
                return nil
            case .first, .second, .length, .key:
                event = self.header(bytes[position])
                position += 1
                if event == nil, case .payload = self.state, self.remaining == 0 {
                    return self.frameEnded(at: position)
                }
            }
            if let event { return event }
        }
        return nil
    }

    // MARK: Header

    private mutating func header(_ byte: UInt8) -> Event? {
        switch self.state {
        case .first:
            return self.first(byte)
        case .second:
            return self.second(byte)
        case .length(let missing):
            self.remaining = self.remaining << 8 | UInt64(byte)
            guard missing == 1 else {
                self.state = .length(missing - 1)
                return nil
            }
            guard self.remaining >> 63 == 0 else { return self.fail("invalid 64-bit payload length") }
            self.lengthIsKnown()
        case .key(let missing):
            self.key = self.key >> 8 | UInt32(byte) << 24
            self.state = missing == 1 ? .payload : .key(missing - 1)
        case .payload, .failed:
            break
        }
        return nil
    }

    private mutating func first(_ byte: UInt8) -> Event? {
        self.opcode = byte & 0x0f
        self.isFinal = byte & 0x80 != 0
        if byte & 0x30 != 0 { return self.fail("RSV2 and RSV3 must be clear") }
        let isCompressed = byte & 0x40 != 0
        if isCompressed, !self.isCompressing {
            return self.fail("compressed frame received without negotiated permessage-deflate")
        }
        self.frameIsCompressed = isCompressed
        self.state = .second
        return nil
    }

    private var frameIsCompressed = false

    private mutating func second(_ byte: UInt8) -> Event? {
        if self.isMasked, byte & 0x80 == 0 { return self.fail("mask bit missing") }
        if self.refusesMasks, byte & 0x80 != 0 { return self.fail("a server's frame is masked") }
        let length = byte & 0x7f
        switch self.opcode {
        case 8, 9, 10:
            if length > Self.maxControlPayload {
                return self.fail(
                    "control frame length bigger than maximum allowed of \(Self.maxControlPayload) bytes"
                )
            }
            if !self.isFinal { return self.fail("control frame does not have final bit set") }
            if self.frameIsCompressed { return self.fail("control frame must not be compressed") }
            self.control = []
        case 1, 2:
            if self.isInMessage {
                return self.fail("new message started before final frame for previous message was received")
            }
            self.isInMessage = !self.isFinal
            self.messageIsCompressed = self.frameIsCompressed
        case 0:
            // Only the first frame of a message says that it is compressed.
            if !self.isInMessage || self.frameIsCompressed { return self.fail("invalid continuation frame") }
            self.isInMessage = !self.isFinal
        default:
            return self.fail("unknown opcode \(self.opcode)")
        }
        self.remaining = 0
        switch length {
        case 126: self.state = .length(2)
        case 127: self.state = .length(8)
        default:
            self.remaining = UInt64(length)
            self.lengthIsKnown()
        }
        return nil
    }

    private mutating func lengthIsKnown() {
        self.key = 0
        self.state = self.isMasked ? .key(4) : .payload
    }

    private mutating func fail(_ text: String) -> Event {
        self.state = .failed
        return .failure(text)
    }

    // MARK: Payload

    private var isControl: Bool { self.opcode >= 8 }

    private mutating func payload(_ bytes: UnsafeMutableRawBufferPointer, _ position: inout Int) -> Event? {
        let count = Int(min(self.remaining, UInt64(bytes.count - position)))
        let range = position..<(position + count)
        if self.isMasked { self.key = Self.unmask(bytes, range, key: self.key) }
        self.remaining -= UInt64(count)
        position = range.upperBound
        if self.isControl {
            self.control.append(contentsOf: bytes[range])
            return self.remaining == 0 ? self.frameEnded(at: position) : nil
        }
        return self.data(range)
    }

    private mutating func frameEnded(at position: Int) -> Event {
        guard self.isControl else { return self.data(position..<position) }
        self.state = .first
        let payload = self.control
        self.control = []
        switch self.opcode {
        case 8: return .close(payload)
        case 9: return .ping(payload)
        default: return .pong
        }
    }

    private mutating func data(_ range: Range<Int>) -> Event {
        let endsFrame = self.remaining == 0
        if endsFrame { self.state = .first }
        return .data(range, isCompressed: self.messageIsCompressed, isLast: endsFrame && !self.isInMessage)
    }

    /// Takes the mask off bytes.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - range: Which of them; within their bounds.
    ///   - key: The key, its lowest byte for the first one.
    /// - Returns: the key for what follows.
    package static func unmask(_ bytes: UnsafeMutableRawBufferPointer, _ range: Range<Int>, key: UInt32) -> UInt32 {
        var position = range.lowerBound
        let wide = UInt64(key) << 32 | UInt64(key)
        while range.upperBound - position >= 8 {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            bytes.storeBytes(of: (word ^ wide).littleEndian, toByteOffset: position, as: UInt64.self)
            position += 8
        }
        var key = key
        while position < range.upperBound {
            bytes[position] ^= UInt8(truncatingIfNeeded: key)
            key = key >> 8 | key << 24
            position += 1
        }
        return key
    }
}
