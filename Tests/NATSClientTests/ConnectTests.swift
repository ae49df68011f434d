import NATSTestServer
import NATSTestSupport
import NATSWire
import NIOCore
import NIOPosix
import Testing

@testable import NATSClient

@Suite struct ConnectTests {
    @Test("a client connects, knows its server, and is done when it is closed")
    func connects() async throws {
        var options = NATSTestServer.Options()
        options.serverName = "S1"
        try await NATSTestServer.withServer(options) { server in
            let client = try await NATSClient.connect(quickConfiguration(server.clientURL))
            #expect(client.isConnected && !client.isClosed)
            #expect(client.serverInfo?.name == "S1")
            #expect(client.serverInfo?.id == server.serverID)
            #expect(client.serverInfo?.url == server.clientURL)
            #expect(client.serverInfo?.maxPayload == 1_048_576)
            #expect(client.serverInfo?.supportsHeaders == true)
            #expect(try await client.rtt() > .zero)
            await client.close()
            await client.close()
            #expect(client.isClosed && !client.isConnected)
            await expectError(.connectionClosed) { try await client.publish("", to: "a") }
            await expectError(.connectionClosed) { _ = try await client.subscribe("a") }
            await expectError(.connectionClosed) { _ = try await client.request("", to: "a") }
            await expectError(.connectionClosed) { try await client.flush() }
            await expectError(.connectionClosed) { try await client.drain() }
            await expectError(.disconnected) { _ = try await client.rtt() }
        }
    }

    @Test("CONNECT says what the configuration says")
    func connectPayload() async throws {
        let server = try ScriptedServer()
        var configuration = quickConfiguration("nats://url%20user:url%3Apass@127.0.0.1:\(server.port)")
        configuration.name = "n\"1"
        configuration.noEcho = true
        configuration.verbose = true
        configuration.pedantic = true
        configuration.credentials = .token("not used: the URL wins")
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let (peer, text) = try await server.acceptClient()
        let client = try await connecting.value
        let connect = try ConnectPayload(json: Array(text.utf8))
        #expect(connect.name == "n\"1" && !connect.echo && connect.verbose && connect.pedantic)
        #expect(connect.user == "url user" && connect.password == "url:pass" && connect.authToken.isEmpty)
        #expect(connect.lang == "swift" && connect.proto == 1 && connect.headers && connect.noResponders)
        await client.close()
        peer.close()
        await server.close()
    }

    @Test("no responders is asked for only from servers that support headers")
    func oldServer() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (peer, text) = try await server.acceptClient(info: ScriptedServer.info(headers: false))
        let client = try await connecting.value
        let connect = try ConnectPayload(json: Array(text.utf8))
        #expect(!connect.headers && !connect.noResponders && !connect.verbose && !connect.pedantic && connect.echo)
        await expectError(.headersNotSupported) { try await client.publish("", to: "a", headers: ["a": "b"]) }
        await client.close()
        peer.close()
        await server.close()
    }

    @Test("nobody listening anywhere is noServers")
    func refused() async throws {
        let first = try ReservedPort()
        let second = try ReservedPort()
        defer { for port in [first, second] { port.release() } }
        await expectError(.noServers) {
            _ = try await NATSClient.connect(quickConfiguration(first.url, second.url))
        }
    }

    @Test("the first server that accepts the client is taken, in the order given")
    func failover() async throws {
        let closed = try ReservedPort()
        defer { closed.release() }
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(closed.url, server.clientURL)) { client in
                #expect(client.serverInfo?.url == server.clientURL)
            }
        }
    }

    @Test("credentials come from the URL or the configuration, and wrong ones are a typed error")
    func authorization() async throws {
        var options = NATSTestServer.Options()
        options.authTimeout = .seconds(60)
        options.user = "u"
        options.password = "p"
        try await NATSTestServer.withServer(options) { server in
            let address = "127.0.0.1:\(server.port)"
            try await withTestClient(quickConfiguration("nats://u:p@\(address)")) { try await $0.flush() }
            var configuration = quickConfiguration(server.clientURL)
            configuration.credentials = .userPassword(user: "u", password: "p")
            try await withTestClient(configuration) { try await $0.flush() }
            await expectError(.authorization) { _ = try await NATSClient.connect(quickConfiguration(address)) }
            configuration.credentials = .userPassword(user: "u", password: "wrong")
            await expectError(.authorization) { [configuration] in _ = try await NATSClient.connect(configuration) }
        }
        var tokenOptions = NATSTestServer.Options()
        tokenOptions.authTimeout = .seconds(60)
        tokenOptions.token = "t"
        try await NATSTestServer.withServer(tokenOptions) { server in
            let address = "127.0.0.1:\(server.port)"
            try await withTestClient(quickConfiguration("nats://t@\(address)")) { try await $0.flush() }
            var configuration = quickConfiguration(server.clientURL)
            configuration.credentials = .token("t")
            try await withTestClient(configuration) { try await $0.flush() }
            await expectError(.authorization) {
                _ = try await NATSClient.connect(quickConfiguration("nats://x@\(address)"))
            }
        }
    }

    @Test("configurations that cannot work are refused")
    func invalidConfigurations() async throws {
        var configuration = NATSClientConfiguration(servers: ["nats://127.0.0.1:99999"])
        await expectError(.invalidConfiguration) { [configuration] in _ = try await NATSClient.connect(configuration) }
        for prefix in ["", "a.", "a.*", "a b", ">"] {
            configuration = NATSClientConfiguration()
            configuration.inboxPrefix = prefix
            await expectError(.invalidConfiguration) { [configuration] in
                _ = try await NATSClient.connect(configuration)
            }
        }
        configuration = NATSClientConfiguration()
        configuration.pendingLimits = .init(messages: 0)
        await expectError(.invalidConfiguration) { [configuration] in _ = try await NATSClient.connect(configuration) }
    }

    @Test(
        "a server that says something else first is no NATS server",
        arguments: [
            "HTTP/1.1 400 Bad Request\r\n\r\n", "PING\r\n", "+OK\r\n", "PONG\r\n", "MSG a 1 0\r\n\r\n", "\0\u{1}",
        ]
    )
    func noInfo(greeting: String) async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let peer = try await server.accept()
        await peer.send(greeting)
        await expectError(.noInfoReceived) { _ = try await connecting.value }
        peer.close()
        await server.close()
    }

    @Test(
        "an INFO that is no INFO is a protocol violation",
        arguments: ["INFO\r\n", "INFO {\r\n", "INFO []\r\n", "INFO {\"port\":\"x\"}\r\n", "INFO {} x\r\n"]
    )
    func malformedInfo(line: String) async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let peer = try await server.accept()
        await peer.send(line)
        await expectError(.protocolViolation) { _ = try await connecting.value }
        peer.close()
        await server.close()
    }

    @Test("the server's reason for a refusal is the error")
    func serverErrors() async throws {
        let cases: [(String, NATSError.Code)] = [
            ("maximum connections exceeded", .maximumConnectionsExceeded),
            ("Authentication Timeout", .authenticationTimeout), ("invalid client protocol", .server),
        ]
        for (text, code) in cases {
            let server = try ScriptedServer()
            let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
            let peer = try await server.accept()
            await peer.send(ScriptedServer.info() + "-ERR '\(text)'\r\n")
            await expectError(code) { _ = try await connecting.value }
            peer.close()
            await server.close()
        }
    }

    @Test("a silent server is a timeout, and so is one that stops after INFO")
    func timeouts() async throws {
        for greeting in ["", ScriptedServer.info()] {
            let server = try ScriptedServer()
            var configuration = quickConfiguration(server.url)
            configuration.connectTimeout = .milliseconds(50)
            // Whether the server gets that far in time does not matter.
            let serving = Task {
                let peer = try await server.accept()
                await peer.send(greeting)
                return peer
            }
            await expectError(.timeout) { [configuration] in _ = try await NATSClient.connect(configuration) }
            serving.cancel()
            try? await serving.value.close()
            await server.close()
        }
    }

    @Test("cancelling connect ends it and its socket")
    func cancellation() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let peer = try await server.accept()
        connecting.cancel()
        await expectError(.cancelled) { _ = try await connecting.value }
        try await peer.expectEnd()
        peer.close()
        await server.close()
    }

    @Test("with retryOnFailedConnect the client exists before its server does")
    func retry() async throws {
        let (server, port) = try await NATSTestServer.startOnReservedPort()
        defer { port.release() }
        await server.stop()
        var configuration = quickConfiguration(server.clientURL)
        configuration.retryOnFailedConnect = true
        try await withTestClient(configuration) { client in
            let events = EventRecorder(client)
            #expect(!client.isConnected)
            let subscription = try await client.subscribe("early")
            try await client.publish("kept", to: "early")
            try await server.restart()
            await events.wait { if case .connected = $0 { true } else { false } }
            #expect(try await subscription.next(timeout: .seconds(30))?.string == "kept")
            #expect(client.statistics.reconnects == 0)
        }
        await server.stop()
    }

    @Test("withClient drains when its body returns and closes when it throws")
    func scoped() async throws {
        struct Failure: Error {}
        try await NATSTestServer.withServer { server in
            let other = try await NATSClient.connect(quickConfiguration(server.clientURL))
            let received = try await other.subscribe("a", confirm: true)
            var kept: NATSClient?
            let result = try await NATSClient.withClient(quickConfiguration(server.clientURL)) { client in
                kept = client
                for index in 0..<1000 {
                    try await client.publish("\(index)", to: "a")
                }
                return 7
            }
            #expect(result == 7 && kept?.isClosed == true)
            for index in 0..<1000 {
                #expect(try await received.next(timeout: .seconds(30))?.string == "\(index)")
            }
            await #expect(throws: Failure.self) {
                try await NATSClient.withClient(quickConfiguration(server.clientURL)) { client in
                    kept = client
                    throw Failure()
                }
            }
            #expect(kept?.isClosed == true)
            await other.close()
        }
    }

    @Test("the connection goes with the last reference to the client and its subscriptions")
    func abandoned() async throws {
        let server = try ScriptedServer()
        var connecting: Task<NATSClient, any Error>? = Task {
            try await NATSClient.connect(quickConfiguration(server.url))
        }
        let (peer, _) = try await server.acceptClient()
        var client = try await connecting?.value
        connecting = nil
        var subscription = try await client?.subscribe("a")
        try await peer.expect("SUB a 2\r\n")
        client = nil
        // The subscription still holds the connection.
        await peer.send("MSG a 2 2\r\nhi\r\n")
        #expect(try await subscription?.next(timeout: .seconds(30))?.string == "hi")
        subscription = nil
        try await peer.expect("UNSUB 2\r\n", thenEndWithin: .seconds(30))
        peer.close()
        await server.close()
    }

    @Test("an abandoned client stops reconnecting")
    func abandonedWhileReconnecting() async throws {
        let server = try ScriptedServer()
        var connecting: Task<NATSClient, any Error>? = Task {
            try await NATSClient.connect(quickConfiguration(server.url))
        }
        let (peer, _) = try await server.acceptClient()
        weak var core: ConnectionCore?
        do {
            let client = try #require(try await connecting?.value)
            core = client.core
            await server.close()
            peer.close()
            try await eventually { !client.isConnected }
        }
        // The task holds its result; the client goes with it.
        connecting = nil
        try await eventually("the inner half is gone") { core == nil }
    }

    @Test("a logger gets a line for each step of a connection, and no password")
    func log() async throws {
        var options = NATSTestServer.Options()
        options.authTimeout = .seconds(60)
        options.user = "u"
        options.password = "s3cret"
        let (server, port) = try await NATSTestServer.startOnReservedPort(options)
        defer { port.release() }
        let log = CollectedLog()
        let configuration = quickConfiguration(server.clientURL(user: "u", password: "s3cret"))
        try await NATSClient.withClient(configuration, logger: log.logger) { client in
            try await server.restart()
            try await eventually(timeout: .seconds(60)) { client.statistics.reconnects > 0 && client.isConnected }
        }
        let (connecting, connected) = ("[DBG] connecting to NATS server", "[DBG] connected to NATS server")
        let lost = "[DBG] lost the connection to NATS server"
        // Attempts may have failed while the server was away.
        let steps = log.lines.filter { [connecting, connected, lost].contains($0) }
        let changes = steps.indices.filter { $0 == 0 || steps[$0 - 1] != steps[$0] }.map { steps[$0] }
        #expect(changes == [connecting, connected, lost, connecting, connected])
        #expect(log.detailedLines.first == "\(connecting) nats.server=\(server.clientURL)")

        let refused = CollectedLog()
        var wrong = quickConfiguration(server.clientURL)
        wrong.credentials = .userPassword(user: "u", password: "wr0ng")
        await expectError(.authorization) { [wrong] in
            _ = try await NATSClient.connect(wrong, logger: refused.logger)
        }
        #expect(refused.lines == [connecting, "[DBG] cannot connect to NATS server"])
        for line in log.detailedLines + refused.detailedLines {
            #expect(!line.contains("s3cret") && !line.contains("wr0ng"))
        }
        await server.stop()
    }

    @Test("servers are tried in random order, or in that of the configuration", arguments: [true, false])
    func order(isRandom: Bool) async throws {
        let ports = try (0..<20).map { _ in try ReservedPort() }
        defer { for port in ports { port.release() } }
        let urls = ports.map(\.url)
        var configuration = quickConfiguration()
        configuration.servers = urls
        configuration.randomizeServers = isRandom
        // The client is there after the first pass, and does not begin another one.
        configuration.retryOnFailedConnect = true
        configuration.reconnectWait = .seconds(3600)
        try await withTestClient(configuration) { client in
            let order = client.serverPool.map(\.url)
            #expect((order == urls) != isRandom)
            #expect(order.sorted() == urls.sorted())
        }
    }

    @Test("what is not set is as documented")
    func defaults() {
        let configuration = NATSClientConfiguration()
        #expect(configuration.servers == ["nats://127.0.0.1:4222"])
        #expect(configuration.name == nil)
        #expect(configuration.inboxPrefix == "_INBOX")
        #expect(configuration.addressOrder == .any)

        #expect(configuration.connectTimeout == .seconds(2))
        #expect(configuration.reconnectWait == .milliseconds(50))
        #expect(configuration.maxReconnectWait == .seconds(2))
        #expect(configuration.reconnectJitter == .milliseconds(100))
        #expect(configuration.secureReconnectJitter == .seconds(1))
        #expect(configuration.pingInterval == .seconds(120))
        #expect(configuration.writeTimeout == .seconds(60))
        #expect(configuration.requestTimeout == .seconds(5))
        #expect(configuration.drainTimeout == .seconds(30))

        #expect(configuration.maxPingsOut == 2)
        #expect(configuration.maxReconnects == nil)
        #expect(configuration.reconnectBufferSize == 8 << 20)
        #expect(configuration.publishHighWaterMark == 1 << 20)
        #expect(configuration.writeBufferSize == 256 << 10)
        let limits = NATSClientConfiguration.PendingLimits(messages: 500_000, bytes: 64 << 20, policy: .dropNewest)
        #expect(configuration.pendingLimits == limits)
        #expect(NATSClientConfiguration.PendingLimits() == limits)

        #expect(configuration.disconnectedPublish == .buffer)
        #expect(configuration.lameDuck == .notify)
        #expect(configuration.randomizeServers && configuration.allowReconnect)
        #expect(configuration.validatesPublishSubjects)
        #expect(!configuration.ignoreDiscoveredServers && !configuration.ignoreAuthErrorAbort)
        #expect(!configuration.retryOnFailedConnect && !configuration.waitsBeforeFirstReconnect)
        #expect(!configuration.noEcho && !configuration.verbose && !configuration.pedantic)
        #expect(!configuration.tls.isWanted && !configuration.webSocket.compression)
        #expect(configuration.proxy == nil && configuration.dialer == nil && configuration.eventLoopGroup == nil)
        #expect(configuration.reconnectToServer == nil && configuration.reconnectDelay == nil)
        if case .none = configuration.credentials.kind {} else { Issue.record("there are credentials") }
    }

    @Test("closing writes what is buffered")
    func closeWrites() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let core = client.core
        try await core.eventLoop.submit {
            for index in 0..<1000 {
                try client.tryPublish("\(index)", to: "a")
            }
            // No other write comes in between.
            core.close(error: nil)
        }.get()
        await client.close()
        let expected = (0..<1000).map { "PUB a \("\($0)".utf8.count)\r\n\($0)\r\n" }.joined()
        try await peer.expect(expected, thenEndWithin: .seconds(120))
        peer.close()
        await server.close()
    }

    @Test("a server that refuses the credentials for good gets nothing of what is buffered")
    func refusedGetsNothing() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (first, _) = try await server.acceptClient()
        let client = try await connecting.value
        let events = EventRecorder(client)
        await first.send("-ERR 'Authorization Violation'\r\n")
        first.close()
        let second = try await server.accept(timeout: .seconds(120))
        try await client.publish("kept", to: "a")
        #expect(client.statistics.bufferedBytes > 0)
        await second.send(ScriptedServer.info() + "-ERR 'Authorization Violation'\r\n")
        await events.wait { if case .closed(.some(let error)) = $0 { error.code == .authorization } else { false } }
        let bytes = String(decoding: try await second.readToEnd(), as: UTF8.self)
        #expect(!bytes.contains("PUB"), "\(bytes)")
        await client.close()
        second.close()
        await server.close()
    }

    @Test("with retryOnFailedConnect the client closes when its last server is given up")
    func retryGivesUp() async throws {
        let port = try ReservedPort()
        defer { port.release() }
        var configuration = quickConfiguration(port.url)
        configuration.retryOnFailedConnect = true
        configuration.maxReconnects = 2
        // The second attempt comes when it is asked for.
        configuration.reconnectDelay = { _ in .seconds(3600) }
        let client = try await NATSClient.connect(configuration)
        #expect(client.state == .reconnecting && client.serverPool.first?.failedAttempts == 1)
        let events = EventRecorder(client)
        let subscription = try await client.subscribe("a")
        let waiting = Task { try await subscription.next(timeout: .seconds(120)) }
        try client.forceReconnect()
        await events.wait { if case .closed(.some(let error)) = $0 { error.code == .noServers } else { false } }
        #expect(events.names == ["reconnectAttemptFailed", "closed"])
        await expectError(.noServers) { _ = try await waiting.value }
        #expect(client.isClosed && client.lastError?.code == .noServers)
        await expectError(.connectionClosed) { try await client.publish("", to: "a") }
        await client.close()
    }

    @Test("with retryOnFailedConnect credentials that are refused twice close the client")
    func retryRefused() async throws {
        let server = try ScriptedServer()
        var configuration = quickConfiguration(server.url)
        configuration.retryOnFailedConnect = true
        configuration.connectTimeout = .seconds(120)
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let refusal = ScriptedServer.info() + "-ERR 'Authorization Violation'\r\n"
        let first = try await server.accept(timeout: .seconds(120))
        await first.send(refusal)
        let client = try await connecting.value
        let events = EventRecorder(client)
        let second = try await server.accept(timeout: .seconds(120))
        #expect(!client.isClosed)
        await second.send(refusal)
        await events.wait { if case .closed(.some(let error)) = $0 { error.code == .authorization } else { false } }
        #expect(events.names == ["reconnectAttemptFailed", "closed"])
        await client.close()
        #expect(server.acceptedCount == 2)
        first.close()
        second.close()
        await server.close()
    }

    @Test("a client lives on the event loop group that it is given, else on NIO's shared one")
    func eventLoopGroup() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        try await NATSTestServer.withServer { server in
            var configuration = quickConfiguration(server.clientURL)
            try await withTestClient(configuration) { client in
                let shared = Array(MultiThreadedEventLoopGroup.singleton.makeIterator())
                #expect(shared.contains { $0 === client.core.eventLoop })
            }
            configuration.eventLoopGroup = group
            try await withTestClient(configuration) { client in
                let core = client.core
                #expect(core.eventLoop === group.any())
                let isOnLoop = try await core.eventLoop.submit {
                    core.handler?.context?.channel.eventLoop === core.eventLoop
                }.get()
                #expect(isOnLoop)
            }
        }
        try await group.shutdownGracefully()
    }
}
