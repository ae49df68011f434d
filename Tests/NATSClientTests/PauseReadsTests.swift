import NATSTestServer
import NATSTestSupport
import Testing

@testable import NATSClient

@Suite struct PauseReadsTests {
    private func withPaused(
        limit: Int = 100,
        count: Int = 20_000,
        _ body: (NATSClient, NATSSubscription, _ publishing: Task<Void, any Error>, EventRecorder) async throws -> Void
    ) async throws {
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL)) { other in
                try await withTestClient(quickConfiguration(server.clientURL)) { client in
                    let events = EventRecorder(client)
                    let limits = NATSClientConfiguration.PendingLimits(messages: limit, bytes: nil, policy: .pauseReads)
                    let subscription = try await client.subscribe("a", limits: limits, confirm: true)
                    let publishing = Task {
                        let tail = String(repeating: "x", count: 200)
                        for index in 0..<count {
                            try await other.publish("\(index) \(tail)", to: "a")
                        }
                        try await other.flush(timeout: .seconds(60))
                    }
                    await events.wait {
                        if case .slowConsumer(_, dropped: 0) = $0 { true } else { false }
                    }
                    try await body(client, subscription, publishing, events)
                    publishing.cancel()
                    _ = await publishing.result
                }
            }
        }
    }

    @Test("a subscription over its limits holds the connection back: everything comes, in order, and memory is bounded")
    func everything() async throws {
        try await self.withPaused { client, subscription, publishing, events in
            var next = 0
            for try await message in subscription {
                #expect(message.string.hasPrefix("\(next) "))
                next += 1
                if next == 20_000 {
                    break
                }
            }
            try await publishing.value
            #expect(next == 20_000 && subscription.droppedCount == 0)
            // The limit and what NIO reads at once: four reads of 256 KiB.
            #expect(subscription.statistics.maxPendingBytes < 3 << 20)
            await events.wait {
                if case .slowConsumerEnded(_, dropped: 0) = $0 { true } else { false }
            }
            // Reads go on: a PONG comes.
            try await client.flush(timeout: .seconds(60))
        }
    }

    @Test("whoever takes single messages keeps the connection going as well")
    func singleMessages() async throws {
        try await self.withPaused(count: 3000) { client, subscription, publishing, _ in
            for index in 0..<3000 {
                let message = try #require(try await subscription.next(timeout: .seconds(60)))
                #expect(message.string.hasPrefix("\(index) "))
            }
            try await publishing.value
            try await client.flush(timeout: .seconds(60))
        }
    }

    @Test("an iterator that is gone, an end, a drain and other limits let the connection go on", arguments: 0..<5)
    func release(_ way: Int) async throws {
        try await self.withPaused { client, subscription, publishing, _ in
            switch way {
            case 0:
                for try await _ in subscription {
                    break
                }
                try await publishing.value
                try await client.flush(timeout: .seconds(60))
                #expect(subscription.droppedCount > 0)
                // Whoever comes back is told, and finds what was kept.
                await expectError(.slowConsumer) { _ = try await subscription.next(timeout: .seconds(60)) }
                #expect(try await subscription.next(timeout: .seconds(60)) != nil)
            case 1:
                subscription.unsubscribe()
                try await client.flush(timeout: .seconds(60))
            case 2:
                try await subscription.drain(timeout: .seconds(60))
            case 3:
                try await client.drain(timeout: .seconds(60))
            default:
                try subscription.setPendingLimits(.init(messages: 10))
                try await client.flush(timeout: .seconds(60))
            }
        }
    }

    @Test("a task that is cancelled while it iterates, and a client that closes, leave nothing waiting")
    func cancelled() async throws {
        try await self.withPaused { client, subscription, _, _ in
            let iterating = Task {
                var count = 0
                for try await _ in subscription {
                    count += 1
                }
                return count
            }
            iterating.cancel()
            _ = await iterating.result
            try await client.flush(timeout: .seconds(60))
            await client.close()
        }
    }

    @Test("the status comes as a sequence: episodes, then the end")
    func statuses() async throws {
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL)) { client in
                let subscription = try await client.subscribe("a", limits: .init(messages: 2))
                var statuses = subscription.statuses.makeAsyncIterator()
                #expect(self.name(await statuses.next()) == "active")
                for _ in 0..<5 {
                    try await client.publish("", to: "a")
                }
                #expect(self.name(await statuses.next()) == "slow")
                try await client.flush(timeout: .seconds(60))
                _ = try? await subscription.next(timeout: .seconds(60))
                _ = try await subscription.next(timeout: .seconds(60))
                _ = try await subscription.next(timeout: .seconds(60))
                try await client.publish("", to: "a")
                #expect(self.name(await statuses.next()) == "active")
                var second = subscription.statuses.makeAsyncIterator()
                try await subscription.drain(timeout: .seconds(60))
                for expected in ["draining", "closed", "end", "end"] {
                    #expect(self.name(await statuses.next()) == expected)
                }
                for expected in ["active", "draining", "closed", "end"] {
                    #expect(self.name(await second.next()) == expected)
                }
                var late = subscription.statuses.makeAsyncIterator()
                #expect(self.name(await late.next()) == "closed")
                #expect(self.name(await late.next()) == "end")
            }
        }
    }

    private func name(_ status: NATSSubscriptionStatus?) -> String {
        switch status {
        case .active: "active"
        case .slowConsumer: "slow"
        case .draining: "draining"
        case .closed: "closed"
        case nil: "end"
        }
    }

    @Test("an ended subscription of which nothing is left ends, whatever was dropped before")
    func orderOfErrors() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let subscription = try await client.subscribe("a", limits: .init(messages: 1))
        try await peer.expect("SUB a 2\r\n")
        await peer.send(
            "MSG a 2 1\r\n1\r\nMSG a 2 1\r\n2\r\n-ERR 'Permissions Violation for Subscription to \"a\"'\r\n"
        )
        try await eventually { !subscription.state.isOpen }
        // Dropped messages are told of while there is something left, then the message, then the end.
        await expectError(.slowConsumer) { _ = try await subscription.next(timeout: .seconds(60)) }
        #expect(try await subscription.next(timeout: .seconds(60))?.string == "1")
        await expectError(.permissionViolation) { _ = try await subscription.next(timeout: .seconds(60)) }
        let second = try await client.subscribe("b", limits: .init(messages: 1))
        try await peer.expect("SUB b 3\r\n")
        await peer.send("MSG b 3 1\r\n1\r\nMSG b 3 1\r\n2\r\n")
        try await eventually { second.droppedCount == 1 }
        var iterator: NATSSubscription.AsyncIterator? = second.makeAsyncIterator()
        #expect(try await iterator?.next()?.string == "1")
        iterator = nil
        await peer.send("-ERR 'Permissions Violation for Subscription to \"b\"'\r\n")
        try await eventually { !second.state.isOpen }
        await expectError(.permissionViolation) { _ = try await second.next(timeout: .seconds(60)) }
        await client.close()
        await server.close()
    }

    @Test("a message whose headers cannot be read comes without, and an event tells of it")
    func badHeader() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let events = EventRecorder(client)
        let subscription = try await client.subscribe("a")
        try await peer.expect("SUB a 2\r\n")
        await peer.send(
            "HMSG a 2 19 21\r\nNATS/1.0\r\nwrong\r\n\r\nhi\r\nHMSG a 2 18 20\r\nNATS/1.0\r\nX: y\r\n\r\nhi\r\n"
        )
        let first = try #require(try await subscription.next(timeout: .seconds(60)))
        #expect(first.string == "hi" && first.headers.isEmpty)
        let second = try #require(try await subscription.next(timeout: .seconds(60)))
        #expect(second.headers.first?.value == "y")
        await events.wait {
            if case .error(let error, let subject) = $0 {
                error.code == .badHeader && subject?.subject == "a"
            } else {
                false
            }
        }
        #expect(events.names.count { $0 == "error" } == 1)
        await client.close()
        await server.close()
    }
}
