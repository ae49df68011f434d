import Logging
import MetricsTestKit
import NATSClient
import NATSMetrics
import NATSServiceLifecycle
import NATSTestSupport
import ServiceLifecycle
import Testing

@Suite struct MetricsTests {
    @Test("a client's counters become metrics, and each message is counted once")
    func counters() async throws {
        try await withClient { client, _ in
            let factory = TestMetrics()
            let dimensions = [("name", "main")]
            let metrics = NATSClientMetrics(client, dimensions: dimensions, factory: factory)
            let messages = try await client.subscribe("a")
            for _ in 0..<10 {
                try await client.publish("12345", to: "a")
            }
            for _ in 0..<10 {
                _ = try await messages.next(timeout: .seconds(30))
            }
            metrics.update()
            metrics.update()
            func total(_ name: String) -> Int64 {
                factory.counterTotal(label: "nats_client_" + name, dimensions: dimensions)
            }
            #expect(total("messages_out") == 10)
            #expect(total("messages_in") == 10)
            #expect(total("bytes_out") == 50)
            #expect(total("bytes_in") == 50)
            #expect(total("socket_bytes_in") > 100)
            #expect(total("socket_bytes_out") > 100)
            #expect(total("reconnects") == 0)
            #expect(try factory.expectGauge("nats_client_connected", dimensions).lastValue == 1)
            #expect(try factory.expectGauge("nats_client_pending_bytes", dimensions).lastValue == 0)
            #expect(try factory.expectGauge("nats_client_outstanding_requests", dimensions).lastValue == 0)
        }
    }

    @Test("requests are timed, and those that fail counted")
    func requests() async throws {
        try await withClient { client, _ in
            let factory = TestMetrics()
            let metrics = NATSClientMetrics(client, factory: factory)
            let responder = Task {
                try await client.handle("echo") { try await $0.respond($0.payload) }
            }
            try await eventually { (try? await client.request("", to: "echo")) != nil }
            #expect(try await metrics.request("hello", to: "echo").string == "hello")
            await #expect(throws: NATSError.self) { _ = try await metrics.request("", to: "nobody") }
            let durations = try factory.expectTimer("nats_client_request_duration").values
            #expect(durations.count == 1)
            #expect(durations.allSatisfy { $0 > 0 })
            #expect(factory.counterTotal(label: "nats_client_request_errors") == 1)
            responder.cancel()
            await #expect(throws: NATSError.self) { try await responder.value }
        }
    }

    @Test("metrics are kept until the client ends: reconnects, and messages dropped for a slow consumer")
    func running() async throws {
        try await withClient { client, _ in
            let factory = TestMetrics()
            let metrics = NATSClientMetrics(client, interval: .milliseconds(5), factory: factory)
            async let running: Void = metrics.run()
            func total(_ name: String) -> Int64 {
                factory.counterTotal(label: "nats_client_" + name)
            }
            let slow = try await client.subscribe("slow", limits: .init(messages: 10))
            try await eventually("the first update") { total("socket_bytes_in") > 0 }
            for _ in 0..<30 {
                try await client.publish("", to: "slow")
            }
            try await client.flush()
            // Also those that are dropped while the consumer stays slow, and is gone in the end.
            try await eventually("all drops to be counted") { total("dropped") == 20 }
            for _ in 0..<30 {
                try await client.publish("", to: "slow")
            }
            try await eventually("further drops to be counted") { total("dropped") == 50 }
            slow.unsubscribe()
            try client.forceReconnect()
            try await eventually("the reconnect") { total("reconnects") == 1 && total("disconnects") == 1 }
            await client.close()
            await running
            #expect(try factory.expectGauge("nats_client_connected").lastValue == 0)
            #expect(total("messages_out") == 60)
            #expect(total("dropped") == 50)
        }
    }

    @Test("what waits for a consumer is shown until its subscription is gone")
    func watching() async throws {
        try await withClient { client, _ in
            let factory = TestMetrics()
            let metrics = NATSClientMetrics(client, dimensions: [("name", "main")], factory: factory)
            let dimensions = [("name", "main"), ("subject", "a"), ("queue_group", "")]
            func pending() throws -> [Double?] {
                metrics.update()
                return [
                    try factory.expectGauge("nats_client_subscription_pending_messages", dimensions).lastValue,
                    try factory.expectGauge("nats_client_subscription_pending_bytes", dimensions).lastValue,
                ]
            }
            do {
                let messages = try await client.subscribe("a")
                metrics.watch(messages)
                for _ in 0..<3 {
                    try await client.publish("12345", to: "a")
                }
                try await client.flush()
                #expect(try pending() == [3, 15])
                _ = try await messages.next(timeout: .seconds(30))
                #expect(try pending() == [2, 10])
                #expect(messages.statistics.delivered == 1)
            }
            // Not held: the last reference went with the scope. Its gauges do not stay with the backend.
            let gauge = try factory.expectGauge("nats_client_subscription_pending_messages", dimensions)
            metrics.update()
            #expect(gauge.lastValue == 0)
            #expect(throws: (any Error).self) { try pending() }
        }
    }

    @Test("members of a queue group are counted together, apart from those of other groups")
    func watchingQueueGroups() async throws {
        try await withClient { client, _ in
            let factory = TestMetrics()
            let metrics = NATSClientMetrics(client, factory: factory)
            func pending(_ queueGroup: String) throws -> Double? {
                let dimensions = [("subject", "a"), ("queue_group", queueGroup)]
                return try factory.expectGauge("nats_client_subscription_pending_messages", dimensions).lastValue
            }
            let first = try await client.subscribe("a", queue: "q")
            let second = try await client.subscribe("a", queue: "q")
            let other = try await client.subscribe("a", queue: "r")
            for subscription in [first, second, other] {
                metrics.watch(subscription)
            }
            for _ in 0..<50 {
                try await client.publish("", to: "a")
            }
            try await client.flush()
            metrics.update()
            #expect(try pending("q") == 50)
            #expect(try pending("r") == 50)
            let left = first.statistics.pendingMessages
            second.unsubscribe()
            while second.statistics.pendingMessages > 0 {
                _ = try await second.next(timeout: .seconds(30))
            }
            metrics.update()
            #expect(try pending("q") == Double(left))
        }
    }

    @Test("metrics run in a group behind their client, and end with it")
    func group() async throws {
        try await withClient { client, _ in
            let factory = TestMetrics()
            let metrics = NATSClientMetrics(client, interval: .milliseconds(5), factory: factory)
            let upkeep = ClosureService {
                await cancelWhenGracefulShutdown {
                    await metrics.run()
                }
            }
            let group = ServiceGroup(
                services: [client, upkeep],
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            )
            async let running: Void = group.run()
            try await eventually("an update") {
                factory.counterTotal(label: "nats_client_socket_bytes_in") > 0
            }
            await group.triggerGracefulShutdown()
            try await running
            #expect(client.isClosed)
        }
    }

    @Test("cancelling ends the upkeep")
    func cancelling() async throws {
        try await withClient { client, _ in
            let metrics = NATSClientMetrics(client, interval: .seconds(3600), factory: TestMetrics())
            let running = Task {
                await metrics.run()
            }
            running.cancel()
            await running.value
            #expect(client.isConnected)
        }
    }
}
