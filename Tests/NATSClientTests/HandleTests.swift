import NATSTestServer
import NATSTestSupport
import Testing

@testable import NATSClient

@Suite struct HandleTests {
    private struct Refusal: Error {}

    /// Waits until the subscription of a handler is there, which answers requests on `h.ready`.
    private func waitUntilReady(_ client: NATSClient) async throws {
        try await eventually {
            (try? await client.request("", to: "h.ready")) != nil
        }
    }

    @Test("as many handlers run at a time as may, and no more", arguments: [1, 4])
    func concurrency(_ concurrency: Int) async throws {
        struct Count {
            var now = 0
            var most = 0
            var done = 0
        }
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL)) { client in
                let running = Watched(Count())
                let mayGo = Watched(false)
                let handling = Task {
                    try await client.handle("h.*", queue: "q", concurrency: concurrency) { message in
                        guard message.subject != "h.ready" else {
                            return try await message.respond("")
                        }
                        running.update {
                            $0.now += 1
                            $0.most = max($0.most, $0.now)
                        }
                        _ = await mayGo.wait { $0 }
                        running.update {
                            $0.now -= 1
                            $0.done += 1
                        }
                    }
                }
                try await self.waitUntilReady(client)
                for _ in 0..<10 {
                    try await client.publish("", to: "h.a")
                }
                try await client.flush()
                #expect(await running.wait { $0.now == concurrency })
                mayGo.update { $0 = true }
                #expect(await running.wait { $0.done == 10 })
                #expect(running.value.most == concurrency)
                handling.cancel()
                await expectError(.cancelled) { try await handling.value }
            }
        }
    }

    @Test("draining waits for handlers that run, and they can still publish")
    func drain() async throws {
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL)) { listener in
                let results = try await listener.subscribe("result", confirm: true)
                let client = try await NATSClient.connect(quickConfiguration(server.clientURL))
                let begun = Watched(0)
                let handling = Task {
                    try await client.handle("h.*", concurrency: 4) { message in
                        guard message.subject != "h.ready" else {
                            return try await message.respond("")
                        }
                        begun.update { $0 += 1 }
                        // Until the client drains.
                        try await eventually { client.state == .draining }
                        try await client.publish(message.payload, to: "result")
                    }
                }
                try await self.waitUntilReady(client)
                for index in 0..<4 {
                    try await client.publish("\(index)", to: "h.a")
                }
                #expect(await begun.wait { $0 == 4 })
                try await client.drain()
                try await handling.value
                var texts: Set<String> = []
                for _ in 0..<4 {
                    texts.insert(try await results.next(timeout: .seconds(30))?.string ?? "")
                }
                #expect(texts == ["0", "1", "2", "3"])
            }
        }
    }

    @Test("when the client closes, messages that wait for a handler are not handled any more")
    func close() async throws {
        try await NATSTestServer.withServer { server in
            let client = try await NATSClient.connect(quickConfiguration(server.clientURL))
            let calls = Watched(0)
            let mayGo = Watched(false)
            let handling = Task {
                try await client.handle("h.*") { message in
                    guard message.subject != "h.ready" else {
                        return try await message.respond("")
                    }
                    calls.update { $0 += 1 }
                    _ = await mayGo.wait { $0 }
                }
            }
            try await self.waitUntilReady(client)
            for _ in 0..<10 {
                try await client.publish("", to: "h.a")
            }
            try await client.flush()
            #expect(await calls.wait { $0 == 1 })
            await client.close()
            mayGo.update { $0 = true }
            try await handling.value
            #expect(calls.value == 1)
        }
    }

    @Test("what a handler throws cancels those that run beside it")
    func failureCancels() async throws {
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL)) { client in
                let isWaiting = Watched(false)
                let isCancelled = Watched(false)
                let handling = Task {
                    try await client.handle("h.*", concurrency: 2) { message in
                        switch message.subject {
                        case "h.ready":
                            try await message.respond("")
                        case "h.wait":
                            isWaiting.update { $0 = true }
                            do {
                                try await Task.sleep(for: .seconds(3600))
                            } catch {
                                isCancelled.update { $0 = true }
                            }
                        default:
                            throw Refusal()
                        }
                    }
                }
                try await self.waitUntilReady(client)
                try await client.publish("", to: "h.wait")
                #expect(await isWaiting.wait { $0 })
                try await client.publish("", to: "h.fail")
                #expect(await isCancelled.wait { $0 })
                handling.cancel()
                await #expect(throws: Refusal.self) { try await handling.value }
            }
        }
    }

    @Test("what a handler throws ends the subscription, though no message comes any more")
    func failure() async throws {
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL)) { client in
                let handling = Task {
                    try await client.handle("h.*", concurrency: 3) { message in
                        guard message.subject != "h.ready" else {
                            return try await message.respond("")
                        }
                        throw Refusal()
                    }
                }
                try await self.waitUntilReady(client)
                try await client.publish("", to: "h.a")
                await #expect(throws: Refusal.self) { try await handling.value }
                await expectError(.noResponders) { _ = try await client.request("", to: "h.ready") }
                await expectError(.invalidConfiguration) { try await client.handle("a", concurrency: 0) { _ in } }
                await expectError(.badSubject) { try await client.handle("") { _ in } }
            }
        }
    }
}
