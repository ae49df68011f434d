import NATSAuth
import NATSTestServer
import NATSTestSupport
import NATSWire
import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded
import Testing

@testable import NATSClient

/// What users of other NATS clients have complained of in public; each test fails if this client has the fault.
@Suite struct ComplaintsTests {
    /// A client of a server whose every byte the test says.
    private func withScriptedClient(
        _ change: (inout NATSClientConfiguration) -> Void = { _ in },
        _ body: (NATSClient, RawConnection, ScriptedServer) async throws -> Void
    ) async throws {
        let server = try ScriptedServer()
        var configuration = instantConfiguration(server.url)
        change(&configuration)
        async let connecting = NATSClient.connect(configuration)
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting
        do {
            try await body(client, peer, server)
        } catch {
            await client.close()
            throw error
        }
        await client.close()
        peer.close()
        await server.close()
    }

    /// A client behind a proxy that can break its connections, and one with a connection of its own.
    private func withClients(
        _ change: (inout NATSClientConfiguration) -> Void = { _ in },
        _ body: (NATSClient, NATSClient, FaultProxy) async throws -> Void
    ) async throws {
        try await NATSTestServer.withServer { server in
            let proxy = try await FaultProxy.start(to: server.port)
            let other = try await NATSClient.connect(quickConfiguration(server.clientURL))
            var configuration = instantConfiguration(proxy.url)
            change(&configuration)
            try await withTestClient(configuration) { client in
                try await body(client, other, proxy)
            }
            await other.close()
            await proxy.close()
        }
    }

    // MARK: Crashes and hangs

    @Test("complaint 1: a wait is ended twice, or never, by a time-out, a lost connection, a failed handshake, a close")
    func continuations() async throws {
        try await self.withClients { client, other, proxy in
            let responder = try await other.subscribe("echo", confirm: true)
            let responding = Task {
                for try await message in responder { try await message.respond("") }
            }
            let expected: Set<NATSError.Code?> = [nil, .timeout, .cancelled, .disconnected, .connectionClosed]
            await withTaskGroup(of: NATSError.Code?.self) { group in
                for index in 0..<400 {
                    group.addTask {
                        // The reply, the time-out, the loss and the cancellation race.
                        let work = Task { () -> NATSError.Code? in
                            await outcome {
                                if index.isMultiple(of: 3) {
                                    try await client.flush(timeout: .microseconds(index * 20))
                                } else {
                                    _ = try await client.request("", to: "echo", timeout: .microseconds(index * 20))
                                }
                            }
                        }
                        if index.isMultiple(of: 7) { work.cancel() }
                        if index.isMultiple(of: 50) { await proxy.cut(.reset) }
                        return await work.value
                    }
                }
                for await code in group { #expect(expected.contains(code), "\(String(describing: code))") }
            }
            let last = (0..<20).map { _ in
                Task { await outcome { try await client.request("", to: "echo", timeout: .seconds(120)) } }
            }
            await client.close()
            for task in last { #expect(expected.contains(await task.value)) }
            #expect(client.statistics.outstandingRequests == 0)
            responder.unsubscribe()
            try await responding.value
        }
        let server = try ScriptedServer()
        async let failing = outcome { try await NATSClient.connect(instantConfiguration(server.url)) }
        let peer = try await server.accept()
        await peer.send(ScriptedServer.info(extra: #","tls_required":true"#))
        #expect(await peer.wait { $0.bytes.first == 22 })
        await peer.send("no TLS at all")
        #expect(await failing == .tls)
        peer.close()
        await server.close()
    }

    @Test("complaint 2: reading crashes, by how bytes are cut or by what another client reads at the same time")
    func reading() async throws {
        var stream = ""
        for index in 0..<200 {
            let payload = String(repeating: "\(index % 10)", count: index * 3)
            stream += "MSG a 2 r \(payload.utf8.count)\r\n\(payload)\r\nPING\r\n-ERR 'Unheard Of'\r\n"
            stream += "HMSG a 2 18 \(18 + payload.utf8.count)\r\nNATS/1.0\r\nA: b\r\n\r\n\(payload)\r\n+OK\r\n"
        }
        let bytes = Array(stream.utf8)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for seed in 0..<4 {
                group.addTask {
                    try await self.withScriptedClient { client, peer, _ in
                        var random = SeededGenerator(seed: UInt64(seed))
                        let subscription = try await client.subscribe("a")
                        try await peer.expect("SUB a 2\r\n")
                        var rest = bytes[...]
                        while !rest.isEmpty {
                            let piece = rest.prefix(Int.random(in: 1...700, using: &random))
                            rest = rest.dropFirst(piece.count)
                            await peer.send(piece)
                        }
                        for index in 0..<200 {
                            for hasHeaders in [false, true] {
                                let message = try #require(try await subscription.next(timeout: .seconds(120)))
                                #expect(message.payloadSize == index * 3 && message.hasHeaders == hasHeaders)
                            }
                        }
                        #expect(client.isConnected)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("complaint 5: an abandoned client reconnects for ever, and giving up leaves iterators hanging")
    func abandoned() async throws {
        weak var core: ConnectionCore?
        let server = try ScriptedServer()
        do {
            async let connecting = NATSClient.connect(instantConfiguration(server.url))
            let (peer, _) = try await server.acceptClient()
            let client = try await connecting
            core = client.core
            await server.close()
            peer.close()
            try await eventually { !client.isConnected }
        }
        try await eventually("nothing of the client is left") { core == nil }

        try await self.withScriptedClient {
            $0.maxReconnects = 3
        } _: { client, peer, server in
            let subscription = try await client.subscribe("a")
            let iterating = Task { for try await _ in subscription {} }
            let listening = Task { [events = client.events] in for await _ in events {} }
            await server.close()
            peer.close()
            await expectError(.noServers) { try await iterating.value }
            await listening.value
            await expectError(.connectionClosed) { _ = try await client.subscribe("b") }
        }
    }

    @Test("complaint 8: waiting for a message cannot be limited, or ends the subscription when the time is over")
    func nextWithTimeLimit() async throws {
        try await self.withClients { client, other, _ in
            let subscription = try await client.subscribe("a", confirm: true)
            for round in 0..<20 {
                await expectError(.timeout) { _ = try await subscription.next(timeout: .milliseconds(2)) }
                try await other.publish("\(round)", to: "a")
                #expect(try await subscription.next(timeout: .seconds(120))?.string == "\(round)")
            }
            guard case .active = subscription.status else {
                Issue.record("\(subscription.status)")
                return
            }
        }
    }

    // MARK: Lost messages

    @Test("complaint 3: messages are dropped and nobody says so")
    func dropped() async throws {
        try await self.withClients { client, other, _ in
            let events = EventRecorder(client)
            let subscription = try await client.subscribe("a", limits: .init(messages: 10), confirm: true)
            for index in 0..<100 { try await other.publish("\(index)", to: "a") }
            try await other.flush()
            try await client.flush()
            await events.wait { if case .slowConsumer(let slow, _) = $0 { slow.subject == "a" } else { false } }
            #expect(subscription.droppedCount == 90 && subscription.statistics.pendingMessages == 10)
            await expectError(.slowConsumer) { _ = try await subscription.next(timeout: .seconds(120)) }
            for index in 0..<10 {
                #expect(try await subscription.next(timeout: .seconds(120))?.string == "\(index)")
            }
            try await other.publish("again", to: "a")
            #expect(try await subscription.next(timeout: .seconds(120))?.string == "again")
            await events.wait { if case .slowConsumerEnded(_, dropped: 90) = $0 { true } else { false } }
        }
    }

    @Test("complaint 4: a reconnect loses queue groups and maxima, or is over before the subscriptions are back")
    func replay() async throws {
        try await self.withClients { client, other, proxy in
            let members = [
                try await client.subscribe("q", queue: "g"), try await client.subscribe("q", queue: "g"),
            ]
            let limited = try await client.subscribe("q")
            limited.unsubscribe(after: 30)
            try await client.flush()
            for index in 0..<20 { try await other.publish("\(index)", to: "q") }
            try await other.flush()
            try await client.flush()
            let events = EventRecorder(client)
            await proxy.cut(.reset)
            await events.wait { if case .reconnected = $0 { true } else { false } }
            // A connection that counts as made has its subscriptions: one PONG later the server knows them.
            try await client.flush()
            for index in 20..<120 { try await other.publish("\(index)", to: "q") }
            try await other.flush()
            try await client.flush()
            #expect(members.reduce(0) { $0 + $1.statistics.pendingMessages } == 120)
            var count = 0
            for try await _ in limited { count += 1 }
            #expect(count == 30)
        }
    }

    @Test("complaint 10: a publish without a server succeeds and the message vanishes")
    func publishWithoutServer() async throws {
        typealias Policy = NATSClientConfiguration.DisconnectedPublish
        for policy in [Policy.buffer, .fail, .wait] {
            try await self.withClients {
                $0.disconnectedPublish = policy
                $0.reconnectBufferSize = 20_000
            } _: { client, other, proxy in
                let received = try await other.subscribe("a", confirm: true)
                proxy.refuse(true)
                await proxy.cut(.reset)
                try await eventually { !client.isConnected }
                await expectError(.timeout) { try await client.flush(timeout: .milliseconds(20)) }
                var accepted = 0
                var refusal: NATSError.Code?
                var waiting: Task<Void, any Error>?
                while refusal == nil, waiting == nil {
                    do throws(NATSError) {
                        try client.tryPublish("\(accepted)", to: "a")
                        accepted += 1
                    } catch {
                        refusal = error.code
                        if policy == .wait {
                            waiting = Task { try await client.publish("waited", to: "a") }
                        }
                    }
                }
                switch policy {
                case .buffer: #expect(refusal == .reconnectBufferExceeded && accepted > 100)
                case .fail: #expect(refusal == .disconnected && accepted == 0)
                case .wait: #expect(accepted > 100)
                }
                proxy.refuse(false)
                try await flushThrough(client)
                try await waiting?.value
                try await client.publish("mark", to: "a")
                let expected = (0..<accepted).map(String.init) + (policy == .wait ? ["waited"] : [])
                #expect(try await texts(received, until: "mark") == expected)
            }
        }
    }

    @Test("complaint 12: drain returns before it is done, and the program ends with messages unhandled")
    func drain() async throws {
        try await self.withClients { client, other, _ in
            let results = try await other.subscribe("results", confirm: true)
            let work = try await client.subscribe("work", confirm: true)
            let handled = Watched(0)
            let working = Task {
                for try await message in work {
                    for _ in 0..<5 { await Task.yield() }
                    try await client.publish(message.payload, to: "results")
                    handled.update { $0 += 1 }
                }
            }
            for index in 0..<300 { try await other.publish("\(index)", to: "work") }
            try await other.flush()
            // Somebody iterates.
            #expect(await handled.wait(timeout: .seconds(120)) { $0 > 0 })
            try await client.drain(timeout: .seconds(120))
            #expect(handled.value == 300 && client.isClosed)
            // The server has them all: what it was asked behind them is answered.
            try await other.flush()
            #expect(results.statistics.pendingMessages == 300)
            try await working.value
        }
    }

    @Test("complaint 13: what was published last is lost when the program ends without a flush")
    func scopeExit() async throws {
        try await NATSTestServer.withServer { server in
            let other = try await NATSClient.connect(quickConfiguration(server.clientURL))
            let received = try await other.subscribe("a", confirm: true)
            for round in 0..<10 {
                try await NATSClient.withClient(quickConfiguration(server.clientURL)) { client in
                    for _ in 0..<500 { try client.tryPublish("\(round)", to: "a") }
                }
                // The server had them before the scope was over.
                try await other.flush()
                #expect(received.statistics.pendingMessages == (round + 1) * 500)
            }
            await other.close()
        }
    }

    // MARK: Platforms and speed

    @Test("complaint 6: the client does not build or run on Linux")
    func platforms() async throws {
        // Connects where the tests run, with what needs cryptography, and with TLS in TLSTests; and what ties a client to one
        // platform is not in its sources.
        let keys = try NKeyPair(kind: .user)
        var options = NATSTestServer.Options()
        options.users = [.init(nkey: keys.publicKey.text)]
        try await NATSTestServer.withServer(options) { server in
            var configuration = quickConfiguration(server.clientURL)
            configuration.credentials = .nkey(seed: keys.seed)
            try await withTestClient(configuration) { client in try await client.flush() }
        }
        let directory = TestDependencies.packageRoot + "/Sources/NATSClient"
        let sources = try TestDependencies.texts(ofFilesIn: directory)
        #expect(sources.count > 30)
        for (name, text) in sources {
            for module in ["Foundation", "CryptoKit", "Combine", "Network", "os"] {
                #expect(!text.contains("import \(module)\n"), "\(name)")
            }
        }
    }

    /// A core on a loop and a channel that the test turns by hand.
    private func makeConnection() throws -> (EmbeddedChannel, ConnectionCore, EmbeddedEventLoop) {
        let loop = EmbeddedEventLoop()
        let address = ServerAddress(host: "h", port: 1)
        let core = ConnectionCore(
            configuration: quickConfiguration(),
            addresses: [address],
            eventLoop: loop,
            logger: nil
        )
        let handler = NATSChannelHandler(
            core: core,
            address: address,
            attempt: 0,
            wantsNoEcho: false,
            tls: .init(),
            credentials: .none
        ) { _ in ConnectPayload() }
        let channel = EmbeddedChannel(handler: handler, loop: loop)
        core.handler = handler
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try channel.writeInbound(ByteBuffer(string: ScriptedServer.info() + "PONG\r\n"))
        while try channel.readOutbound(as: ByteBuffer.self) != nil {}
        return (channel, core, loop)
    }

    private func publish(_ core: ConnectionCore, _ text: String) {
        let outcome = core.outbound.enqueue(text, to: "a", reply: nil, headers: NATSHeaders())
        guard case .accepted = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test("complaint 7: publishing is slow, a write and a wake-up for each message")
    func manyMessagesAreOneWrite() throws {
        let (channel, core, loop) = try self.makeConnection()
        for _ in 0..<5 {
            for _ in 0..<1000 { self.publish(core, "0123456789") }
            loop.run()
            loop.advanceTime(by: .milliseconds(1))
            var writes = 0
            var bytes = 0
            while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
                writes += 1
                bytes += buffer.readableBytes
            }
            #expect(bytes == 1000 * "PUB a 10\r\n0123456789\r\n".utf8.count)
            #expect(writes <= 2, "\(writes) writes for 1000 messages")
        }
        core.close(error: nil)
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test("complaint 16: a message waits for a periodic flusher")
    func oneMessageGoesAtOnce() throws {
        let (channel, core, loop) = try self.makeConnection()
        for _ in 0..<20 {
            self.publish(core, "x")
            // No time passes.
            loop.run()
            #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: "PUB a 1\r\nx\r\n"))
            loop.advanceTime(by: .milliseconds(10))
        }
        core.close(error: nil)
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    // MARK: Reconnecting

    @Test("complaint 9: the client gives up after some tries and stays dead")
    func neverGivesUp() async throws {
        #expect(NATSClientConfiguration().maxReconnects == nil)
        try await self.withClients { client, other, proxy in
            let subscription = try await client.subscribe("a", confirm: true)
            let failures = Watched(0)
            let counting = Task { [events = client.events] in
                for await event in events {
                    if case .reconnectAttemptFailed = event { failures.update { $0 += 1 } }
                }
            }
            proxy.refuse(true)
            await proxy.cut(.reset)
            // More than the 60 after which others are dead.
            #expect(await failures.wait(timeout: .seconds(120)) { $0 > 100 })
            #expect(client.state == .reconnecting)
            proxy.refuse(false)
            try await flushThrough(client)
            try await other.publish("x", to: "a")
            #expect(try await subscription.next(timeout: .seconds(120))?.string == "x")
            await client.close()
            await counting.value
        }
    }

    @Test("complaint 14: a request that a reconnect interrupts says that the client is closed")
    func errorWhileReconnecting() async throws {
        try await self.withClients { client, other, _ in
            let silent = try await other.subscribe("silent", confirm: true)
            for _ in 0..<5 {
                let request = Task { try await client.request("", to: "silent", timeout: .seconds(120)) }
                _ = try await silent.next(timeout: .seconds(120))
                try client.forceReconnect()
                await expectError(.disconnected) { _ = try await request.value }
                try await flushThrough(client)
            }
        }
    }

    @Test("complaint 17: a server that refuses the client is asked again and again without a pause")
    func noStorm() async throws {
        let server = try ScriptedServer()
        let wait = Duration.milliseconds(40)
        var configuration = quickConfiguration(server.url)
        configuration.reconnectWait = wait
        configuration.maxReconnectWait = wait
        configuration.retryOnFailedConnect = true
        configuration.ignoreAuthErrorAbort = true
        async let connecting = NATSClient.connect(configuration)
        let start = ContinuousClock.now
        for round in 0..<8 {
            let peer = try await server.accept()
            await peer.send(ScriptedServer.info())
            if round < 4 {
                await peer.send("-ERR 'Authorization Violation'\r\n")
            } else {
                // Let in, and thrown out at once.
                #expect(await peer.wait { $0.end != nil || $0.bytes.endOfFirst(Array("PING\r\n".utf8)) != nil })
                await peer.send("PONG\r\n-ERR 'Authorization Violation'\r\n")
            }
            peer.close()
        }
        // A wait before all but the first, of at least the time given; being slow is no fault here.
        #expect(ContinuousClock.now - start >= wait * 6)
        await (try connecting).close()
        await server.close()
    }

    @Test("complaint 19: discovered servers are addresses nobody can reach, without the name or the password")
    func discovered() async throws {
        let announced = #","connect_urls":["10.1.2.3:4222","10.1.2.4:4222"]"#
        for isIgnored in [true, false] {
            let server = try ScriptedServer()
            var configuration = quickConfiguration("nats://user:word@127.0.0.1:\(server.port)")
            configuration.ignoreDiscoveredServers = isIgnored
            async let connecting = NATSClient.connect(configuration)
            let (peer, connect) = try await server.acceptClient(info: ScriptedServer.info(extra: announced))
            #expect(connect.contains(#""user":"user","pass":"word""#))
            let client = try await connecting
            #expect(client.serverPool.count == (isIgnored ? 1 : 3))
            for server in client.core.status.withLockedValue({ $0.pool }) {
                #expect(server.address.user == "user" && server.address.password == "word")
            }
            await client.close()
            peer.close()
            await server.close()
        }
        // A certificate is for the name that was configured, not for the address that was announced.
        var random = SeededGenerator(seed: 1)
        var secure = ServerAddress(host: "nats.example.com", port: 4222)
        secure.isSecure = true
        var pool = ServerPool(
            addresses: [secure],
            randomize: false,
            ignoreDiscovered: false,
            maxReconnects: nil,
            random: &random
        )
        pool.connected(secure, isSecure: true)
        _ = pool.merge(connectURLs: ["10.1.2.3:4222"], random: &random)
        let found = try #require(pool.servers.first { $0.address.host == "10.1.2.3" })
        #expect(found.address.tlsName == "nats.example.com" && found.address.isSecure)
    }

    @Test("complaint 20: a lost connection has no cause")
    func causes() async throws {
        let texts: [(String, NATSError.Code)] = [
            ("-ERR 'Stale Connection'\r\n", .staleConnection), ("-ERR 'Slow Consumer'\r\n", .disconnected),
            ("", .disconnected), ("nonsense\r\n", .protocolViolation),
            ("-ERR 'Authentication Timeout'\r\n", .authenticationTimeout),
        ]
        for (text, code) in texts {
            try await self.withScriptedClient { client, peer, _ in
                let events = EventRecorder(client)
                await peer.send(text)
                peer.finishSending()
                await events.wait { if case .disconnected = $0 { true } else { false } }
                guard
                    case .disconnected(let cause) = events.recorded.value.first(where: { event in
                        if case .disconnected = event { true } else { false }
                    })
                else { return }
                #expect(cause?.code == code, "\(text): \(String(describing: cause))")
            }
        }
    }

    @Test("complaint 22: an error that concerns one operation ends the client for good")
    func harmlessErrors() async throws {
        try await self.withScriptedClient { client, peer, server in
            let subscription = try await client.subscribe("a")
            try await peer.expect("SUB a 2\r\n")
            for text in [
                "Invalid Subject", "Invalid Publish Subject", "Unheard Of",
                "Permissions Violation for Publish to \"x\"",
                "", "Maximum Payload Violation", "Unknown Protocol Operation",
            ] {
                await peer.send("-ERR '\(text)'\r\n")
            }
            await peer.send("MSG a 2 1\r\n1\r\n")
            // The connection ends when the server ends it, not before.
            #expect(try await subscription.next(timeout: .seconds(120))?.string == "1")
            #expect(client.isConnected && !client.isClosed)
            var current = peer
            for fatal in ["Maximum Payload Violation", "Unknown Protocol Operation", "Parser Error", "Invalid Subject"]
            {
                await current.send("-ERR '\(fatal)'\r\n")
                current.close()
                (current, _) = try await server.acceptClient()
                try await current.expect("SUB a 2\r\n")
                await current.send("MSG a 2 1\r\n2\r\n")
                #expect(try await subscription.next(timeout: .seconds(120))?.string == "2")
            }
            #expect(!client.isClosed)
            current.close()
        }
    }

    // MARK: Errors and surprises

    @Test(
        "complaint 11: what the server forbids is not told, and a request ends in a time-out",
        arguments: ServerUnderTest.oneEach
    )
    func permissions(_ server: ServerUnderTest) async throws {
        let permissions = NATSTestServer.Permissions(
            publish: .init(deny: ["secret.>"]),
            subscribe: .init(deny: ["secret.>"])
        )
        let configuration = ServerConfiguration(users: [.init(name: "u", password: "p", permissions: permissions)])
        try await server.withServer(configuration) { running in
            var configuration = quickConfiguration(running.url)
            configuration.credentials = .userPassword(user: "u", password: "p")
            try await withTestClient(configuration) { client in
                let events = EventRecorder(client)
                // The time limit is one that no test reaches.
                await expectError(.permissionViolation) {
                    _ = try await client.request("", to: "secret.r", timeout: .seconds(600))
                }
                await expectError(.permissionViolation) { _ = try await client.subscribe("secret.a", confirm: true) }
                await expectError(.permissionViolation) {
                    _ = try await client.subscribe("secret.a", queue: "q", confirm: true)
                }
                let unconfirmed = try await client.subscribe("secret.b")
                await expectError(.permissionViolation) { _ = try await unconfirmed.next(timeout: .seconds(600)) }
                try await client.publish("", to: "secret.p")
                await events.wait {
                    if case .error(let error, nil) = $0 { error.permission?.subject == "secret.p" } else { false }
                }
                #expect(client.isConnected)
            }
        }
    }

    @Test("complaint 15: requests that nobody answers leave something behind")
    func requestsWithoutReply() async throws {
        try await self.withClients { client, other, _ in
            let silent = try await other.subscribe("silent", confirm: true)
            await withTaskGroup(of: NATSError.Code?.self) { group in
                for index in 0..<300 {
                    group.addTask {
                        let task = Task {
                            await outcome { try await client.request("", to: "silent", timeout: .milliseconds(10)) }
                        }
                        if index.isMultiple(of: 3) { task.cancel() }
                        return await task.value
                    }
                }
                for await code in group {
                    #expect(code == .timeout || code == .cancelled, "\(String(describing: code))")
                }
            }
            #expect(client.statistics.outstandingRequests == 0)
            silent.unsubscribe()
        }
    }

    @Test("complaint 18: a slow consumer is told of every message that it loses")
    func oneEventForEachEpisode() async throws {
        try await self.withClients { client, other, _ in
            let events = EventRecorder(client)
            let subscription = try await client.subscribe("a", limits: .init(messages: 10), confirm: true)
            for episode in 1...3 {
                for _ in 0..<500 { try await other.publish("x", to: "a") }
                try await other.flush()
                try await client.flush()
                while subscription.statistics.pendingMessages > 0 {
                    _ = await outcome { try await subscription.next(timeout: .seconds(120)) }
                }
                // The next message that finds room ends the episode.
                try await other.publish("x", to: "a")
                #expect(try await subscription.next(timeout: .seconds(120)) != nil)
                let ended = await events.recorded.wait { all in
                    all.count { if case .slowConsumerEnded = $0 { true } else { false } } == episode
                }
                #expect(ended)
                #expect(events.names.count { $0 == "slowConsumer" } == episode)
            }
            #expect(subscription.droppedCount == 3 * 490)
        }
    }

    @Test("complaint 21: handlers run one at a time, whatever was expected")
    func concurrentHandlers() async throws {
        try await self.withClients { client, other, _ in
            let running = Watched(0)
            let handling = Task {
                try await client.handle("work.*", concurrency: 4) { message in
                    guard message.subject != "work.ready" else { return try await message.respond("") }
                    running.update { $0 += 1 }
                    // Goes on only when all four are there.
                    _ = await running.wait(timeout: .seconds(120)) { $0 >= 4 }
                }
            }
            try await eventually { await outcome { try await other.request("", to: "work.ready") } == nil }
            for _ in 0..<4 { try await other.publish("", to: "work.a") }
            #expect(await running.wait(timeout: .seconds(120)) { $0 == 4 })
            handling.cancel()
            _ = await handling.result
        }
    }
}
