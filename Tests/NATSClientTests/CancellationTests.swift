import NATSTestServer
import NATSTestSupport
import Testing

@testable import NATSClient

@Suite struct CancellationTests {
    private func withClient(_ body: (NATSClient) async throws -> Void) async throws {
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL), body)
        }
    }

    @Test("a cancelled iteration throws and loses no message")
    func iteration() async throws {
        try await self.withClient { client in
            let subscription = try await client.subscribe("a")
            let first = Task {
                var iterator = subscription.makeAsyncIterator()
                return try await iterator.next()
            }
            first.cancel()
            await expectError(.cancelled) { _ = try await first.value }
            try await client.publish("kept", to: "a")
            for try await message in subscription {
                #expect(message.string == "kept")
                break
            }
        }
    }

    @Test("next with a time limit throws timeout, and works again afterwards")
    func nextTimeout() async throws {
        try await self.withClient { client in
            let subscription = try await client.subscribe("a")
            await expectError(.timeout) { _ = try await subscription.next(timeout: .milliseconds(10)) }
            await expectError(.timeout) { _ = try await subscription.next(timeout: .zero) }
            try await client.publish("x", to: "a")
            #expect(try await subscription.next(timeout: .seconds(30))?.string == "x")
            let cancelled = Task { try await subscription.next(timeout: .seconds(60)) }
            cancelled.cancel()
            await expectError(.cancelled) { _ = try await cancelled.value }
        }
    }

    @Test("several tasks may wait for one subscription, each message goes to one of them")
    func manyReaders() async throws {
        try await self.withClient { client in
            let subscription = try await client.subscribe("a")
            let total = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var count = 0
                        while try await subscription.next() != nil {
                            count += 1
                        }
                        return count
                    }
                }
                for _ in 0..<2000 {
                    try await client.publish("", to: "a")
                }
                subscription.unsubscribe(after: 2000)
                return try await group.reduce(0, +)
            }
            #expect(total == 2000)
        }
    }

    @Test("cancelling and completing at the same moment resumes every waiter once")
    func races() async throws {
        try await self.withClient { client in
            let echo = try await client.subscribe("echo", confirm: true)
            let responding = Task {
                for try await message in echo {
                    try await message.respond("")
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<400 {
                    group.addTask {
                        let subscription = try await client.subscribe("r.\(index)")
                        let work = Task {
                            switch index % 4 {
                            case 0:
                                _ = try await client.request("", to: "echo", timeout: .seconds(60))
                            case 1:
                                try await client.flush(timeout: .seconds(60))
                            case 2:
                                try await client.publish("", to: "r.\(index)")
                                _ = try await subscription.next(timeout: .seconds(60))
                            default:
                                try await subscription.drain(timeout: .seconds(60))
                            }
                        }
                        for _ in 0..<(index % 7) {
                            await Task.yield()
                        }
                        work.cancel()
                        do {
                            try await work.value
                        } catch let error as NATSError {
                            #expect(error.code == .cancelled, "\(error)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await client.flush()
            #expect(client.statistics.outstandingRequests == 0)
            echo.unsubscribe()
            try await responding.value
        }
    }

    @Test("closing while everything waits ends every wait")
    func closing() async throws {
        try await NATSTestServer.withServer { server in
            for _ in 0..<10 {
                let client = try await NATSClient.connect(quickConfiguration(server.clientURL))
                let silent = try await client.subscribe("silent", confirm: true)
                let iterating = Task {
                    for try await _ in silent {}
                }
                let requests = (0..<20).map { _ in
                    Task { try await client.request("", to: "silent", timeout: .seconds(60)) }
                }
                let flushes = (0..<20).map { _ in Task { try await client.flush(timeout: .seconds(60)) } }
                let publisher = Task {
                    while true {
                        try await client.publish("0123456789", to: "nobody")
                    }
                }
                await Task.yield()
                await client.close()
                try await iterating.value
                for request in requests {
                    await expectError(.connectionClosed) { _ = try await request.value }
                }
                for flush in flushes {
                    do {
                        try await flush.value
                    } catch let error as NATSError {
                        #expect(error.code == .connectionClosed)
                    }
                }
                await expectError(.connectionClosed) { try await publisher.value }
            }
        }
    }

    @Test("events end after closed, for late listeners at once")
    func events() async throws {
        try await self.withClient { client in
            let first = client.events
            let second = client.events
            await client.close()
            for events in [first, second] {
                var last: NATSEvent?
                for await event in events {
                    last = event
                }
                guard case .closed(nil) = last else {
                    Issue.record("last event: \(String(describing: last))")
                    return
                }
            }
            for await event in client.events {
                Issue.record("event after the end: \(event)")
            }
        }
    }
}
