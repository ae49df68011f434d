import NATSTestServer
import NATSTestSupport
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import NATSClient

@Suite("connections within the process")
struct InProcessTests {
    /// A client of the server that could not find it by its URL.
    private func configuration(_ server: NATSTestServer) -> NATSClientConfiguration {
        var configuration = quickConfiguration("nats://nowhere.invalid:1")
        configuration.secureReconnectJitter = .zero
        configuration.dialer = { _, _, eventLoop in try await server.connectInProcess(on: eventLoop) }
        return configuration
    }

    @Test("messages of all sizes come and go, and /connz shows a client like any other")
    func works() async throws {
        var options = NATSTestServer.Options()
        options.monitoring = true
        options.eventLoopCount = 2
        try await NATSTestServer.withServer(options) { server in
            var configuration = self.configuration(server)
            configuration.name = "inside"
            try await withTestClient(configuration) { client in
                #expect(client.serverInfo?.clientIP?.isEmpty ?? true)
                let subscription = try await client.subscribe("a", confirm: true)
                for size in [0, 1, 100_000, 1_048_576] {
                    try await client.publish(String(repeating: "x", count: size), to: "a")
                    #expect(try await subscription.next(timeout: .seconds(30))?.payloadSize == size)
                }
                // With a client by TCP on the same server.
                try await withTestClient(quickConfiguration(server.clientURL)) { other in
                    try await other.publish("by TCP", to: "a")
                    #expect(try await subscription.next(timeout: .seconds(30))?.string == "by TCP")
                }
                let port = try #require(server.monitoringURL?.split(separator: ":").last.flatMap { Int($0) })
                let page = try await RawConnection.connect(port: port).fetch("/connz").text
                #expect(page.contains(#""kind": "Client""#) && page.contains(#""type": "nats""#), "\(page)")
                #expect(page.contains(#""ip": """#) && page.contains(#""port": 0"#), "\(page)")
                #expect(page.contains(#""name": "inside""#), "\(page)")
            }
            let statistics = await server.statistics()
            #expect(statistics.totalConnections == 2)
        }
    }

    @Test("a server that stops ends the connection; one that starts again is connected to again")
    func restart() async throws {
        let (server, port) = try await NATSTestServer.startOnReservedPort()
        try await withTestClient(self.configuration(server)) { client in
            let subscription = try await client.subscribe("a", confirm: true)
            await server.stop()
            try await eventually { !client.isConnected }
            do {
                _ = try await server.connectInProcess(on: MultiThreadedEventLoopGroup.singleton.any())
                Issue.record("connected to a server that does not run")
            } catch {
                #expect(error is NATSTestServerError, "\(error)")
            }
            try await server.restart()
            try await eventually { client.isConnected }
            try await client.publish("again", to: "a")
            #expect(try await subscription.next(timeout: .seconds(30))?.string == "again")
        }
        await server.stop()
        port.release()
    }

    @Test("a password is asked for here too")
    func credentials() async throws {
        var options = NATSTestServer.Options()
        options.user = "joe"
        options.password = "secret"
        try await NATSTestServer.withServer(options) { server in
            var configuration = self.configuration(server)
            await expectError(.authorization) { [configuration] in _ = try await NATSClient.connect(configuration) }
            configuration.credentials = .userPassword(user: "joe", password: "secret")
            try await withTestClient(configuration) { client in try await client.flush() }
        }
    }

    @Test(
        "TLS is not required within a process, and made if it is wanted",
        // Both at once would be a race: the server waits 50 ms for a handshake.
        arguments: [(false, false), (true, false), (false, true)]
    )
    func tls(wanted: Bool, first: Bool) async throws {
        let authority = try TestAuthority()
        let certificate = try authority.server(dnsNames: ["inside.example"])
        var options = NATSTestServer.Options()
        options.tls = NATSTestServer.TLS(
            certificate: .text(certificate.certificateText),
            key: .text(certificate.keyText)
        )
        options.tls?.timeout = .seconds(30)
        options.authTimeout = .seconds(60)
        if first { options.tls?.handshakeFirst = .on }
        try await NATSTestServer.withServer(options) { server in
            var configuration = self.configuration(server)
            if wanted {
                configuration.tls.trustRoots = .text(authority.text)
                configuration.tls.serverName = "inside.example"
            }
            try await withTestClient(configuration) { client in
                let subscription = try await client.subscribe("a", confirm: true)
                try await client.publish("hi", to: "a")
                #expect(try await subscription.next(timeout: .seconds(30))?.string == "hi")
            }
        }
    }

    @Test("many clients at once, while the server stops")
    func shutdown() async throws {
        let server = try await NATSTestServer.start()
        await withTaskGroup(of: Void.self) { tasks in
            for _ in 0..<20 {
                tasks.addTask {
                    while let channel = try? await server.connectInProcess(
                        on: MultiThreadedEventLoopGroup.singleton.any()
                    ) {
                        try? await channel.close()
                    }
                }
            }
            await server.stop()
        }
    }

    @Test("an event loop without sockets is refused")
    func otherLoop() async throws {
        try await NATSTestServer.withServer { server in
            let loop = NIOAsyncTestingEventLoop()
            await #expect(throws: NATSTestServerError.self) { _ = try await server.connectInProcess(on: loop) }
            await loop.shutdownGracefully()
        }
    }

    @Test("nothing of client and server outlives them")
    func lifetimes() async throws {
        weak var core: ConnectionCore?
        weak var held: NATSTestServer?
        do {
            let server = try await NATSTestServer.start()
            held = server
            try await withTestClient(self.configuration(server)) { client in
                core = client.core
                try await client.flush()
            }
            await server.stop()
        }
        try await eventually("both are gone") { core == nil && held == nil }
    }
}
