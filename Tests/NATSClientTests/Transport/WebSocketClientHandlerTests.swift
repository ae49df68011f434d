import NATSTestSupport
import NATSWebSocket
import NIOCore
import NIOEmbedded
import Testing

@testable import NATSClient

@Suite("the WebSocket handler of the client")
struct WebSocketClientHandlerTests {
    /// Keeps what comes out on the inside.
    private final class Inside: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        var bytes: [UInt8] = []
        var errors: [any Error] = []

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.bytes += self.unwrapInboundIn(data).readableBytesView
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            self.errors.append(error)
        }
    }

    /// A channel whose request has been answered.
    private func open(
        compression: Bool = true,
        limits: WebSocketClientHandler.Limits = .init()
    ) throws -> (channel: EmbeddedChannel, handler: WebSocketClientHandler, inside: Inside) {
        var options = NATSClientConfiguration.WebSocket()
        options.compression = compression
        let handler = WebSocketClientHandler(
            to: try ServerAddress(parsing: "ws://h"),
            isSecure: false,
            options: options,
            limits: limits
        )
        let inside = Inside()
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandlers([handler, inside])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        let request = String(buffer: try #require(try channel.readOutbound(as: ByteBuffer.self)))
        let line = try #require(request.split(separator: "\r\n").first { $0.hasPrefix("Sec-WebSocket-Key: ") })
        let accept = WebSocketKey.acceptance(of: String(line.dropFirst(19)))
        let extensions = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        let answer = """
            HTTP/1.1 101 x\r\nupgrade: WebSocket\r\nconnection: keep-alive, upgrade\r\nsec-websocket-accept: \(accept)\r\n\
            \(compression ? "Sec-WebSocket-Extensions: \(extensions)\r\n" : "")\r\n
            """
        // Byte by byte, with the first frame behind it.
        for byte in Array(answer.utf8) + WebSocketBytes.frame(2, [0x61], mask: nil) {
            channel.pipeline.fireChannelRead(ByteBuffer(bytes: [byte]))
        }
        #expect(inside.bytes == [0x61] && inside.errors.isEmpty)
        inside.bytes = []
        return (channel, handler, inside)
    }

    private func compressed(_ bytes: [UInt8]) throws -> [UInt8] {
        Array(try #require(WebSocketCoder().compress(ByteBuffer(bytes: bytes))).readableBytesView)
    }

    @Test("compressed messages, whole and in fragments, split after any byte")
    func expands() throws {
        let (channel, _, inside) = try self.open()
        let text = Array(String(repeating: "MSG a 1 2\r\nhi\r\n", count: 50).utf8)
        let message = try self.compressed(text)
        let half = message.count / 2
        let frames =
            WebSocketBytes.frame(2, message, reserved: 4, mask: nil)
            + WebSocketBytes.frame(2, Array(message[..<half]), isFinal: false, reserved: 4, mask: nil)
            + WebSocketBytes.frame(9, [1], mask: nil) + WebSocketBytes.frame(0, Array(message[half...]), mask: nil)
            + WebSocketBytes.frame(2, [0x2b], mask: nil)
        for byte in frames {
            channel.pipeline.fireChannelRead(ByteBuffer(bytes: [byte]))
        }
        #expect(inside.bytes == text + text + [0x2b] && inside.errors.isEmpty)
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test("a small max_payload makes no multitude of frames", arguments: [1, 4095, 4096, 1 << 20, 0])
    func frames(maxPayload: Int) throws {
        let (channel, handler, _) = try self.open()
        handler.maxPayload = maxPayload
        try channel.writeOutbound(ByteBuffer(repeating: 7, count: 1 << 20))
        var count = 0
        while try channel.readOutbound(as: ByteBuffer.self) != nil {
            count += 1
        }
        #expect(count == (maxPayload == 4096 ? 256 : maxPayload == 0 || maxPayload > 4096 ? 16 : 1))
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test("a compressed message beyond a limit, or a damaged one, ends the connection", arguments: 0..<4)
    func limits(which: Int) throws {
        let (channel, _, inside) = try self.open(limits: .init(compressed: 1000, expanded: 100_000))
        let zeros = [UInt8](repeating: 0, count: 1_000_000)
        switch which {
        case 0:
            channel.pipeline.fireChannelRead(
                ByteBuffer(
                    bytes: WebSocketBytes.frame(2, try self.compressed(zeros).prefix(1000) + [], reserved: 4, mask: nil)
                )
            )
        case 1:
            // Endless fragments.
            let part = [UInt8](repeating: 7, count: 100)
            channel.pipeline.fireChannelRead(
                ByteBuffer(bytes: WebSocketBytes.frame(2, part, isFinal: false, reserved: 4, mask: nil))
            )
            for _ in 0..<20 {
                channel.pipeline.fireChannelRead(
                    ByteBuffer(bytes: WebSocketBytes.frame(0, part, isFinal: false, mask: nil))
                )
            }
        case 2:
            channel.pipeline.fireChannelRead(
                ByteBuffer(bytes: WebSocketBytes.frame(2, [7, 7, 7], reserved: 4, mask: nil))
            )
        default:
            channel.pipeline.fireChannelRead(ByteBuffer(bytes: WebSocketBytes.frame(2, [1], mask: [1, 2, 3, 4])))
        }
        #expect(inside.bytes.count <= 100_000)
        #expect(inside.errors.count == 1)
        #expect((inside.errors.first as? NATSError)?.code == .protocolViolation)
        // Nothing is read any more.
        let before = inside.bytes.count
        channel.pipeline.fireChannelRead(ByteBuffer(bytes: WebSocketBytes.frame(2, [0x61], mask: nil)))
        #expect(inside.bytes.count == before)
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test("what is written can be read by a server, in messages within its limit", arguments: [false, true])
    func writes(compression: Bool) throws {
        let (channel, handler, _) = try self.open(compression: compression)
        handler.maxPayload = 1000
        let text = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* $0) }
        for part in [text, [], Array(text.prefix(64)), Array(text.prefix(65))] {
            try channel.writeOutbound(ByteBuffer(bytes: part))
        }
        var bytes: [UInt8] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
            bytes += buffer.readableBytesView
        }
        var parser = WebSocketFrameParser(isMasked: true, isCompressing: compression)
        let coder = WebSocketCoder()
        var result: [UInt8] = []
        var message: [UInt8] = []
        bytes.withUnsafeMutableBytes { raw in
            var position = 0
            while let event = parser.next(raw, &position) {
                guard case .data(let range, let isCompressed, let isLast) = event else {
                    Issue.record("\(event)")
                    return
                }
                message += raw[range]
                guard isLast else { continue }
                if isCompressed {
                    let end = coder.expand(ByteBuffer(bytes: message), limit: 1000) { piece in
                        result += piece.readableBytesView
                        return true
                    }
                    #expect(end == .complete)
                } else {
                    result += message
                }
                message = []
            }
        }
        #expect(result == text + text.prefix(64) + text.prefix(65))
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test("of many PINGs in one read the last is answered")
    func pings() throws {
        let (channel, _, _) = try self.open()
        let many = (0..<100).flatMap { WebSocketBytes.frame(9, [$0], mask: nil) }
        channel.pipeline.fireChannelRead(ByteBuffer(bytes: many))
        channel.pipeline.fireChannelReadComplete()
        let answer = try #require(try channel.readOutbound(as: ByteBuffer.self))
        #expect(answer.readableBytes == 7)
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test("random bytes end in a typed error or wait, and never trap")
    func random() throws {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<300 {
            let (channel, _, inside) = try self.open()
            for _ in 0..<20 {
                let bytes = (0..<Int.random(in: 1...40, using: &random)).map { _ in
                    [0x82, 0xc2, 0, 0x88, 0x89, 0x7e, 3, UInt8.random(in: 0...255, using: &random)]
                        .randomElement(using: &random) ?? 0
                }
                channel.pipeline.fireChannelRead(ByteBuffer(bytes: bytes))
            }
            #expect(inside.errors.allSatisfy { $0 is NATSError })
            _ = try? channel.finish(acceptAlreadyClosed: true)
        }
    }
}
