import NATSTestServer
import NATSTestSupport
import NIOCore
import NIOPosix
import Testing

@testable import NATSClient

@Suite struct RequestTests {
    /// The reply subject of the next request.
    private func replySubject(_ peer: RawConnection) async throws -> String {
        var line = try await peer.readLine()
        if line.hasPrefix("SUB ") {
            line = try await peer.readLine()
        }
        let payload = try await peer.readLine()
        _ = payload
        return String(try #require(line.split(separator: " ").dropFirst(2).first))
    }

    @Test("many requests at once each get their own reply")
    func concurrent() async throws {
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL)) { client in
                let responder = try await NATSClient.connect(quickConfiguration(server.clientURL))
                let subscription = try await responder.subscribe("double", confirm: true)
                let responding = Task {
                    for try await message in subscription {
                        try await message.respond("\((Int(message.string) ?? 0) * 2)", headers: message.headers)
                    }
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for task in 0..<20 {
                        group.addTask {
                            for index in 0..<100 {
                                let number = task * 1000 + index
                                let reply = try await client.request(
                                    "\(number)",
                                    to: "double",
                                    headers: ["n": "\(number)"],
                                    timeout: .seconds(30)
                                )
                                #expect(reply.string == "\(number * 2)" && reply.headers["n"] == "\(number)")
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(client.statistics.outstandingRequests == 0)
                await responder.close()
                try await responding.value
            }
        }
    }

    @Test("requests work on the task executor of the client")
    func taskExecutor() async throws {
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL)) { client in
                try await withTaskExecutorPreference(client.taskExecutor) {
                    try await client.subscribe("echo", confirm: true) { subscription in
                        let responding = Task(executorPreference: client.taskExecutor) {
                            for try await message in subscription {
                                try await message.respond(message.payload)
                            }
                        }
                        for index in 0..<100 {
                            #expect(try await client.request("\(index)", to: "echo").string == "\(index)")
                        }
                        subscription.unsubscribe()
                        try await responding.value
                    }
                }
            }
        }
    }

    @Test("a program of one event loop: tasks are there before the client is, and stay on its loop")
    func ownExecutor() async throws {
        try await NATSTestServer.withServer { server in
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            var configuration = quickConfiguration(server.clientURL)
            configuration.eventLoopGroup = loop
            let finished = configuration
            let task = Task.detached(executorPreference: NATSTaskExecutor(eventLoop: loop)) {
                #expect(loop.inEventLoop)
                let client = try await NATSClient.connect(finished)
                #expect(loop.inEventLoop)
                try await client.publish("hello", to: "foo")
                try await client.flush()
                #expect(loop.inEventLoop && client.statistics.messagesOut == 1)
                await client.close()
                #expect(loop.inEventLoop)
            }
            try await task.value
        }
    }

    @Test("nobody listening is noResponders, at once")
    func noResponders() async throws {
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL)) { client in
                await expectError(.noResponders) {
                    _ = try await client.request("x", to: "nobody", timeout: .seconds(60))
                }
                #expect(client.statistics.outstandingRequests == 0)
            }
        }
    }

    @Test("the inbox is subscribed to once, before the first request; late and foreign replies are dropped")
    func inbox() async throws {
        try await withScriptedClient { client, peer in
            let first = Task { try await client.request("1", to: "s", timeout: .milliseconds(30)) }
            let subscribe = try await peer.readLine()
            #expect(subscribe.hasPrefix("SUB _INBOX.") && subscribe.contains(".* 1"))
            let late = try await self.replySubject(peer)
            await expectError(.timeout) { _ = try await first.value }

            let second = Task { try await client.request("2", to: "s", timeout: .seconds(30)) }
            let third = Task { try await client.request("3", to: "s", timeout: .seconds(30)) }
            let replies = [try await self.replySubject(peer), try await self.replySubject(peer)]
            #expect(Set(replies + [late]).count == 3)
            let prefix = late.split(separator: ".").dropLast().joined(separator: ".")
            await peer.send(
                "MSG \(late) 1 4\r\nlate\r\nMSG \(prefix).x 1 1\r\nx\r\nMSG \(prefix).99999999999999999999 1 0\r\n\r\n"
            )
            await peer.send("MSG other 1 1\r\nx\r\nMSG \(prefix). 1 0\r\n\r\n")
            for reply in replies {
                await peer.send("MSG \(reply) 1 2\r\nok\r\nMSG \(reply) 1 5\r\nagain\r\n")
            }
            #expect(try await second.value.string == "ok")
            #expect(try await third.value.string == "ok")
        }
    }

    @Test("a reply whose subject was rewritten belongs to the only request there is")
    func rewritten() async throws {
        try await withScriptedClient { client, peer in
            let request = Task { try await client.request("1", to: "s", timeout: .seconds(30)) }
            _ = try await self.replySubject(peer)
            await peer.send("MSG rewritten 1 2\r\nok\r\n")
            let reply = try await request.value
            #expect(reply.string == "ok" && reply.subject == "rewritten")
        }
    }

    @Test("cancelling a request frees it at once, before and while it waits")
    func cancellation() async throws {
        try await withScriptedClient { client, peer in
            let request = Task { try await client.request("1", to: "s", timeout: .seconds(60)) }
            _ = try await self.replySubject(peer)
            request.cancel()
            await expectError(.cancelled) { _ = try await request.value }
            let early = Task {
                while !Task.isCancelled {
                    await Task.yield()
                }
                return try await client.request("2", to: "s", timeout: .seconds(60))
            }
            early.cancel()
            await expectError(.cancelled) { _ = try await early.value }
            #expect(client.statistics.outstandingRequests == 0)
        }
    }

    @Test("a lost connection fails requests at once")
    func disconnected() async throws {
        try await withScriptedClient { client, peer in
            let request = Task { try await client.request("1", to: "s", timeout: .seconds(60)) }
            _ = try await self.replySubject(peer)
            peer.reset()
            await expectError(.disconnected) { _ = try await request.value }
        }
    }

    @Test("closing the client fails requests at once")
    func closed() async throws {
        try await withScriptedClient { client, peer in
            let request = Task { try await client.request("1", to: "s", timeout: .seconds(60)) }
            _ = try await self.replySubject(peer)
            await client.close()
            await expectError(.connectionClosed) { _ = try await request.value }
        }
    }

    @Test("a forbidden subject fails its requests, a forbidden inbox all, with an event each")
    func permissions() async throws {
        try await withScriptedClient { client, peer in
            let events = EventRecorder(client)
            let request = Task { try await client.request("1", to: "secret", timeout: .seconds(60)) }
            _ = try await self.replySubject(peer)
            await peer.send("-ERR 'Permissions Violation for Publish to \"secret\"'\r\n")
            await expectError(.permissionViolation) { _ = try await request.value }
            await events.wait {
                if case .error(let error, nil) = $0 { error.permission?.subject == "secret" } else { false }
            }

            let inbox = Task { try await client.request("2", to: "s", timeout: .seconds(60)) }
            let reply = try await self.replySubject(peer)
            let pattern = reply.split(separator: ".").dropLast().joined(separator: ".") + ".*"
            await peer.send("-ERR 'Permissions Violation for Subscription to \"\(pattern)\"'\r\n")
            await expectError(.permissionViolation) { _ = try await inbox.value }

            // The next request subscribes anew.
            let again = Task { try await client.request("3", to: "s", timeout: .seconds(60)) }
            #expect(try await peer.readLine() == "SUB \(pattern) 2")
            let token = try await self.replySubject(peer)
            await peer.send("MSG \(token) 2 0\r\n\r\n")
            #expect(try await again.value.payloadSize == 0)
        }
    }

    @Test("503 with a payload, or another status, is a reply")
    func statuses() async throws {
        try await withScriptedClient { client, peer in
            for (block, payload) in [("NATS/1.0 503\r\n\r\n", "x"), ("NATS/1.0 408 Request Timeout\r\n\r\n", "")] {
                let request = Task { try await client.request("1", to: "s", timeout: .seconds(60)) }
                let reply = try await self.replySubject(peer)
                await peer.send(
                    "HMSG \(reply) 1 \(block.utf8.count) \(block.utf8.count + payload.utf8.count)\r\n\(block)\(payload)\r\n"
                )
                let message = try await request.value
                #expect(message.status == (payload.isEmpty ? 408 : 503))
                #expect(message.statusDescription == (payload.isEmpty ? "Request Timeout" : nil))
            }
        }
    }

    @Test("the timeout of a request counts while it waits for room as well")
    func timeoutWhileFull() async throws {
        let server = try ScriptedServer()
        var configuration = quickConfiguration(server.url)
        configuration.publishHighWaterMark = 1
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let (peer, _) = try await server.acceptClient(info: ScriptedServer.info(maxPayload: 64 << 20))
        let client = try await connecting.value
        peer.pauseReading()
        // More than all buffers between here and there take; behind it nothing is written any more.
        try client.tryPublish([UInt8](repeating: 0, count: 32 << 20), to: "large")
        try await eventually { client.statistics.bufferedBytes == 0 }
        try client.tryPublish("x", to: "small")
        await expectError(.timeout) { _ = try await client.request("x", to: "s", timeout: .milliseconds(20)) }
        #expect(client.statistics.outstandingRequests == 0)
        peer.reset()
        await client.close()
        await server.close()
    }

    @Test("a forbidden reply subject fails the request that has it, and no other")
    func replyRefused() async throws {
        try await withScriptedClient { client, peer in
            let first = Task { try await client.request("1", to: "s", timeout: .seconds(60)) }
            let reply = try await self.replySubject(peer)
            let second = Task { try await client.request("2", to: "s", timeout: .seconds(60)) }
            let other = try await self.replySubject(peer)
            await peer.send("-ERR 'Permissions Violation for Publish with Reply of \"\(reply)\"'\r\n")
            await expectError(.permissionViolation) { _ = try await first.value }
            await peer.send("MSG \(other) 1 2\r\nok\r\n")
            #expect(try await second.value.string == "ok")
        }
    }
}
