import NATSTestServer
import NATSTestSupport
import Testing

@testable import NATSClient

@Suite struct RequestManyTests {
    /// A client, and somebody who answers each request on `many` with 0 … 4 and then an empty reply.
    private func withResponder(_ server: RunningServer, _ body: (NATSClient) async throws -> Void) async throws {
        try await withTestClient(quickConfiguration(server.url)) { client in
            try await withTestClient(quickConfiguration(server.url)) { other in
                let silent = try await other.subscribe("silent", confirm: true)
                let requests = try await other.subscribe("many", confirm: true)
                let answering = Task {
                    for try await request in requests {
                        for index in 0..<5 {
                            try await request.respond("\(index)")
                        }
                        try await request.respond("")
                    }
                }
                try await body(client)
                silent.unsubscribe()
                await other.close()
                _ = await answering.result
            }
        }
    }

    private func collect(_ replies: NATSReplies) async throws -> [String] {
        var texts: [String] = []
        for try await reply in replies {
            texts.append(reply.string)
        }
        return texts
    }

    @Test(
        "the replies end with the count, the sign, the pause, the time, or nobody",
        arguments: ServerUnderTest.available
    )
    func ends(_ server: ServerUnderTest) async throws {
        try await server.withServer { running in
            try await self.withResponder(running) { client in
                let long = Duration.seconds(60)
                let counted = try await client.requestMany("", to: "many", timeout: long, maximum: 3)
                #expect(counted.endReason == nil)
                #expect(try await self.collect(counted) == ["0", "1", "2"] && counted.endReason == .maximum)

                let signed = try await client.requestMany("", to: "many", timeout: long) { $0.payloadSize > 0 }
                #expect(try await self.collect(signed) == ["0", "1", "2", "3", "4"] && signed.endReason == .sentinel)
                // The end is the end.
                #expect(try await self.collect(signed) == [])

                let stalled = try await client.requestMany("", to: "many", timeout: long, stall: .milliseconds(300))
                #expect(try await !self.collect(stalled).isEmpty && stalled.endReason == .stall)

                let late = try await client.requestMany("", to: "silent", timeout: .milliseconds(20))
                #expect(try await self.collect(late) == [] && late.endReason == .timeout)

                let nobody = try await client.requestMany("", to: "nobody", timeout: long)
                #expect(try await self.collect(nobody) == [] && nobody.endReason == .noResponders)

                await expectError(.invalidConfiguration) {
                    _ = try await client.requestMany("", to: "many", maximum: 0)
                }
                await expectError(.badSubject) { _ = try await client.requestMany("", to: "a.*") }
            }
        }
    }

    @Test("on the wire: an inbox of its own, a maximum for the server, and no subscription left behind")
    func wire() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        // A task would keep its result, and so the replies, for as long as somebody knows the task.
        var replies: NATSReplies? = try await client.requestMany("x", to: "a", timeout: .seconds(60), maximum: 2)
        let subscribe = try await peer.readLine()
        let words = subscribe.split(separator: " ")
        #expect(words.count == 3 && words[1].hasPrefix("_INBOX."))
        let sid = words[2]
        try await peer.expect("UNSUB \(sid) 2\r\nPUB a \(words[1]) 1\r\nx\r\n")
        await peer.send("MSG \(words[1]) \(sid) 1\r\n1\r\n")
        do {
            let replies = try #require(replies)
            var iterator = replies.makeAsyncIterator()
            #expect(try await iterator.next()?.string == "1")
        }
        replies = nil
        try await peer.expect("UNSUB \(sid)\r\n")
        _ = replies
        // A status in the place of a reply ends them as well; one below 400 or with a payload is a reply.
        let pulled = try await client.requestMany("x", to: "a", timeout: .seconds(60))
        let line = try await peer.readLine().split(separator: " ")
        let (inbox, pullSid) = (line[1], line[2])
        try await peer.expect("PUB a \(inbox) 1\r\nx\r\n")
        await peer.send("HMSG \(inbox) \(pullSid) 16 16\r\nNATS/1.0 100\r\n\r\n\r\n")
        await peer.send("HMSG \(inbox) \(pullSid) 16 17\r\nNATS/1.0 409\r\n\r\n4\r\n")
        await peer.send("HMSG \(inbox) \(pullSid) 16 16\r\nNATS/1.0 408\r\n\r\n\r\n")
        #expect(try await self.collect(pulled) == ["", "4"] && pulled.endReason == .status(408))
        try await peer.expect("UNSUB \(pullSid)\r\n")
        // A connection that closes ends the replies.
        let second = try await client.requestMany("x", to: "a", timeout: .seconds(60))
        let iterating = Task { try await self.collect(second) }
        let cancelled = Task { try await self.collect(second) }
        cancelled.cancel()
        await expectError(.cancelled) { _ = try await cancelled.value }
        await client.close()
        #expect(try await iterating.value == [])
        #expect(second.endReason == .closed)
        peer.close()
        await server.close()
    }
}
