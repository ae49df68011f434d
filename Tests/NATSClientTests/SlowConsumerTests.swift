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
}
