import Dispatch
import NATSTestServer
import NATSTestSupport
import NIOCore
import NIOPosix
import Testing

@testable import NATSClient

@Suite struct DrainTests {
    @Test("draining a client lets consumers finish and respond, then closes")
    func client() async throws {
        try await NATSTestServer.withServer { server in
            let client = try await NATSClient.connect(quickConfiguration(server.clientURL))
            let other = try await NATSClient.connect(quickConfiguration(server.clientURL))
            let events = EventRecorder(client)
            let replies = try await other.subscribe("replies", confirm: true)
            let work = try await client.subscribe("work", confirm: true)
            let started = Watched(0)
            let working = Task {
                for try await message in work {
                    started.update { $0 += 1 }
                    await Task.yield()
                    try await message.respond(message.payload)
                }
            }
            for index in 0..<500 {
                try await other.publish("\(index)", to: "work", reply: "replies")
            }
            try await other.flush()
            _ = await started.wait { $0 > 0 }
            try await client.drain()
            #expect(client.isClosed)
            try await working.value
            try await other.flush()
            #expect(replies.statistics.pendingMessages == 500)
            await events.wait { if case .closed(nil) = $0 { true } else { false } }
            #expect(events.names == ["disconnected", "closed"])
            await expectError(.connectionClosed) { try await client.drain() }
            await other.close()
        }
    }

    @Test("draining waits for requests")
    func requests() async throws {
        try await NATSTestServer.withServer { server in
            let client = try await NATSClient.connect(quickConfiguration(server.clientURL))
            let other = try await NATSClient.connect(quickConfiguration(server.clientURL))
            let responder = try await other.subscribe("r", confirm: true)
            let request = Task { try await client.request("x", to: "r", timeout: .seconds(60)) }
            let message = try #require(try await responder.next(timeout: .seconds(30)))
            let draining = Task { try await client.drain() }
            try await eventually { client.core.outbound.isDrainingSubscriptions }
            await expectError(.connectionDraining) { _ = try await client.subscribe("a") }
            try await message.respond("y")
            #expect(try await request.value.string == "y")
            try await draining.value
            await other.close()
        }
    }

    @Test("a consumer that does not come back makes draining time out, and closed all the same")
    func timeout() async throws {
        try await NATSTestServer.withServer { server in
            let client = try await NATSClient.connect(quickConfiguration(server.clientURL))
            let subscription = try await client.subscribe("a", confirm: true)
            try await client.publish("x", to: "a")
            var iterator = subscription.makeAsyncIterator()
            _ = try await iterator.next()
            await expectError(.drainTimeout) { try await client.drain(timeout: .milliseconds(50)) }
            #expect(client.isClosed)
            #expect(try await iterator.next() == nil)
        }
    }

    @Test("a server that does not answer the last flush holds a drain up for no longer than it may take, and a second")
    func silentServer() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let events = EventRecorder(client)
        let start = ContinuousClock.now
        let draining = Task { try await client.drain(timeout: .seconds(6)) }
        try await peer.expect("PING\r\n")
        await peer.send("PONG\r\n")
        try await peer.expect("PING\r\n")
        await expectError(.drainTimeout) { try await draining.value }
        // Not after five seconds, which nats.go gives the last flush.
        #expect(ContinuousClock.now - start >= .seconds(6))
        await events.wait { if case .closed = $0 { true } else { false } }
        #expect(events.names.suffix(3) == ["error", "disconnected", "closed"])
        await server.close()
    }

    @Test("messages that nobody iterates over stay readable after the drain")
    func unread() async throws {
        try await NATSTestServer.withServer { server in
            let client = try await NATSClient.connect(quickConfiguration(server.clientURL))
            let subscription = try await client.subscribe("a", confirm: true)
            try await client.publish("x", to: "a")
            try await client.drain()
            #expect(try await subscription.next()?.string == "x")
            #expect(try await subscription.next() == nil)
        }
    }

    @Test("draining one subscription delivers what is on its way and ends it")
    func subscription() async throws {
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL)) { client in
                let subscription = try await client.subscribe("a")
                let received = Watched(0)
                let iterating = Task {
                    for try await _ in subscription {
                        received.update { $0 += 1 }
                    }
                }
                for _ in 0..<1000 {
                    try await client.publish("", to: "a")
                }
                try await subscription.drain()
                try await iterating.value
                #expect(received.value == 1000)
                try await subscription.drain()
                try await client.publish("", to: "a")
                try await client.flush()
                #expect(subscription.statistics.delivered == 1000)
            }
        }
    }

    @Test("draining without a connection says so and closes")
    func disconnected() async throws {
        let (server, port) = try await NATSTestServer.startOnReservedPort()
        defer { port.release() }
        let client = try await NATSClient.connect(quickConfiguration(server.clientURL))
        await server.stop()
        try await eventually { !client.isConnected }
        await expectError(.connectionReconnecting) { try await client.drain() }
        #expect(client.isClosed)
    }

    @Test("a connection lost while draining ends it")
    func lost() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let draining = Task { try await client.drain() }
        try await peer.expect("PING\r\n")
        peer.reset()
        await expectError(.disconnected) { try await draining.value }
        #expect(client.isClosed)
        await server.close()
    }

    @Test("cancelling a drain closes the client")
    func cancelled() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let draining = Task { try await client.drain() }
        try await peer.expect("PING\r\n")
        draining.cancel()
        await expectError(.cancelled) { try await draining.value }
        #expect(client.isClosed)
        try await peer.expectEnd()
        peer.close()
        await server.close()
    }

    @Test("several drains of one subscription, and one of its client, all end when the consumer is done")
    func concurrentDrains() async throws {
        try await NATSTestServer.withServer { server in
            let client = try await NATSClient.connect(quickConfiguration(server.clientURL))
            let subscription = try await client.subscribe("a", confirm: true)
            var iterator = subscription.makeAsyncIterator()
            try await client.publish("x", to: "a")
            #expect(try await iterator.next()?.string == "x")
            let state = subscription.state
            let drains = (0..<2).map { _ in Task { try await subscription.drain(timeout: .seconds(120)) } }
            try await eventually { state.observerCount == 2 }
            // Begun after the subscription ended, and not done before the consumer either.
            let late = Task { try await subscription.drain(timeout: .seconds(120)) }
            try await eventually { state.observerCount == 3 }
            let all = Task { try await client.drain(timeout: .seconds(120)) }
            try await eventually { client.core.outbound.isDrainingSubscriptions }
            #expect(try await iterator.next() == nil)
            for drain in drains + [late, all] {
                try await drain.value
            }
            #expect(client.isClosed)
        }
    }

    @Test("a drained subscription is not kept by its drain")
    func drainReleases() async throws {
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL)) { client in
                weak var state: SubscriptionState?
                do {
                    let subscription = try await client.subscribe("a")
                    state = subscription.state
                    try await subscription.drain()
                    #expect(subscription.state.observerCount == 0)
                }
                try await client.flush()
                try await eventually { state == nil }
            }
        }
    }

    @Test("a drain without a limit of its own has the configuration's; one that takes too long is an event as well")
    func configuredTimeout() async throws {
        let server = try ScriptedServer()
        var configuration = quickConfiguration(server.url)
        configuration.drainTimeout = .milliseconds(50)
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let events = EventRecorder(client)
        let core = client.core
        // Before the limit that is the default, the client ends and the drain with it.
        let scheduleEnd = { core.eventLoop.scheduleTask(in: .seconds(25)) { core.close(error: nil) } }

        let subscription = try await client.subscribe("a")
        try await peer.expect("SUB a 2\r\n")
        let drainingOne = Task { try await subscription.drain() }
        try await peer.expect("UNSUB 2\r\nPING\r\n")
        let firstEnd = scheduleEnd()
        await expectError(.drainTimeout) { try await drainingOne.value }
        firstEnd.cancel()
        #expect(client.isConnected && !subscription.state.isOpen)
        #expect(try await subscription.next(timeout: .seconds(60)) == nil)
        try await peer.expect("UNSUB 2\r\n")

        let draining = Task { try await client.drain() }
        try await peer.expect("PING\r\n")
        let secondEnd = scheduleEnd()
        // The flush of a drain that is out of time.
        try await peer.expect("PING\r\n")
        secondEnd.cancel()
        await peer.send("PONG\r\nPONG\r\nPONG\r\n")
        await expectError(.drainTimeout) { try await draining.value }
        try await peer.expectEnd()
        await events.wait { if case .closed(nil) = $0 { true } else { false } }
        #expect(events.names == ["error", "disconnected", "closed"])
        await events.wait { if case .error(let error, nil) = $0 { error.code == .drainTimeout } else { false } }
        peer.close()
        await server.close()
    }

    @Test("a subscription whose consumer does not come back in time ends, and its client goes on")
    func subscriptionTimeout() async throws {
        try await NATSTestServer.withServer { server in
            var configuration = quickConfiguration(server.clientURL)
            configuration.drainTimeout = .milliseconds(50)
            try await withTestClient(configuration) { client in
                let subscription = try await client.subscribe("a", confirm: true)
                try await client.publish("x", to: "a")
                var iterator = subscription.makeAsyncIterator()
                #expect(try await iterator.next()?.string == "x")
                await expectError(.drainTimeout) { try await subscription.drain() }
                #expect(client.isConnected && !subscription.state.isOpen)
                #expect(subscription.state.observerCount == 0)
                #expect(try await iterator.next() == nil)
                try await client.publish("y", to: "a")
                try await client.flush(timeout: .seconds(60))
                #expect(subscription.statistics.delivered == 1 && subscription.statistics.pendingMessages == 0)
            }
        }
    }

    @Test("the last step of a drain refuses publishes, requests and responses, and says why")
    func lastStep() async throws {
        let server = try ScriptedServer()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        try await self.drainToLastStep(server, on: group)
        try await group.shutdownGracefully()
        await server.close()
    }

    private func drainToLastStep(_ server: ScriptedServer, on group: MultiThreadedEventLoopGroup) async throws {
        var configuration = quickConfiguration(server.url)
        configuration.eventLoopGroup = group
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let subscription = try await client.subscribe("a")
        try await peer.expect("SUB a 2\r\n")
        await peer.send("MSG a 2 r 1\r\nx\r\n")
        let message = try #require(try await subscription.next(timeout: .seconds(60)))
        let core = client.core
        let isHeld = Watched(false)
        let gate = DispatchSemaphore(value: 0)
        defer { gate.signal() }
        // The step has a time limit. On the event loop this comes before it, and keeps it from passing.
        core.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(1)) { task in
            guard core.outbound.refusalError().code == .connectionDraining else {
                return
            }
            task.cancel()
            isHeld.update { $0 = true }
            gate.wait()
        }
        let draining = Task { try await client.drain(timeout: .seconds(120)) }
        try await peer.expect("UNSUB 2\r\nPING\r\n")
        await peer.send("PONG\r\n")
        #expect(await isHeld.wait(timeout: .seconds(120)) { $0 })
        await expectError(.connectionDraining) { try await client.publish("no", to: "b") }
        await expectError(.connectionDraining) { try client.tryPublish("no", to: "b") }
        await expectError(.connectionDraining) { try await message.respond("no") }
        await expectError(.connectionDraining) { _ = try await client.request("no", to: "b") }
        await expectError(.connectionDraining) { _ = try await client.subscribe("b") }
        gate.signal()
        try await peer.expect("PING\r\n")
        await peer.send("PONG\r\n")
        // In time or not: the machine may be slow.
        _ = await draining.result
        #expect(client.isClosed)
        try await peer.expectEnd()
        peer.close()
    }

    @Test("two drains of one client both return when it is drained")
    func joinedDrains() async throws {
        try await NATSTestServer.withServer { server in
            let client = try await NATSClient.connect(quickConfiguration(server.clientURL))
            let subscription = try await client.subscribe("a", confirm: true)
            var iterator = subscription.makeAsyncIterator()
            try await client.publish("x", to: "a")
            #expect(try await iterator.next()?.string == "x")
            let drains = (0..<2).map { _ in Task { try await client.drain(timeout: .seconds(120)) } }
            let core = client.core
            try await eventually(timeout: .seconds(60)) {
                try await core.eventLoop.submit { core.drainWaiters.count }.get() == 2
            }
            #expect(!client.isClosed)
            #expect(try await iterator.next() == nil)
            for drain in drains {
                try await drain.value
            }
            #expect(client.isClosed)
        }
    }

    @Test("on the wire a drain is UNSUB of all but the inbox, PING, what is published meanwhile, and PING again")
    func wire() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let first = try await client.subscribe("a")
        let second = try await client.subscribe("b", queue: "q")
        try await peer.expect("SUB a 2\r\nSUB b q 3\r\n")
        let request = Task { try await client.request("x", to: "r", timeout: .seconds(120)) }
        let inbox = try await peer.readLine().split(separator: " ")
        let publish = try await peer.readLine().split(separator: " ")
        try #require(inbox.first == "SUB" && publish.first == "PUB" && publish.count == 4)
        try await peer.expect("x\r\n")

        let draining = Task { try await client.drain(timeout: .seconds(120)) }
        try await peer.expect("UNSUB 2\r\nUNSUB 3\r\nPING\r\n")
        // A second drain joins the first and adds nothing.
        let joining = Task { try await client.drain(timeout: .seconds(120)) }
        let core = client.core
        try await eventually(timeout: .seconds(60)) {
            try await core.eventLoop.submit { core.drainWaiters.count }.get() == 2
        }
        try await peer.expectNothing()
        await peer.send("MSG a 2 4\r\nlate\r\nPONG\r\n")
        // What the PONG leads to takes more than one turn of the event loop.
        for _ in 0..<3 {
            try await peer.expectNothing()
        }
        try await client.publish("between", to: "c")
        await peer.send("MSG \(publish[2]) \(inbox[inbox.count - 1]) 1\r\ny\r\n")
        try await peer.expect("PUB c 7\r\nbetween\r\nPING\r\n")
        #expect(try await request.value.string == "y")
        await peer.send("PONG\r\n")
        try await peer.expectEnd()
        _ = await (draining.result, joining.result)
        #expect(client.isClosed)
        #expect(try await first.next(timeout: .seconds(60))?.string == "late")
        #expect(try await first.next(timeout: .seconds(60)) == nil)
        #expect(try await second.next(timeout: .seconds(60)) == nil)
        peer.close()
        await server.close()
    }
}
