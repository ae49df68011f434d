import NATSTestServer
import NATSTestSupport
import NIOCore
import Testing

@testable import NATSClient

@Suite struct SlowConsumerTests {
    @Test("beyond the limits messages are dropped with one event, the others are not affected")
    func episode() async throws {
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL)) { client in
                let events = EventRecorder(client)
                let slow = try await client.subscribe("a", limits: .init(messages: 100, bytes: nil))
                let small = try await client.subscribe("a", limits: .init(messages: nil, bytes: 1000))
                let free = try await client.subscribe("a")
                for index in 0..<1000 {
                    try await client.publish("\(1000 + index)", to: "a")
                }
                try await client.flush()
                #expect(slow.statistics.pendingMessages == 100 && slow.droppedCount == 900)
                #expect(small.statistics.pendingBytes == 1000 && small.droppedCount == 750)
                #expect(slow.statistics.maxPendingMessages == 100)
                #expect(free.statistics.pendingMessages == 1000 && free.droppedCount == 0)
                #expect(self.isSlow(slow.status) && !self.isSlow(free.status))
                // Once, and then what there is.
                await expectError(.slowConsumer) { _ = try await slow.next(timeout: .seconds(30)) }
                for index in 0..<100 {
                    #expect(try await slow.next(timeout: .seconds(30))?.string == "\(1000 + index)")
                }
                try await client.publish("next", to: "a")
                #expect(try await slow.next(timeout: .seconds(30))?.string == "next")
                await events.wait {
                    if case .slowConsumerEnded(let subscription, let dropped) = $0 {
                        subscription.sid == slow.sid && dropped == 900
                    } else {
                        false
                    }
                }
                #expect(!self.isSlow(slow.status))
                #expect(events.names.filter { $0 == "slowConsumer" }.count == 2)
                #expect(events.names.filter { $0 == "slowConsumerEnded" }.count == 1)
            }
        }
    }

    @Test("what an iterator holds but has not given out yet still counts as pending")
    func iteratorCounts() async throws {
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL)) { client in
                let subscription = try await client.subscribe("a", limits: .init(messages: 10))
                for _ in 0..<10 {
                    try await client.publish("", to: "a")
                }
                try await client.flush()
                var iterator = subscription.makeAsyncIterator()
                for _ in 0..<4 {
                    _ = try await iterator.next()
                }
                #expect(subscription.statistics.pendingMessages == 6)
                for _ in 0..<6 {
                    try await client.publish("", to: "a")
                }
                try await client.flush()
                #expect(subscription.statistics.pendingMessages == 10 && subscription.droppedCount == 2)
                for _ in 0..<10 {
                    _ = try await iterator.next()
                }
                #expect(subscription.statistics.pendingMessages == 0)
            }
        }
    }

    @Test("a short message does not keep the buffer of its read")
    func smallMessages() async throws {
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL)) { client in
                let small = try await client.subscribe("small")
                let large = try await client.subscribe("large")
                for _ in 0..<50 {
                    try await client.publish("x", to: "small")
                    try await client.publish([UInt8](repeating: 0, count: 10_000), to: "large")
                }
                try await client.flush()
                var stored = 0
                for _ in 0..<50 {
                    let message = try #require(try await small.next(timeout: .seconds(30)))
                    stored = max(stored, message.batch.bytes.storageCapacity)
                }
                #expect(stored < 4096)
                #expect(large.statistics.pendingMessages == 50)
            }
        }
    }

    private func isSlow(_ status: NATSSubscriptionStatus) -> Bool {
        if case .slowConsumer = status { true } else { false }
    }

    @Test("the oldest messages make room for the newest, if they are to")
    func dropOldest() async throws {
        try await NATSTestServer.withServer { server in
            var configuration = quickConfiguration(server.clientURL)
            configuration.pendingLimits = .init(messages: 100, bytes: nil, policy: .dropOldest)
            try await withTestClient(configuration) { client in
                let subscription = try await client.subscribe("a")
                for index in 0..<1000 {
                    try await client.publish("\(index)", to: "a")
                }
                try await client.flush()
                #expect(subscription.statistics.pendingMessages == 100 && subscription.droppedCount == 900)
                await expectError(.slowConsumer) { _ = try await subscription.next(timeout: .seconds(30)) }
                for index in 900..<1000 {
                    #expect(try await subscription.next(timeout: .seconds(30))?.string == "\(index)")
                }
                #expect(subscription.statistics.pendingMessages == 0)
                #expect(subscription.statistics.delivered == 100)
            }
        }
    }

    @Test("an iterator in the middle of a batch keeps it while older messages go")
    func dropOldestUnderIterator() async throws {
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL)) { client in
                let subscription = try await client.subscribe(
                    "a",
                    limits: .init(messages: 10, bytes: nil, policy: .dropOldest)
                )
                try await client.publish("0", to: "a")
                try await client.publish("1", to: "a")
                try await client.flush()
                var iterator = subscription.makeAsyncIterator()
                #expect(try await iterator.next()?.string == "0")
                for index in 2..<100 {
                    try await client.publish("\(index)", to: "a")
                }
                try await client.flush()
                var texts: [String] = []
                while texts.last != "99" {
                    texts.append(try #require(try await iterator.next()?.string))
                }
                // The first batch may have held one message or two.
                #expect(texts.suffix(9) == (91..<100).map { "\($0)" } && texts.count == 10)
                #expect(subscription.droppedCount == 89 && subscription.statistics.pendingMessages == 0)
            }
        }
    }

    @Test("a subscription ends when it becomes slow, if it is to; what waited is delivered")
    func fail() async throws {
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL)) { client in
                let events = EventRecorder(client)
                let subscription = try await client.subscribe("a", limits: .init(messages: 3, policy: .fail))
                for index in 0..<10 {
                    try await client.publish("\(index)", to: "a")
                }
                try await client.flush()
                var texts: [String] = []
                await expectError(.slowConsumer) {
                    for try await message in subscription {
                        texts.append(message.string)
                    }
                }
                #expect(texts == ["0", "1", "2"])
                await events.wait {
                    if case .error(let error, let named) = $0 {
                        error.code == .slowConsumer && named?.sid == subscription.sid
                    } else {
                        false
                    }
                }
                guard case .closed(.some(let error)) = subscription.status else {
                    Issue.record("\(subscription.status)")
                    return
                }
                #expect(error.code == .slowConsumer)
            }
        }
    }

    @Test("limits change on a live subscription")
    func liveLimits() async throws {
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL)) { client in
                let subscription = try await client.subscribe("a", limits: .init(messages: 5))
                #expect(subscription.pendingLimits == .init(messages: 5))
                for limit in [5, 20, 10] {
                    try subscription.setPendingLimits(.init(messages: limit))
                    for _ in 0..<30 {
                        try await client.publish("", to: "a")
                    }
                    try await client.flush()
                    // What waits stays, though there is room for less now.
                    #expect(subscription.statistics.pendingMessages == max(5, limit == 10 ? 20 : limit))
                }
                await expectError(.invalidConfiguration) { try subscription.setPendingLimits(.init(messages: 0)) }
            }
        }
    }
}
