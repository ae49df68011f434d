import NATSTestServer
import NATSTestSupport
import Testing

@testable import NATSClient

/// Connections that stay open and carry nothing, or little, or only one way.
@Suite struct StalledConnectionTests {
    @Test(
        "a server of which nothing comes any more is left, and what waits is told",
        arguments: ServerUnderTest.oneEach
    )
    func nothingComes(_ server: ServerUnderTest) async throws {
        try await server.withServer { running in
            let proxy = try await FaultProxy.start(to: running.port)
            var configuration = quickConfiguration(proxy.url)
            configuration.pingInterval = .seconds(1)
            try await withTestClient(configuration) { client in
                let events = EventRecorder(client)
                let subscription = try await client.subscribe("a", confirm: true)
                await proxy.cut(.stall, .toClient)
                async let flush = outcome { try await client.flush(timeout: .seconds(120)) }
                async let request = outcome { try await client.request("", to: "a", timeout: .seconds(120)) }
                #expect(await flush == .disconnected)
                #expect(await request == .disconnected)
                await events.wait {
                    if case .disconnected(.some(let error)) = $0 { error.code == .staleConnection } else { false }
                }
                try await flushThrough(client)
                try await client.publish("x", to: "a")
                // What was sent into the void may have been received there, and may not.
                _ = try await texts(subscription, until: "x")
            }
            await proxy.close()
        }
    }

    @Test(
        "a server that takes nothing any more is left, and publishes that waited for room go on",
        arguments: ServerUnderTest.oneEach
    )
    func nothingGoes(_ server: ServerUnderTest) async throws {
        try await server.withServer { running in
            let proxy = try await FaultProxy.start(to: running.port)
            let receiver = try await NATSClient.connect(quickConfiguration(running.url))
            let received = try await receiver.subscribe("end", confirm: true)
            var configuration = quickConfiguration(proxy.url)
            configuration.writeTimeout = .milliseconds(500)
            configuration.publishHighWaterMark = 100_000
            configuration.disconnectedPublish = .wait
            try await withTestClient(configuration) { client in
                let events = EventRecorder(client)
                await proxy.cut(.stall, .toServer)
                let publishing = Task {
                    let payload = [UInt8](repeating: 0, count: 100_000)
                    while client.statistics.reconnects == 0 {
                        try await client.publish(payload, to: "nobody")
                    }
                    try await client.publish("end", to: "end")
                }
                await events.wait {
                    if case .disconnected(.some(let error)) = $0 { error.code == .staleConnection } else { false }
                }
                try await publishing.value
                #expect(try await received.next(timeout: .seconds(120))?.string == "end")
            }
            await receiver.close()
            await proxy.close()
        }
    }

    @Test("a slow link on which something moves is not left, however long a write takes on it")
    func slowLink() async throws {
        let size = TestDependencies.runsLongTests ? 4_000_000 : 600_000
        try await NATSTestServer.withServer { server in
            let proxy = try await FaultProxy.start(to: server.port, bytesPerMillisecond: 1000)
            var configuration = quickConfiguration(proxy.url)
            configuration.writeTimeout = .seconds(3)
            try await withTestClient(configuration) { client in
                let subscription = try await client.subscribe("a", confirm: true)
                for _ in 0..<(size / 100_000) {
                    try await client.publish([UInt8](repeating: 7, count: 100_000), to: "a")
                }
                for _ in 0..<(size / 100_000) {
                    #expect(try await subscription.next(timeout: .seconds(120))?.payloadSize == 100_000)
                }
                #expect(client.statistics.reconnects == 0)
            }
            await proxy.close()
        }
    }

    @Test(
        "a connection that is closed one way only is given up",
        arguments: ServerUnderTest.oneEach,
        FaultProxy.Direction.allCases
    )
    func halfClosed(_ server: ServerUnderTest, _ direction: FaultProxy.Direction) async throws {
        try await server.withServer { running in
            let proxy = try await FaultProxy.start(to: running.port)
            try await withTestClient(instantConfiguration(proxy.url)) { client in
                let events = EventRecorder(client)
                let subscription = try await client.subscribe("a", confirm: true)
                for round in 1...5 {
                    await proxy.cut(.finish, direction)
                    try await flushThrough(client)
                    try await client.publish("\(round)", to: "a")
                    #expect(try await subscription.next(timeout: .seconds(120))?.string == "\(round)")
                    try await eventually { client.statistics.reconnects == round }
                }
                let causes = events.recorded.value.compactMap { event -> NATSError.Code? in
                    if case .disconnected(let error) = event { error?.code } else { nil }
                }
                #expect(causes == Array(repeating: .disconnected, count: causes.count))
            }
            await proxy.close()
        }
    }

    @Test("a server that says nothing after the first byte of TLS, or ends one way then, is left in time")
    func silentTLSPeer() async throws {
        let server = try ScriptedServer()
        var configuration = instantConfiguration(server.url)
        configuration.connectTimeout = .milliseconds(300)
        // The first connect fails by its time limit.
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let peer = try await server.accept()
        await peer.send(ScriptedServer.info(extra: #","tls_required":true"#))
        // The first byte of a handshake record.
        #expect(await peer.wait { $0.bytes.first == 22 || $0.end != nil })
        await expectError(.timeout) { _ = try await connecting.value }
        try await eventually { peer.hasEnded }
        peer.close()

        // A client that reconnects goes on trying.
        configuration.connectTimeout = .seconds(20)
        configuration.retryOnFailedConnect = true
        let retrying = Task { [configuration] in try await NATSClient.connect(configuration) }
        let half = try await server.accept()
        await half.send(ScriptedServer.info(extra: #","tls_required":true"#))
        #expect(await half.wait { $0.bytes.first == 22 })
        half.finishSending()
        let client = try await retrying.value
        #expect(client.state == .reconnecting || client.state == .connected)
        let (plain, _) = try await server.acceptClient()
        try await eventually { client.isConnected }
        #expect(client.statistics.reconnects == 0)
        await client.close()
        for peer in [half, plain] { peer.close() }
        await server.close()
    }
}
