import NATSTestSupport
import Testing

@testable import NATSClient

/// What a client makes of errors that a server reports, and who hears of them.
@Suite struct ErrorReportTests {
    @Test("a server that has no room for the inbox of requests fails the request, not a subscription made before")
    func inboxOverLimit() async throws {
        try await withScriptedClient { client, peer in
            let subscription = try await client.subscribe("a")
            try await peer.expect("SUB a 2\r\n")
            let asking = Task { try await client.request("", to: "q", timeout: .seconds(120)) }
            let inbox = try await peer.readLine()
            #expect(inbox.hasPrefix("SUB _INBOX.") && inbox.hasSuffix(".* 1"))
            #expect(try await peer.readLine().hasPrefix("PUB q _INBOX."))
            try await peer.expect("\r\n")
            await peer.send("-ERR 'maximum subscriptions exceeded'\r\n")
            await expectError(.maximumSubscriptionsExceeded) { _ = try await asking.value }
            // Nothing may come for it either, if the server meant another one.
            try await peer.expect("UNSUB 1\r\n")
            await peer.send("MSG a 2 2\r\nhi\r\n")
            #expect(try await subscription.next(timeout: .seconds(120))?.string == "hi")
            // The next request subscribes anew.
            let again = Task { try await client.request("", to: "q", timeout: .seconds(120)) }
            #expect(try await peer.readLine().hasSuffix(".* 3"))
            let request = try await peer.readLine().split(separator: " ")
            let reply = try #require(request.count > 2 ? String(request[2]) : nil)
            await peer.send("MSG \(reply) 3 3\r\nyes\r\n")
            #expect(try await again.value.string == "yes")
        }
    }

    @Test("the subscription that was made last is the one that a full server refused")
    func newestOverLimit() async throws {
        try await withScriptedClient { client, peer in
            let first = try await client.subscribe("a")
            let second = try await client.subscribe("b")
            try await peer.expect("SUB a 2\r\nSUB b 3\r\n")
            await peer.send("-ERR 'maximum subscriptions exceeded'\r\n")
            await expectError(.maximumSubscriptionsExceeded) { _ = try await second.next(timeout: .seconds(120)) }
            try await peer.expect("UNSUB 3\r\n")
            await peer.send("MSG a 2 2\r\nhi\r\n")
            #expect(try await first.next(timeout: .seconds(120))?.string == "hi")
        }
    }

    @Test("a client that is thrown out of a full server leaves it alone while there is another")
    func thrownOut() async throws {
        let full = try ScriptedServer()
        let other = try ScriptedServer()
        var configuration = quickConfiguration(full.url, other.url)
        configuration.maxReconnectWait = .seconds(3600)
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let (peer, _) = try await full.acceptClient()
        let client = try await connecting.value
        await peer.send("-ERR 'maximum account active connections exceeded'\r\n")
        peer.close()
        let (next, _) = try await other.acceptClient()
        try await eventually { client.isConnected }
        // Lost again: the one that is full would be the next in the list.
        next.close()
        let (last, _) = try await other.acceptClient()
        try await eventually { client.isConnected }
        #expect(full.acceptedCount == 1)
        await client.close()
        last.close()
    }

    @Test("what no caller waits for is a warning in the log, unless somebody listens to the events")
    func logged() async throws {
        let server = try ScriptedServer()
        let log = CollectedLog()
        let connecting = Task { [configuration = quickConfiguration(server.url)] in
            try await NATSClient.connect(configuration, logger: log.logger)
        }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let subscription = try await client.subscribe("a", limits: .init(messages: 1))
        try await peer.expect("SUB a 2\r\n")
        await peer.send("-ERR 'Permissions Violation for Publish to \"x\"'\r\n")
        #expect(await log.wait(for: "[WRN] NATS client reports an error"))
        let events = EventRecorder(client)
        await peer.send("MSG a 2 0\r\n\r\nMSG a 2 0\r\n\r\n")
        await events.wait { if case .slowConsumer = $0 { true } else { false } }
        #expect(await log.wait(for: "[DBG] NATS subscription is too slow"))
        #expect(subscription.droppedCount == 1)
        await client.close()
    }
}
