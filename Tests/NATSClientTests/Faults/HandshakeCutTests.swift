import NATSTestServer
import NATSTestSupport
import Testing

@testable import NATSClient

/// Connections that break after each byte of the handshake, in each direction.
@Suite struct HandshakeCutTests {
    typealias Fault = FaultProxy.Fault
    typealias End = FaultProxy.End

    /// Every byte for ours; of the official server, and under a sanitizer, some, unless the long tests are wanted.
    private static func step(_ server: ServerUnderTest) -> Int {
        (server == .official || !ResidentMemory.isMeaningful) && !TestDependencies.runsLongTests ? 11 : 1
    }

    /// The kinds of ends take turns; in the long tests each byte has both.
    private static func ends(_ position: Int) -> [End] {
        guard !TestDependencies.runsLongTests else { return [.close, .reset, .finish] }
        return [[.close, .reset, .finish][position % 3]]
    }

    /// What a handshake has in one direction.
    private func handshakeLength(_ proxy: FaultProxy, _ direction: FaultProxy.Direction) async throws -> Int {
        try await withTestClient(instantConfiguration(proxy.url)) { client in
            try await client.flush()
            return proxy.traffic[direction].count
        }
    }

    @Test(
        "a first connection cut after any byte is an error with a type, or goes on to the next",
        arguments: ServerUnderTest.oneEach,
        FaultProxy.Direction.allCases
    )
    func firstConnection(_ server: ServerUnderTest, _ direction: FaultProxy.Direction) async throws {
        try await server.withServer { running in
            let proxy = try await FaultProxy.start(to: running.port)
            let count = try await self.handshakeLength(proxy, direction)
            #expect(count > 100)
            let typed: Set<NATSError.Code> = [.disconnected, .connectionFailed, .noInfoReceived, .noServers]
            for position in stride(from: 0, to: count, by: Self.step(server)) {
                for end in Self.ends(position) {
                    // Without a second try: what connect() throws, if it throws.
                    if position.isMultiple(of: 5) || TestDependencies.runsLongTests {
                        proxy.plan(Fault(direction, after: position, end))
                        let code = await outcome {
                            try await NATSClient.connect(instantConfiguration(proxy.url)).close()
                        }
                        #expect(code.map(typed.contains) ?? true, "\(position) \(end): \(String(describing: code))")
                    }
                    // With as many tries as it takes: a client that is whole.
                    proxy.plan(Fault(direction, after: position, end))
                    var configuration = instantConfiguration(proxy.url)
                    configuration.retryOnFailedConnect = true
                    try await withTestClient(configuration) { client in
                        let subscription = try await client.subscribe("cut")
                        try await flushThrough(client)
                        await proxy.arm(nil)
                        try await client.publish("\(position)", to: "cut")
                        let message = try await subscription.next(timeout: .seconds(120))
                        #expect(message?.string == "\(position)", "\(end)")
                        let code = await outcome { try await client.request("", to: "nobody") }
                        #expect(code == .noResponders)
                    }
                }
            }
            await proxy.close()
        }
    }

    @Test(
        "a client whose next connections are cut after any byte has all it had when one lives",
        arguments: ServerUnderTest.oneEach,
        FaultProxy.Direction.allCases
    )
    func nextConnection(_ server: ServerUnderTest, _ direction: FaultProxy.Direction) async throws {
        try await server.withServer { running in
            let proxy = try await FaultProxy.start(to: running.port)
            try await withTestClient(instantConfiguration(proxy.url)) { client in
                let plain = try await client.subscribe("a.*")
                let queue = try await client.subscribe("a.*", queue: "q")
                let limited = try await client.subscribe("a.*")
                limited.unsubscribe(after: 1_000_000)
                try await client.flush()
                var position = 0
                var rounds: UInt64 = 0
                // The replay of the subscriptions is part of what a next connection begins with.
                var count = 1
                while position < count {
                    for end in Self.ends(position) {
                        proxy.plan(Fault(direction, after: position, end))
                        await proxy.cut(.reset)
                        try await eventually { client.statistics.reconnects > rounds }
                        try await flushThrough(client)
                        await proxy.arm(nil)
                        rounds = client.statistics.reconnects
                        count = max(count, proxy.traffic[direction].count)
                        let text = "\(position) \(end)"
                        try await client.publish(text, to: "a.b")
                        for subscription in [plain, queue, limited] {
                            #expect(try await subscription.next(timeout: .seconds(120))?.string == text)
                        }
                    }
                    position += Self.step(server)
                }
                #expect(position > 100 && client.statistics.outstandingRequests == 0)
                for subscription in [plain, queue, limited] {
                    #expect(subscription.statistics.pendingMessages == 0 && subscription.statistics.dropped == 0)
                }
            }
            await proxy.close()
        }
    }
}
