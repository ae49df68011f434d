import NATSTestServer
import NATSTestSupport
import Testing

@testable import NATSClient

@Suite struct ReconnectTests {
    @Test("subscriptions and publishes survive a restart of the server")
    func restart() async throws {
        let (server, port) = try await NATSTestServer.startOnReservedPort()
        defer { port.release() }
        try await withTestClient(quickConfiguration(server.clientURL)) { client in
            let events = EventRecorder(client)
            let subscription = try await client.subscribe("a.*")
            let queue = try await client.subscribe("a.*", queue: "q")
            try await client.flush()
            await server.stop()
            await events.wait { if case .disconnected(.some) = $0 { true } else { false } }
            #expect(!client.isConnected)
            for index in 0..<100 {
                try await client.publish("\(index)", to: "a.\(index)")
            }
            let late = try await client.subscribe("a.5")
            let flush = Task { try await client.flush(timeout: .seconds(60)) }
            try await server.restart()
            try await flush.value
            await events.wait { if case .reconnected = $0 { true } else { false } }
            for index in 0..<100 {
                #expect(try await subscription.next(timeout: .seconds(30))?.string == "\(index)")
                #expect(try await queue.next(timeout: .seconds(30))?.string == "\(index)")
            }
            #expect(try await late.next(timeout: .seconds(30))?.string == "5")
            #expect(client.statistics.reconnects == 1)
            #expect(client.serverInfo?.id == server.serverID)
            let names = events.names.filter { $0 != "reconnectAttemptFailed" }
            #expect(names == ["disconnected", "reconnected"])
        }
        await server.stop()
    }

    @Test("the replay has queue groups and what is left of a maximum, then publishes, then PINGs")
    func replay() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (first, _) = try await server.acceptClient()
        let client = try await connecting.value
        let plain = try await client.subscribe("plain")
        let queue = try await client.subscribe("queue", queue: "group")
        let limited = try await client.subscribe("limited")
        limited.unsubscribe(after: 5)
        let gone = try await client.subscribe("gone")
        gone.unsubscribe()
        try await first.expect(
            "SUB plain 2\r\nSUB queue group 3\r\nSUB limited 4\r\nUNSUB 4 5\r\nSUB gone 5\r\nUNSUB 5\r\n"
        )
        await first.send("MSG limited 4 0\r\n\r\nMSG limited 4 0\r\n\r\nMSG plain 2 1\r\nx\r\n")
        #expect(try await plain.next(timeout: .seconds(30))?.string == "x")
        first.reset()
        try await eventually { !client.isConnected }
        let late = try await client.subscribe("late")
        late.unsubscribe(after: 1)
        let forgotten = try await client.subscribe("forgotten")
        forgotten.unsubscribe()
        try await client.publish("kept", to: "kept")
        let flush = Task { try await client.flush(timeout: .seconds(60)) }
        try await eventually { client.core.outbound.unwrittenPings == 1 }

        let (second, _) = try await server.acceptClient()
        try await second.expect(
            "SUB plain 2\r\nSUB queue group 3\r\nSUB limited 4\r\nUNSUB 4 3\r\nSUB late 6\r\nUNSUB 6 1\r\n"
                + "PUB kept 4\r\nkept\r\nPING\r\n"
        )
        await second.send("PONG\r\n")
        try await flush.value
        for _ in 0..<3 {
            await second.send("MSG limited 4 0\r\n\r\n")
        }
        var count = 0
        for try await _ in limited {
            count += 1
        }
        #expect(count == 5)
        #expect(queue.statistics.delivered == 0)
        await client.close()
        first.close()
        second.close()
        await server.close()
    }

    @Test("the buffer for publishes has its limit")
    func bufferLimit() async throws {
        let (server, port) = try await NATSTestServer.startOnReservedPort()
        defer { port.release() }
        var configuration = quickConfiguration(server.clientURL)
        configuration.reconnectBufferSize = 1000
        try await withTestClient(configuration) { client in
            await server.stop()
            try await eventually { !client.isConnected }
            await expectError(.reconnectBufferExceeded) {
                for _ in 0..<1000 {
                    try await client.publish("0123456789", to: "a")
                }
            }
            #expect(client.statistics.bufferedBytes >= 1000 && client.statistics.bufferedBytes < 1050)
            await expectError(.disconnected) { _ = try await client.rtt() }
            await expectError(.timeout) { try await client.flush(timeout: .milliseconds(20)) }
        }
    }

    @Test("requests handed over fail, requests made while disconnected are sent later")
    func requests() async throws {
        let (server, port) = try await NATSTestServer.startOnReservedPort()
        defer { port.release() }
        try await withTestClient(quickConfiguration(server.clientURL)) { client in
            let responder = try await client.subscribe("r")
            await server.stop()
            try await eventually { !client.isConnected }
            let request = Task { try await client.request("x", to: "r", timeout: .seconds(60)) }
            try await eventually { client.statistics.outstandingRequests == 1 }
            try await server.restart()
            let message = try #require(try await responder.next(timeout: .seconds(30)))
            try await message.respond("y")
            #expect(try await request.value.string == "y")
        }
        await server.stop()
    }

    @Test("without reconnecting a lost connection is the end, for iterators too")
    func reconnectOff() async throws {
        let (server, port) = try await NATSTestServer.startOnReservedPort()
        defer { port.release() }
        var configuration = quickConfiguration(server.clientURL)
        configuration.allowReconnect = false
        let client = try await NATSClient.connect(configuration)
        let events = EventRecorder(client)
        let subscription = try await client.subscribe("a", confirm: true)
        let iterating = Task {
            for try await _ in subscription {}
        }
        await server.stop()
        await expectError(.disconnected) { try await iterating.value }
        await events.wait { if case .closed(.some) = $0 { true } else { false } }
        #expect(client.isClosed)
        #expect(events.names == ["disconnected", "closed"])
        await expectError(.connectionClosed) { try await client.publish("", to: "a") }
        await client.close()
    }

    @Test("after the limit of attempts the client gives up")
    func limit() async throws {
        let server = try ScriptedServer()
        var configuration = quickConfiguration(server.url)
        configuration.maxReconnects = 3
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let events = EventRecorder(client)
        await server.close()
        peer.close()
        await events.wait { if case .closed(.some(let error)) = $0 { error.code == .noServers } else { false } }
        #expect(events.names.filter { $0 == "reconnectAttemptFailed" }.count == 3)
        #expect(events.names.last == "closed")
        await client.close()
    }

    @Test("the same authentication error twice from one server ends the client")
    func authenticationTwice() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (first, _) = try await server.acceptClient()
        let client = try await connecting.value
        let events = EventRecorder(client)
        // The credentials were changed on the server: the live connection is closed, then the next is refused.
        await first.send("-ERR 'Authorization Violation'\r\n")
        first.close()
        let second = try await server.accept()
        await second.send(ScriptedServer.info() + "-ERR 'Authorization Violation'\r\n")
        await events.wait { if case .closed(.some(let error)) = $0 { error.code == .authorization } else { false } }
        #expect(client.lastError?.code == .authorization)
        await client.close()
        first.close()
        second.close()
        await server.close()
    }

    @Test("errors that concern one operation leave the connection alone; others wait for the server to close")
    func serverErrors() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let events = EventRecorder(client)
        let texts: [(String, NATSError.Code)] = [
            ("Invalid Subject", .badSubject), ("Something Unheard Of", .server), ("Stale Connection", .staleConnection),
            ("Permissions Violation for Publish to \"x\"", .permissionViolation),
        ]
        for (text, code) in texts {
            await peer.send("-ERR '\(text)'\r\n")
            await events.wait { if case .error(let error, nil) = $0 { error.code == code } else { false } }
        }
        #expect(client.isConnected)
        peer.close()
        await events.wait {
            if case .disconnected(.some(let error)) = $0 { error.code == .staleConnection } else { false }
        }
        let (again, _) = try await server.acceptClient()
        try await eventually { client.isConnected }
        await client.close()
        again.close()
        await server.close()
    }

    @Test("a refused subscription ends with the reason, also when it is confirmed")
    func refusedSubscription() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let events = EventRecorder(client)
        let confirming = Task { try await client.subscribe("no", queue: "q", confirm: true) }
        try await peer.expect("SUB no q 2\r\nPING\r\n")
        await peer.send("-ERR 'Permissions Violation for Subscription to \"no\" using queue \"q\"'\r\nPONG\r\n")
        await expectError(.permissionViolation) { _ = try await confirming.value }
        await events.wait { if case .error(_, .some(let subscription)) = $0 { subscription.sid == 2 } else { false } }

        let subscription = try await client.subscribe("later")
        let iterating = Task {
            for try await _ in subscription {}
        }
        try await peer.expect("SUB later 3\r\n")
        await peer.send("-ERR 'Permissions Violation for Subscription to \"later\" (sid \"3\")'\r\n")
        await expectError(.permissionViolation) { try await iterating.value }

        let newest = try await client.subscribe("newest")
        try await peer.expect("SUB newest 4\r\n")
        await peer.send("-ERR 'maximum subscriptions exceeded'\r\n")
        await expectError(.maximumSubscriptionsExceeded) { _ = try await newest.next(timeout: .seconds(30)) }
        #expect(client.isConnected)
        await client.close()
        peer.close()
        await server.close()
    }

    @Test("announced servers join the pool with an event, and take over when the first is lost")
    func discovery() async throws {
        let first = try ScriptedServer()
        let second = try ScriptedServer()
        var configuration = quickConfiguration("nats://user:pass@127.0.0.1:\(first.port)")
        configuration.name = "d"
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let (peer, _) = try await first.acceptClient()
        let client = try await connecting.value
        let events = EventRecorder(client)
        let announced = #","connect_urls":["127.0.0.1:\#(first.port)","127.0.0.1:\#(second.port)"],"connect_info":true"#
        await peer.send(ScriptedServer.info(maxPayload: 100, extra: announced))
        await events.wait {
            if case .discovered(let all) = $0 { all.contains("127.0.0.1:\(second.port)") } else { false }
        }
        #expect(client.serverInfo?.maxPayload == 100)
        await expectError(.maximumPayloadExceeded) {
            try await client.publish([UInt8](repeating: 0, count: 101), to: "a")
        }
        await peer.send(ScriptedServer.info(extra: #","ldm":true"#))
        await events.wait { if case .lameDuckMode = $0 { true } else { false } }
        await first.close()
        peer.close()
        let (next, connect) = try await second.acceptClient()
        #expect(connect.contains(#""user":"user","pass":"pass""#))
        try await eventually { client.serverInfo?.url == second.url }
        await client.close()
        next.close()
        await second.close()
    }

    @Test("a server that does not answer PING is left")
    func stale() async throws {
        let server = try ScriptedServer()
        var configuration = quickConfiguration(server.url)
        configuration.pingInterval = .milliseconds(20)
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        try await eventually { client.lastError?.code == .staleConnection }
        // The second PING may not have been written when the third was due.
        let bytes = String(decoding: try await peer.readToEnd(), as: UTF8.self)
        #expect(bytes == "PING\r\nPING\r\n" || bytes == "PING\r\n")
        await client.close()
        peer.close()
        await server.close()
    }

    @Test("every PONG answers the oldest PING")
    func pongOrder() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let first = Task { try await client.flush(timeout: .seconds(60)) }
        try await peer.expect("PING\r\n")
        first.cancel()
        await expectError(.cancelled) { try await first.value }
        let answered = Watched(false)
        let second = Task {
            try await client.flush(timeout: .seconds(60))
            answered.update { $0 = true }
        }
        try await peer.expect("PING\r\n")
        // The first PONG belongs to the cancelled flush; the PING behind it shows that it has been processed.
        await peer.send("PONG\r\nPING\r\n")
        try await peer.expect("PONG\r\n")
        #expect(!answered.value)
        await peer.send("PONG\r\n")
        try await second.value
        await client.close()
        peer.close()
        await server.close()
    }

    @Test("a server may leave so many PINGs unanswered as the configuration says", arguments: [0, 4])
    func unansweredPings(maximum: Int) async throws {
        let server = try ScriptedServer()
        var configuration = quickConfiguration(server.url)
        configuration.allowReconnect = false
        configuration.pingInterval = .milliseconds(20)
        configuration.maxPingsOut = maximum
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let bytes = String(decoding: try await peer.readToEnd(), as: UTF8.self)
        let count = bytes.utf8.count / 6
        #expect(bytes == String(repeating: "PING\r\n", count: count))
        // The last one may not have been written when the next was due.
        #expect(maximum == 0 ? count == 0 : (maximum - 1...maximum).contains(count), "\(count)")
        try await eventually(timeout: .seconds(60)) { client.isClosed }
        #expect(client.lastError?.code == .staleConnection)
        await client.close()
        peer.close()
        await server.close()
    }

    @Test(
        "without an interval no PING is sent but those of flushes, and none can be missing",
        arguments: [Duration.zero, .seconds(-1)]
    )
    func noInterval(_ interval: Duration) async throws {
        let server = try ScriptedServer()
        var configuration = quickConfiguration(server.url)
        configuration.allowReconnect = false
        configuration.pingInterval = interval
        configuration.maxPingsOut = 0
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        // A timer with such an interval would be due before the first of them.
        for _ in 0..<10 {
            let flush = Task { try await client.flush(timeout: .seconds(60)) }
            try await peer.expect("PING\r\n")
            await peer.send("PONG\r\n")
            try await flush.value
        }
        try await peer.expectNothing()
        #expect(client.isConnected && client.lastError == nil)
        await client.close()
        peer.close()
        await server.close()
    }
}
