import NATSTestServer
import NATSTestSupport
import Testing

@testable import NATSClient

@Suite struct OwnInboxTests {
    @Test("a request with an inbox of its own is answered, or has no responders", arguments: ServerUnderTest.available)
    func ownInbox(_ server: ServerUnderTest) async throws {
        try await server.withServer { running in
            try await withTestClient(quickConfiguration(running.url)) { client in
                let requests = try await client.subscribe("a", confirm: true)
                let answering = Task {
                    for try await request in requests {
                        try await request.respond("to \(request.string)", headers: ["X": "y"])
                    }
                }
                for index in 0..<20 {
                    let reply = try await client.request("\(index)", to: "a", timeout: .seconds(60), ownInbox: true)
                    #expect(reply.string == "to \(index)" && reply.headers.first?.value == "y")
                }
                await expectError(.noResponders) {
                    _ = try await client.request("", to: "nobody", timeout: .seconds(60), ownInbox: true)
                }
                await expectError(.badSubject) { _ = try await client.request("", to: "a.*", ownInbox: true) }
                requests.unsubscribe()
                _ = await answering.result
            }
        }
    }

    /// Reads SUB, UNSUB if there is one, and PUB; the sid and the inbox.
    private func request(_ peer: RawConnection, hasMaximum: Bool) async throws -> (sid: Substring, inbox: Substring) {
        let words = try await peer.readLine().split(separator: " ")
        try #require(words.count == 3 && words[0] == "SUB", "\(words)")
        if hasMaximum {
            try await peer.expect("UNSUB \(words[2]) 1\r\n")
        }
        try await peer.expect("PUB a \(words[1]) 1\r\nx\r\n")
        return (words[2], words[1])
    }

    @Test("on the wire: one subscription with a maximum of one; a timeout and a cancelled task take it back")
    func wire() async throws {
        try await withScriptedClient { client, peer in
            let asking = Task { try await client.request("x", to: "a", timeout: .seconds(60), ownInbox: true) }
            let (sid, inbox) = try await self.request(peer, hasMaximum: true)
            #expect(client.statistics.outstandingRequests == 1)
            await peer.send("MSG \(inbox) \(sid) 1\r\n1\r\n")
            #expect(try await asking.value.string == "1")
            let late = Task { try await client.request("x", to: "a", timeout: .milliseconds(20), ownInbox: true) }
            let second = try await self.request(peer, hasMaximum: true)
            await expectError(.timeout) { _ = try await late.value }
            try await peer.expect("UNSUB \(second.sid)\r\n")
            let cancelled = Task { try await client.request("x", to: "a", timeout: .seconds(60), ownInbox: true) }
            let third = try await self.request(peer, hasMaximum: true)
            cancelled.cancel()
            await expectError(.cancelled) { _ = try await cancelled.value }
            try await peer.expect("UNSUB \(third.sid)\r\n")
            #expect(client.statistics.outstandingRequests == 0)
        }
    }

    @Test("a forbidden subject and a lost connection end them at once", arguments: [true, false])
    func failure(_ isMany: Bool) async throws {
        try await withScriptedClient { client, peer in
            func ask() -> Task<Void, any Error> {
                Task {
                    if isMany {
                        let replies = try await client.requestMany("x", to: "a", timeout: .seconds(600))
                        do {
                            for try await _ in replies {}
                        } catch {
                            #expect(replies.endReason == .failed)
                            throw error
                        }
                    } else {
                        _ = try await client.request("x", to: "a", timeout: .seconds(600), ownInbox: true)
                    }
                }
            }
            let first = ask()
            _ = try await self.request(peer, hasMaximum: !isMany)
            await peer.send("-ERR 'Permissions Violation for Publish to \"a\"'\r\n")
            await expectError(.permissionViolation) { try await first.value }
            _ = try await peer.readLine()
            let second = ask()
            let (_, inbox) = try await self.request(peer, hasMaximum: !isMany)
            await peer.send("-ERR 'Permissions Violation for Publish with Reply of \"\(inbox)\"'\r\n")
            await expectError(.permissionViolation) { try await second.value }
            _ = try await peer.readLine()
            let third = ask()
            _ = try await self.request(peer, hasMaximum: !isMany)
            peer.reset()
            await expectError(.disconnected) { try await third.value }
        }
    }

    @Test("a client that drains lets a request with its own inbox have its reply")
    func drain() async throws {
        try await withScriptedClient { client, peer in
            let asking = Task { try await client.request("x", to: "a", timeout: .seconds(60), ownInbox: true) }
            let (sid, inbox) = try await self.request(peer, hasMaximum: true)
            let draining = Task { try await client.drain(timeout: .seconds(60)) }
            try await peer.expect("PING\r\n")
            await peer.send("PONG\r\nMSG \(inbox) \(sid) 1\r\n1\r\n")
            #expect(try await asking.value.string == "1")
            try await peer.expect("PING\r\n")
            await peer.send("PONG\r\n")
            try await draining.value
        }
    }

    @Test("an attempt that is under way does not end at a server that has left the pool", arguments: [true, false])
    func leftPool(_ hasHandshake: Bool) async throws {
        let silent = try ScriptedServer()
        try await NATSTestServer.withServer { first in
            try await NATSTestServer.withServer { second in
                var configuration = quickConfiguration(first.clientURL, silent.url)
                configuration.reconnectToServer = { servers, _ in
                    servers.first { $0.url == silent.url }.map { .init(url: $0.url) }
                }
                try await withTestClient(configuration) { client in
                    let events = EventRecorder(client)
                    try client.forceReconnect()
                    let peer = try await silent.accept()
                    if hasHandshake {
                        await peer.send(ScriptedServer.info())
                        _ = try await peer.readLine()
                    }
                    try client.setServerPool([second.clientURL])
                    try await eventually { client.serverInfo?.id == second.serverID && client.isConnected }
                    await events.wait {
                        if case .reconnectAttemptFailed(let server, let error) = $0 {
                            server == silent.url && error.code == .serverNotInPool
                        } else {
                            false
                        }
                    }
                    _ = try await peer.readToEnd()
                }
            }
        }
        await silent.close()
    }

    @Test("all subjects for replies begin with the prefix of the configuration")
    func prefix() async throws {
        try await withScriptedClient({ $0.inboxPrefix = "_MINE.x" }) { client, peer in
            func isInbox(_ subject: some StringProtocol) -> Bool {
                let prefix = "_MINE.x."
                let rest = subject.dropFirst(prefix.count)
                return subject.hasPrefix(prefix) && rest.count == 22 && !rest.contains(".")
            }
            let asking = Task { try await client.request("x", to: "a", timeout: .seconds(60)) }
            let subscribe = try await peer.readLine().split(separator: " ")
            try #require(subscribe.count == 3 && subscribe[0] == "SUB")
            #expect(isInbox(subscribe[1].dropLast(2)) && subscribe[1].hasSuffix(".*"), "\(subscribe)")
            let publish = try await peer.readLine().split(separator: " ")
            try #require(publish.count == 4 && publish[0] == "PUB" && publish[1] == "a")
            let reply = publish[2]
            #expect(reply.hasPrefix(subscribe[1].dropLast()) && reply.count >= subscribe[1].count, "\(publish)")
            try await peer.expect("x\r\n")
            await peer.send("MSG \(reply) \(subscribe[2]) 1\r\n1\r\n")
            #expect(try await asking.value.string == "1")

            let alone = Task { try await client.request("x", to: "a", timeout: .seconds(60), ownInbox: true) }
            let own = try await self.request(peer, hasMaximum: true)
            #expect(isInbox(own.inbox), "\(own.inbox)")
            await peer.send("MSG \(own.inbox) \(own.sid) 1\r\n2\r\n")
            #expect(try await alone.value.string == "2")

            let replies = try await client.requestMany("x", to: "a", timeout: .seconds(60), maximum: 1)
            let many = try await self.request(peer, hasMaximum: true)
            #expect(isInbox(many.inbox), "\(many.inbox)")
            await peer.send("MSG \(many.inbox) \(many.sid) 1\r\n3\r\n")
            for try await reply in replies {
                #expect(reply.string == "3")
            }
            #expect(replies.endReason == .maximum)

            let inboxes = (0..<3).map { _ in client.newInbox() }
            #expect(inboxes.allSatisfy(isInbox) && Set(inboxes).count == 3, "\(inboxes)")
        }
    }
}
