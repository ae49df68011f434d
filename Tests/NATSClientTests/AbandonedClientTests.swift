import NATSTestSupport
import NIOCore
import Testing

@testable import NATSClient

/// A client without an owner goes, in whatever state it is; what still is somebody's keeps what it needs.
///
/// Looked at are the inner half of the client, which nothing may keep then, and what the server sees.
@Suite struct AbandonedClientTests {
    /// A reference that keeps nothing.
    private struct Weak {
        weak var core: ConnectionCore?

        init(_ client: NATSClient) {
            self.core = client.core
        }
    }

    private func connect(
        _ server: ScriptedServer,
        _ change: (inout NATSClientConfiguration) -> Void = { _ in }
    ) async throws -> (NATSClient, RawConnection) {
        var configuration = quickConfiguration(server.url)
        change(&configuration)
        async let client = NATSClient.connect(configuration)
        let (peer, _) = try await server.acceptClient()
        return (try await client, peer)
    }

    private func expectGone(_ weak: Weak, _ what: String) async throws {
        try await eventually("\(what): the inner half goes") { weak.core == nil }
    }

    @Test("while it is connecting for the first time")
    func connecting() async throws {
        let server = try ScriptedServer()
        for sendsInfo in [false, true] {
            let configuration = quickConfiguration(server.url)
            let peer: RawConnection
            do {
                let connecting = Task { try await NATSClient.connect(configuration) }
                peer = try await server.accept()
                if sendsInfo {
                    await peer.send(ScriptedServer.info())
                    _ = try await peer.readLine()
                }
                connecting.cancel()
                await expectError(.cancelled) { _ = try await connecting.value }
            }
            _ = try await peer.readToEnd()
            peer.close()
        }
        let count = server.acceptedCount
        #expect(count == 2)
        await server.close()
    }

    @Test("while it goes on trying to connect for the first time, between attempts and in the middle of one")
    func retrying() async throws {
        let server = try ScriptedServer()
        let weak: Weak
        let peer: RawConnection
        do {
            var configuration = quickConfiguration(server.url)
            configuration.retryOnFailedConnect = true
            async let connecting = NATSClient.connect(configuration)
            let first = try await server.accept()
            first.reset()
            let client = try await connecting
            weak = Weak(client)
            peer = try await server.accept()
            await peer.send(ScriptedServer.info())
            #expect(client.state == .reconnecting)
        }
        try await self.expectGone(weak, "in the handshake")
        _ = try await peer.readToEnd()
        peer.close()
        let refused = try ReservedPort()
        let waiting: Weak
        do {
            var configuration = quickConfiguration(refused.url)
            configuration.retryOnFailedConnect = true
            configuration.reconnectWait = .seconds(3600)
            configuration.maxReconnectWait = .seconds(3600)
            waiting = Weak(try await NATSClient.connect(configuration))
        }
        try await self.expectGone(waiting, "in the wait of an hour")
        await server.close()
    }

    @Test("while it is connected, with events listened to, messages kept and its executor held")
    func connected() async throws {
        let server = try ScriptedServer()
        let weak: Weak
        let peer: RawConnection
        let events: EventRecorder
        let message: NATSMessage
        let executor: NATSTaskExecutor
        do {
            let client: NATSClient
            (client, peer) = try await self.connect(server)
            weak = Weak(client)
            events = EventRecorder(client)
            executor = client.taskExecutor
            let subscription = try await client.subscribe("a")
            try await peer.expect("SUB a 2\r\n")
            await peer.send("MSG a 2 r 1\r\nx\r\n")
            message = try #require(try await subscription.next(timeout: .seconds(120)))
        }
        try await self.expectGone(weak, "connected")
        await events.wait { if case .closed(nil) = $0 { true } else { false } }
        try await peer.expect("UNSUB 2\r\n", thenEndWithin: .seconds(120))
        #expect(message.string == "x" && message.reply == "r")
        await expectError(.connectionClosed) { try await message.respond("") }
        withExtendedLifetime(executor) {}
        peer.close()
        await server.close()
    }

    @Test("while it reconnects: between attempts, while a socket opens, and in the middle of a handshake")
    func reconnecting() async throws {
        for step in 0..<3 {
            let server = try ScriptedServer()
            let weak: Weak
            var peers: [RawConnection] = []
            do {
                let (client, peer) = try await self.connect(server) {
                    if step == 0 {
                        $0.reconnectWait = .seconds(3600)
                        $0.maxReconnectWait = .seconds(3600)
                        $0.waitsBeforeFirstReconnect = true
                    }
                }
                weak = Weak(client)
                peer.reset()
                peers.append(peer)
                try await eventually { !client.isConnected }
                if step > 0 {
                    let next = try await server.accept()
                    peers.append(next)
                    if step == 2 {
                        await next.send(ScriptedServer.info())
                        _ = try await next.readLine()
                    }
                }
            }
            try await self.expectGone(weak, "step \(step)")
            if let last = peers.dropFirst().last {
                _ = try await last.readToEnd()
            }
            // Nothing is left that could ask again.
            #expect(server.acceptedCount == peers.count)
            for peer in peers { peer.close() }
            await server.close()
        }
    }

    @Test("a subscription, and an iterator after it, keep the connection as long as they are there")
    func subscriptions() async throws {
        let server = try ScriptedServer()
        let weak: Weak
        var (first, peer): (NATSClient?, RawConnection) = try await self.connect(server)
        weak = Weak(try #require(first))
        var subscription = try await first?.subscribe("a")
        try await peer.expect("SUB a 2\r\n")
        first = nil
        // It survives a lost connection as well.
        peer.reset()
        (peer, _) = try await server.acceptClient()
        try await peer.expect("SUB a 2\r\n")
        await peer.send("MSG a 2 1\r\n1\r\n")
        #expect(try await subscription?.next(timeout: .seconds(120))?.string == "1")
        do {
            var iterator = subscription?.makeAsyncIterator()
            subscription = nil
            await peer.send("MSG a 2 1\r\n2\r\n")
            #expect(try await iterator?.next()?.string == "2")
            #expect(weak.core != nil)
            iterator = nil
        }
        try await self.expectGone(weak, "the iterator")
        try await peer.expect("UNSUB 2\r\n", thenEndWithin: .seconds(120))
        peer.close()
        await server.close()
    }

    @Test("a request that waits keeps the client until it is answered, failed or cancelled")
    func requests() async throws {
        for ending in 0..<3 {
            let server = try ScriptedServer()
            let weak: Weak
            let peer: RawConnection
            let request: Task<String, any Error>
            do {
                let client: NATSClient
                (client, peer) = try await self.connect(server)
                weak = Weak(client)
                request = Task { try await client.request("", to: "s", timeout: .seconds(3600)).string }
            }
            _ = try await peer.readLine()
            let line = try await peer.readLine()
            let reply = try #require(line.split(separator: " ").dropFirst(2).first)
            try await peer.expect("\r\n")
            #expect(weak.core != nil)
            switch ending {
            case 0:
                await peer.send("MSG \(reply) 1 2\r\nok\r\n")
                #expect(try await request.value == "ok")
            case 1:
                request.cancel()
                await expectError(.cancelled) { _ = try await request.value }
            default:
                peer.reset()
                await expectError(.disconnected) { _ = try await request.value }
            }
            try await self.expectGone(weak, "ending \(ending)")
            peer.close()
            await server.close()
        }
    }

    @Test("tasks that iterate, flush, drain or handle end when they are cancelled, and the client goes with the last")
    func tasks() async throws {
        let server = try ScriptedServer()
        let weak: Weak
        let peer: RawConnection
        var tasks: [Task<Void, any Error>] = []
        do {
            let client: NATSClient
            (client, peer) = try await self.connect(server)
            weak = Weak(client)
            let subscription = try await client.subscribe("a")
            tasks.append(Task { for try await _ in subscription {} })
            let batches = try await client.subscribe("a")
            tasks.append(Task { for try await _ in batches.batches {} })
            let drained = try await client.subscribe("a")
            tasks.append(Task { try await drained.drain(timeout: .seconds(3600)) })
            tasks.append(Task { try await client.flush(timeout: .seconds(3600)) })
            tasks.append(Task { try await client.handle("a", concurrency: 3) { _ in } })
        }
        for task in tasks { task.cancel() }
        for task in tasks { _ = await task.result }
        try await self.expectGone(weak, "tasks")
        _ = try await peer.readToEnd()
        peer.close()
        await server.close()
    }

    @Test("whoever is asked for credentials is told to stop when nobody wants to connect any more")
    func credentials() async throws {
        let server = try ScriptedServer()
        let cancelled = Watched(0)
        let weak: Weak
        do {
            var configuration = quickConfiguration(server.url)
            configuration.retryOnFailedConnect = true
            configuration.credentials = .provider {
                do {
                    try await Task.sleep(for: .seconds(3600))
                } catch {
                    cancelled.update { $0 += 1 }
                }
                return .none
            }
            async let connecting = NATSClient.connect(configuration)
            let first = try await server.accept()
            first.reset()
            weak = Weak(try await connecting)
            let peer = try await server.accept()
            await peer.send(ScriptedServer.info())
            peer.finishSending()
        }
        try await self.expectGone(weak, "asked for credentials")
        await server.close()
    }

    @Test("giving up ends everything that waits, and then the client goes")
    func gaveUp() async throws {
        let server = try ScriptedServer()
        let weak: Weak
        do {
            let (client, peer) = try await self.connect(server) { $0.maxReconnects = 2 }
            weak = Weak(client)
            let events = EventRecorder(client)
            let subscription = try await client.subscribe("a")
            let iterating = Task { for try await _ in subscription {} }
            let confirming = Task { _ = try await client.subscribe("b", confirm: true) }
            await server.close()
            peer.reset()
            await expectError(.noServers) { try await iterating.value }
            do {
                try await confirming.value
                Issue.record("confirmed")
            } catch let error as NATSError {
                #expect(error.code == .disconnected || error.code == .connectionClosed, "\(error)")
            }
            await events.wait { if case .closed(.some(let error)) = $0 { error.code == .noServers } else { false } }
            #expect(client.isClosed)
        }
        try await self.expectGone(weak, "gave up")
    }
}
