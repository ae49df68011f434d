import NATSTestSupport
import NATSWire
import NIOCore
import Testing

@testable import NATSClient

/// Servers that say what cannot be, or without end: the memory of the client stays what it is, the error has a type, and
/// the client goes on with the next connection.
@Suite struct LyingServerTests {
    /// What a server may say that never comes to an end.
    enum Endless: String, CaseIterable {
        case info = "INFO {\"server_id\":\""
        case subject = "MSG "
        case error = "-ERR '"
        case nothing = "x"
    }

    @Test("what does not end is a protocol violation long before it fills the memory", arguments: Endless.allCases)
    func endless(_ beginning: Endless) async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(instantConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let events = EventRecorder(client)
        let chunk = Array(String(repeating: "a", count: 65_536).utf8)
        let sending = Task {
            await peer.send(beginning.rawValue)
            // 10 MB, if somebody takes them.
            for _ in 0..<160 where client.statistics.reconnects == 0 {
                await peer.send(chunk)
            }
        }
        await events.wait {
            if case .disconnected(.some(let error)) = $0 { error.code == .protocolViolation } else { false }
        }
        #expect(client.statistics.socketBytesIn < 3 << 20)
        let (again, _) = try await server.acceptClient()
        try await eventually { client.isConnected }
        #expect(client.core.handler?.cut.readableBytes == 0)
        await client.close()
        for peer in [peer, again] { peer.close() }
        await sending.value
        await server.close()
    }

    @Test("an INFO of 10 MB is refused in the handshake, and the first byte of it that is too much ends it")
    func hugeFirstInfo() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(instantConfiguration(server.url)) }
        let peer = try await server.accept()
        let sending = Task {
            await peer.send(
                ScriptedServer.info(extra: ",\"pad\":\"" + String(repeating: "x", count: 10 << 20) + "\"")
            )
        }
        await expectError(.protocolViolation) { _ = try await connecting.value }
        peer.close()
        await sending.value
        await server.close()
    }

    @Test("messages for unknown subscriptions are thrown away, and those for known ones delivered")
    func unknownSubscriptions() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(instantConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let subscription = try await client.subscribe("a")
        try await peer.expect("SUB a 2\r\n")
        let payload = String(repeating: "x", count: 10_000)
        var stray = ""
        for sid in ["3", "18446744073709551615", "18446744073709551618", "0", "x", "2x", "-2", "1"] {
            stray += "MSG a \(sid) 10000\r\n\(payload)\r\nHMSG a \(sid) 12 10012\r\nNATS/1.0\r\n\r\n\(payload)\r\n"
        }
        let before = ResidentMemory.ofThisProcess
        for _ in 0..<1000 {
            await peer.send(stray)
        }
        await peer.send("MSG a 2 3\r\nend\r\n")
        #expect(try await subscription.next(timeout: .seconds(120))?.string == "end")
        // 160 MB were sent; other tests run beside this one.
        if ResidentMemory.isMeaningful {
            #expect(ResidentMemory.ofThisProcess - before < 150 << 20)
        }
        #expect(subscription.statistics.dropped == 0 && subscription.statistics.delivered == 1)
        #expect(client.isConnected && client.core.registry.all.count == 1)
        await client.close()
        peer.close()
        await server.close()
    }

    @Test(
        "lengths that are not those of what follows end the connection with a typed error",
        arguments: [
            // Shorter and longer than the payload, headers longer than all, too large, negative, no number, no end.
            "MSG a 2 1\r\nabc\r\n", "MSG a 2 5\r\nabc\r\nPING\r\n\r\n", "HMSG a 2 13 12\r\nNATS/1.0\r\n\r\n\r\n",
            "MSG a 2 18446744073709551616\r\n", "MSG a 2 9223372036854775807\r\n", "MSG a 2 -5\r\n",
            "HMSG a 2 -1 5\r\n", "HMSG a 2 99999999999999999999 5\r\n", "MSG a 2 0x5\r\nabcde\r\n",
            "HMSG a 2 12\r\nNATS/1.0\r\n\r\n\r\n",
        ]
    )
    func lengths(_ lie: String) async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(instantConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let events = EventRecorder(client)
        let subscription = try await client.subscribe("a")
        try await peer.expect("SUB a 2\r\n")
        await peer.send(lie)
        await events.wait {
            if case .disconnected(.some(let error)) = $0 { error.code == .protocolViolation } else { false }
        }
        let (again, _) = try await server.acceptClient()
        try await again.expect("SUB a 2\r\n")
        await again.send("MSG a 2 3\r\nend\r\n")
        // Nothing of the lie is delivered.
        #expect(try await texts(subscription, until: "end").isEmpty)
        await client.close()
        for peer in [peer, again] { peer.close() }
        await server.close()
    }

    @Test("a header block without end is a message without headers, and its bytes are no more than it said")
    func headersWithoutEnd() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(instantConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let subscription = try await client.subscribe("a")
        try await peer.expect("SUB a 2\r\n")
        let blocks = [
            "NATS/1.0\r\nA: b\r\n", "NATS/1.0\r\nA: b", "NATS/1.0", "NATS/1.0\r\nA\r\n\r\n", "NATS/1.0\r\n: b\r\n\r\n",
            String(repeating: "a", count: 100_000), "NATS/1.0\r\n" + String(repeating: "A:", count: 50_000),
        ]
        for (index, block) in blocks.enumerated() {
            await peer.send("HMSG a 2 \(block.utf8.count) \(block.utf8.count + 1)\r\n\(block)\(index)\r\n")
            let message = try #require(try await subscription.next(timeout: .seconds(120)))
            #expect(message.string == "\(index)" && message.status == nil)
            #expect(message.headers.isEmpty == [2, 3, 4, 5].contains(index), "\(index)")
            #expect(message.headerBytes.readableBytes == block.utf8.count)
        }
        #expect(client.isConnected)
        await client.close()
        peer.close()
        await server.close()
    }

    @Test("floods of errors, PONGs and INFOs are taken, and what listeners keep of them is bounded")
    func floods() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(instantConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let slowListener = client.events
        let subscription = try await client.subscribe("a")
        try await peer.expect("SUB a 2\r\n")
        for round in 0..<100 {
            var text = ""
            for index in 0..<100 {
                let number = round * 100 + index
                text += "-ERR 'Unheard Of \(number)'\r\nPONG\r\n+OK\r\n"
            }
            let urls = (0..<100).map { "\"10.\(round).0.\($0):4222\"" }.joined(separator: ",")
            await peer.send(text + ScriptedServer.info(extra: ",\"connect_urls\":[\(urls)]"))
        }
        await peer.send("MSG a 2 3\r\nend\r\n")
        #expect(try await subscription.next(timeout: .seconds(120))?.string == "end")
        // Only the servers of the newest INFO, and the one that was given.
        #expect(client.serverPool.count == 101)
        #expect(client.isConnected)
        await client.close()
        var kept = 0
        for await _ in slowListener { kept += 1 }
        #expect(kept <= 256)
        peer.close()
        await server.close()
    }
}
