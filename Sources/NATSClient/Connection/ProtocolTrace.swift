import NIOCore

/// A line of the protocol, for those who look on (``NATSClientConfiguration/protocolTrace``).
package struct ProtocolTraceLine: Sendable, Equatable {
    package enum Direction: Sendable, Equatable {
        case sent
        case received
    }

    package var direction: Direction
    /// Without the line end, headers and payload, and with `[REDACTED]` in the place of secrets.
    ///
    /// What a server sent may hold any byte.
    package var bytes: [UInt8]

    init(_ direction: Direction, _ line: [UInt8]) {
        self.direction = direction
        self.bytes = direction == .sent ? Self.withoutSecrets(line) : line
    }

    /// As the trace of nats-server shows them.
    private static let replacement = Array("\"[REDACTED]\"".utf8)
    private static let secretKeys = ["pass", "auth_token", "jwt", "sig"].map { Array($0.utf8) }

    /// A line of ours with the values of CONNECT's secrets left out.
    private static func withoutSecrets(_ line: [UInt8]) -> [UInt8] {
        guard line.starts(with: "CONNECT ".utf8) else { return line }
        var result: [UInt8] = []
        result.reserveCapacity(line.count)
        var position = 0
        var hidesNext = false
        while position < line.count {
            guard line[position] == UInt8(ascii: "\"") else {
                // A key and its value stand in the same object, with nothing but this between them.
                if line[position] != UInt8(ascii: ":"), line[position] != 0x20 { hidesNext = false }
                result.append(line[position])
                position += 1
                continue
            }
            let end = Self.endOfString(line, from: position)
            let string = line[position..<end]
            if hidesNext {
                result += Self.replacement
                hidesNext = false
            } else {
                result += string
                let isKey = end < line.count && line[end] == UInt8(ascii: ":")
                hidesNext = isKey && Self.secretKeys.contains { string.dropFirst().dropLast().elementsEqual($0) }
            }
            position = end
        }
        return result
    }

    /// The position behind the string that begins at `start`.
    private static func endOfString(_ line: [UInt8], from start: Int) -> Int {
        var position = start + 1
        while position < line.count {
            switch line[position] {
            case UInt8(ascii: "\\"): position += 2
            case UInt8(ascii: "\""): return position + 1
            default: position += 1
            }
        }
        return line.count
    }
}

/// Stands in front of the ``NATSChannelHandler`` of a connection whose protocol is to be seen, inside of TLS and WebSocket.
final class ProtocolTraceHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let tell: @Sendable (ProtocolTraceLine) -> Void
    private var received = ControlLineScanner()
    private var sent = ControlLineScanner()

    init(_ tell: @escaping @Sendable (ProtocolTraceLine) -> Void) {
        self.tell = tell
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.unwrapInboundIn(data).withUnsafeReadableBytes { bytes in
            self.received.scan(bytes) { self.tell(ProtocolTraceLine(.received, $0)) }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        self.unwrapOutboundIn(data).withUnsafeReadableBytes { bytes in
            self.sent.scan(bytes) { self.tell(ProtocolTraceLine(.sent, $0)) }
        }
        context.write(data, promise: promise)
    }
}
