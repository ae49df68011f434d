import Logging
import NATSClient
import NATSServiceLifecycle
import NATSServices
import NATSTestServer
import NATSTestSupport
import ServiceLifecycle
import ServiceLifecycleTestKit
import Testing

@Suite struct LifecycleTests {
    @Test("a client in a group is drained when the group shuts down, after the services behind it")
    func group() async throws {
        try await withClient { client, server in
            let peer = try await NATSClient.connect(testConfiguration(server.clientURL))
            let service = try NATSService(.init(name: "sums", version: "1.0.0"), client: client)
            let begun = Watched(false)
            let mayGo = Watched(false)
            try await service.addEndpoint("slow") { request in
                begun.update { $0 = true }
                _ = await mayGo.wait { $0 }
                try await request.respond("done")
            }
            let group = ServiceGroup(
                services: [client, NATSServiceRunner(service)],
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            )
            async let running: Void = group.run()
            try await eventually("the service to answer") {
                try await !peer.services.ping(timeout: .seconds(30), maximum: 1).isEmpty
            }
            async let reply = peer.request("", to: "slow", timeout: .seconds(30))
            #expect(await begun.wait { $0 })
            await group.triggerGracefulShutdown()
            try await eventually("the endpoint to be gone") {
                do {
                    _ = try await peer.request("late", to: "slow", timeout: .milliseconds(50))
                    return false
                } catch let error as NATSError {
                    return error.code == .noResponders
                }
            }
            // The service has not ended, and so the client has not either.
            #expect(client.state == .connected)
            mayGo.update { $0 = true }
            #expect(try await reply.string == "done")
            try await running
            #expect(client.isClosed)
            #expect(service.isStopped)
            await peer.close()
        }
    }

    @Test("messages that had arrived are handled before a group has shut down")
    func drain() async throws {
        try await withClient { client, _ in
            let handled = Watched(0)
            let subscription = try await client.subscribe("work")
            for number in 0..<100 {
                try await client.publish("\(number)", to: "work")
            }
            try await client.flush()
            try await testGracefulShutdown { trigger in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await client.run() }
                    group.addTask {
                        for try await message in subscription {
                            let count = handled.update {
                                $0 += 1
                                return $0
                            }
                            if count == 1 {
                                trigger.triggerGracefulShutdown()
                                try await eventually { client.state == .draining }
                            }
                            try await client.publish(message.payload, to: "done")
                        }
                    }
                    try await group.waitForAll()
                }
            }
            #expect(handled.value == 100)
            #expect(client.isClosed)
        }
    }

    @Test("a handler in a group handles what has arrived before the client behind it is drained")
    func handler() async throws {
        struct Count {
            var begun = 0
            var done = 0
        }
        try await withClient { client, _ in
            let handled = Watched(Count())
            let mayGo = Watched(false)
            let handler = NATSHandlerRunner(client, subject: "work", queue: "workers", concurrency: 2) { message in
                guard message.payloadSize > 0 else {
                    return try await message.respond("")
                }
                handled.update { $0.begun += 1 }
                _ = await mayGo.wait { $0 }
                try await client.publish(message.payload, to: "done")
                handled.update { $0.done += 1 }
            }
            let group = ServiceGroup(
                services: [client, handler],
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            )
            async let running: Void = group.run()
            try await eventually("the handler") { (try? await client.request("", to: "work")) != nil }
            for number in 0..<10 {
                try await client.publish("\(number)", to: "work")
            }
            try await client.flush()
            #expect(await handled.wait { $0.begun == 2 })
            await group.triggerGracefulShutdown()
            try await eventually("no more to be asked for") {
                do {
                    _ = try await client.request("", to: "work", timeout: .milliseconds(50))
                    return false
                } catch let error as NATSError {
                    return error.code == .noResponders
                }
            }
            #expect(client.state == .connected)
            mayGo.update { $0 = true }
            try await running
            #expect(handled.value.done == 10)
            #expect(client.isClosed)
        }
    }

    @Test("a handler that throws, or whose client ends, ends its run")
    func handlerEnds() async throws {
        struct Refusal: Error {}
        try await withClient { client, _ in
            let refusing = NATSHandlerRunner(client, subject: "work") { _ in
                throw Refusal()
            }
            let running = Task {
                try await refusing.run()
            }
            // Until one of them has found the subscription.
            let asking = Task {
                while !Task.isCancelled { _ = try? await client.request("", to: "work", timeout: .milliseconds(50)) }
            }
            await #expect(throws: Refusal.self) { try await running.value }
            asking.cancel()
            await asking.value
            await #expect(throws: NATSError.self) {
                try await NATSHandlerRunner(client, subject: "work", concurrency: 0) { _ in }.run()
            }
            let idle = Task {
                try await NATSHandlerRunner(client, subject: "idle") { try await $0.respond("") }.run()
            }
            try await eventually("the subscription") { (try? await client.request("", to: "idle")) != nil }
            try await client.drain()
            try await idle.value
        }
    }

    @Test("a shutdown that comes before the service runs is no error")
    func earlyShutdown() async throws {
        try await withClient { client, _ in
            let service = try NATSService(.init(name: "sums", version: "1.0.0"), client: client)
            try await testGracefulShutdown { trigger in
                trigger.triggerGracefulShutdown()
                try await NATSServiceRunner(service).run()
            }
            #expect(service.isStopped)
            #expect(client.isConnected)
            await #expect(throws: NATSError.self) { try await service.run() }
        }
    }

    @Test("cancelling closes the client")
    func cancelling() async throws {
        try await withClient { client, _ in
            let running = Task {
                try await client.run()
            }
            running.cancel()
            await #expect(throws: CancellationError.self) { try await running.value }
            #expect(client.isClosed)
            await #expect(throws: NATSError.self) { try await client.run() }
        }
    }

    @Test("a client that was drained or has given up ends its run")
    func endedElsewhere() async throws {
        try await withClient { client, _ in
            async let running: Void = client.run()
            try await client.drain()
            // Drained before or after the run began.
            do {
                try await running
            } catch let error as NATSError {
                #expect(error.code == .connectionClosed)
            }
        }
        try await withClient { _, server in
            var configuration = testConfiguration(server.clientURL)
            configuration.allowReconnect = false
            let client = try await NATSClient.connect(configuration)
            let running = Task {
                try await client.run()
            }
            await server.stop()
            await #expect(throws: NATSError.self) { try await running.value }
            #expect(client.isClosed)
        }
    }
}
