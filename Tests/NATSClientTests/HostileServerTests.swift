import NATSTestSupport
import NATSWire
import NIOCore
import NIOEmbedded
import Testing

@testable import NATSClient

@Suite struct HostileServerTests {
    @Test(
        "garbage is a typed error and a new connection, never a trap",
        arguments: [
            "garbage\r\n", "\0\0\0\0\0\0\0\0", "MSG a 2\r\n", "MSG a 2 99999999999\r\n", "MSG a 2 999999999\r\n",
            "MSG a 2 68157441\r\n", "HMSG a 2 5 3\r\n", "MSG a 2 2\r\nhixx", "HMSG a 2 r 1 2 3\r\n", "INFO {bad\r\n",
            "PUB a 1\r\nx\r\n", "MSG a 2 -1\r\n", "\r\n", " \r\n", "MSG  \r\n", "HMSG\r\n",
        ]
    )
    func garbage(bytes: String) async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let events = EventRecorder(client)
        let subscription = try await client.subscribe("a")
        try await peer.expect("SUB a 2\r\n")
        await peer.send("MSG a 2 2\r\nok\r\n" + bytes)
        // What came before the garbage is delivered.
        #expect(try await subscription.next(timeout: .seconds(30))?.string == "ok")
        await events.wait {
            if case .disconnected(.some(let error)) = $0 { error.code == .protocolViolation } else { false }
        }
        let (again, _) = try await server.acceptClient()
        try await again.expect("SUB a 2\r\n")
        await again.send("MSG a 2 5\r\nagain\r\n")
        #expect(try await subscription.next(timeout: .seconds(30))?.string == "again")
        await client.close()
        peer.close()
        again.close()
        await server.close()
    }

    @Test("a line that does not end is not kept for ever")
    func endlessLine() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let events = EventRecorder(client)
        _ = peer.sendWhatFits(Array("MSG ".utf8))
        let sending = Task {
            for _ in 0..<64 where client.isConnected {
                await peer.send([UInt8](repeating: UInt8(ascii: "a"), count: 32 * 1024))
            }
        }
        await events.wait {
            if case .disconnected(.some(let error)) = $0 { error.code == .protocolViolation } else { false }
        }
        await client.close()
        peer.close()
        await sending.value
        await server.close()
    }

    @Test("an INFO as large as that of a huge cluster is taken")
    func hugeInfo() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let urls = (0..<5000).map { "\"10.0.\($0 / 256).\($0 % 256):4222\"" }.joined(separator: ",")
        let (peer, _) = try await server.acceptClient(info: ScriptedServer.info(extra: ",\"connect_urls\":[\(urls)]"))
        let client = try await connecting.value
        #expect(client.serverInfo?.connectURLs.count == 5000)
        await client.close()
        peer.close()
        await server.close()
    }

    @Test("a malformed header block is a message without headers")
    func malformedHeaders() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let subscription = try await client.subscribe("a")
        try await peer.expect("SUB a 2\r\n")
        await peer.send("HMSG a 2 5 7\r\nhellohi\r\nHMSG a 2 0 2\r\nhi\r\n")
        await peer.send(
            [UInt8]("HMSG a 2 14 14\r\nNATS/1.0 ".utf8) + [0xFF, 0xFE, 0x3A, 13, 10] + [UInt8]("\r\n".utf8)
        )
        let first = try #require(try await subscription.next(timeout: .seconds(30)))
        #expect(first.headers.isEmpty && first.status == nil && first.statusDescription == nil && first.string == "hi")
        let second = try #require(try await subscription.next(timeout: .seconds(30)))
        #expect(!second.hasHeaders && second.string == "hi")
        await client.close()
        peer.close()
        await server.close()
    }

    @Test("a connection that ends in the middle of the handshake, or again and again, is retried")
    func flapping() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        peer.reset()
        for round in 0..<10 {
            let next = try await server.accept()
            if round.isMultiple(of: 2) {
                await next.send(ScriptedServer.info())
            } else {
                await next.send("INFO {")
            }
            next.reset()
        }
        let (last, _) = try await server.acceptClient()
        try await eventually { client.isConnected }
        await client.close()
        last.close()
        await server.close()
    }

    /// A handler with a core, on a loop and a channel that the test turns by hand.
    private func makeHandler() throws -> (EmbeddedChannel, ConnectionCore, NATSChannelHandler) {
        let loop = EmbeddedEventLoop()
        let core = ConnectionCore(
            configuration: quickConfiguration(),
            addresses: [ServerAddress(host: "h", port: 1)],
            eventLoop: loop,
            logger: nil
        )
        let handler = NATSChannelHandler(
            core: core,
            address: ServerAddress(host: "h", port: 1),
            attempt: 0,
            wantsNoEcho: false,
            tls: .init(),
            credentials: .none
        ) { _ in ConnectPayload() }
        let channel = EmbeddedChannel(handler: handler, loop: loop)
        core.handler = handler
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return (channel, core, handler)
    }

    private func subscribe(_ core: ConnectionCore) throws -> SubscriptionState {
        let state = try core.outbound.subscribe(subject: "a", queueGroup: nil, limits: .init())
        (core.eventLoop as? EmbeddedEventLoop)?.run()
        return state
    }

    private static let handshake = "INFO {\"headers\":true,\"proto\":1} \r\nPONG\r\n"
    private static let stream =
        "PING\r\nMSG a 2 5\r\nhello\r\n+OK\r\nHMSG a 2 r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n"
        + "INFO {\"max_payload\":5} \r\nMSG a 2 0\r\n\r\nMSG b 9 3\r\nxxx\r\nMSG a 2 300\r\n"
        + String(repeating: "0123456789", count: 30) + "\r\n-ERR 'Invalid Subject'\r\nMSG a 2 1\r\nz\r\nPONG\r\n"

    private func drain(_ state: SubscriptionState, until count: Int) async throws -> [String] {
        var strings: [String] = []
        while strings.count < count, let message = try await state.nextMessage(timeout: nil) {
            strings.append(
                "\(message.subject) \(message.reply ?? "-") \(message.headerBytes.readableBytes) \(message.string)"
            )
        }
        return strings
    }

    @Test("the bytes of a server mean the same however they are cut")
    func everyCut() async throws {
        let bytes = Array(Self.stream.utf8)
        let expected = [
            "a - 0 hello", "a r 12 hi", "a - 0 ", "a - 0 " + String(repeating: "0123456789", count: 30), "a - 0 z",
        ]
        for cut in 0...bytes.count {
            await Task.yield()
            // Two pieces, or (for cut 0) single bytes.
            let pieces = cut == 0 ? bytes.map { [$0] } : [Array(bytes[..<cut]), Array(bytes[cut...])]
            let (channel, core, _) = try self.makeHandler()
            try channel.writeInbound(ByteBuffer(string: Self.handshake))
            let state = try self.subscribe(core)
            // Sid 1 belongs to the inbox, so the subscription has sid 2.
            for piece in pieces {
                try channel.writeInbound(ByteBuffer(bytes: piece))
            }
            #expect(state.statistics.pendingMessages == expected.count, "cut at \(cut)")
            #expect(try await self.drain(state, until: expected.count) == expected, "cut at \(cut)")
            #expect(channel.isActive)
            core.close(error: nil)
            _ = try channel.finish(acceptAlreadyClosed: true)
        }
    }

    @Test("mutated streams in random pieces never trap; the connection lives or ends with an error")
    func mutations() async throws {
        var random = SeededGenerator(seed: 99)
        for _ in 0..<500 {
            // Two cores run all the tests: let the others on.
            await Task.yield()
            var bytes = Array((Self.handshake + Self.stream).utf8)
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0:
                    bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1:
                    bytes.remove(at: index)
                default:
                    bytes.insert(UInt8(ascii: "9"), at: index)
                }
            }
            let (channel, core, handler) = try self.makeHandler()
            _ = try self.subscribe(core)
            var rest = bytes[...]
            while !rest.isEmpty, channel.isActive {
                let piece = rest.prefix(Int.random(in: 1...40, using: &random))
                rest = rest.dropFirst(piece.count)
                _ = try? channel.writeInbound(ByteBuffer(bytes: piece))
            }
            #expect(channel.isActive == (handler.failure == nil))
            core.close(error: nil)
            _ = try? channel.finish(acceptAlreadyClosed: true)
        }
    }

    @Test("the PINGs of one read are answered together")
    func pingsTogether() throws {
        let (channel, core, _) = try self.makeHandler()
        try channel.writeInbound(ByteBuffer(string: Self.handshake))
        while try channel.readOutbound(as: ByteBuffer.self) != nil {}
        try channel.writeInbound(ByteBuffer(string: "PING\r\nPING\r\n+OK\r\nPING\r\nPI"))
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: "PONG\r\nPONG\r\nPONG\r\n"))
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        try channel.writeInbound(ByteBuffer(string: "NG\r\n"))
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: "PONG\r\n"))
        core.close(error: nil)
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test("a server that sends PINGs and reads nothing loses the connection, not the client its memory")
    func pingFlood() throws {
        let (channel, core, handler) = try self.makeHandler()
        try channel.writeInbound(ByteBuffer(string: Self.handshake))
        while try channel.readOutbound(as: ByteBuffer.self) != nil {}
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        try channel.writeInbound(ByteBuffer(string: "PING\r\nPING\r\n"))
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        channel.isWritable = true
        channel.pipeline.fireChannelWritabilityChanged()
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: "PONG\r\nPONG\r\n"))
        channel.isWritable = false
        let flood = ByteBuffer(string: String(repeating: "PING\r\n", count: 600))
        try channel.writeInbound(flood)
        #expect(handler.failure == nil)
        try channel.writeInbound(flood)
        #expect(handler.failure?.code == .protocolViolation)
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        core.close(error: nil)
        _ = try channel.finish(acceptAlreadyClosed: true)
    }
}
