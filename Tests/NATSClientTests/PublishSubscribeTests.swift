import NATSTestServer
import NATSTestSupport
import NIOCore
import Testing

@testable import NATSClient

@Suite struct PublishSubscribeTests {
    private func withClient(_ body: (NATSClient) async throws -> Void) async throws {
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL), body)
        }
    }

    @Test("messages arrive in order with subject, reply, headers and payload of every kind")
    func contents() async throws {
        try await self.withClient { client in
            let subscription = try await client.subscribe("a.>")
            try await client.publish("string", to: "a.1", reply: "r.1", headers: ["X": "1", "X": "2", "y": ""])
            try await client.publish([0, 255, 13, 10] as [UInt8], to: "a.2")
            try await client.publish(ByteBuffer(string: "buffer"), to: "a.3")
            try await client.publish("substring".dropFirst(3), to: "a.4")
            try await client.publish("" as StaticString, to: "a.5")
            try await client.publish(([1, 2, 3] as [UInt8])[1...], to: "a.6")
            var messages: [NATSMessage] = []
            for try await message in subscription {
                messages.append(message)
                if messages.count == 6 {
                    break
                }
            }
            #expect(messages.map(\.subject) == (1...6).map { "a.\($0)" })
            #expect(messages[0].reply == "r.1" && messages[0].string == "string")
            #expect(messages[0].headers == ["X": "1", "X": "2", "y": ""])
            #expect(messages[0].size == 3 + 3 + messages[0].headerBytes.readableBytes + 6)
            #expect(messages[1].size == 3 + 4)
            #expect(messages[0].status == nil && messages[0].hasHeaders && messages[0].hasReply)
            #expect(Array(messages[1].payload.readableBytesView) == [0, 255, 13, 10])
            #expect(messages[1].reply == nil && messages[1].headers.isEmpty)
            #expect(messages[2].payload == ByteBuffer(string: "buffer"))
            #expect(messages[3].string == "string")
            #expect(messages[4].payloadSize == 0 && messages[4].payload.readableBytes == 0)
            #expect(messages[5].withPayloadBytes { Array($0) } == [2, 3])
            let copy = messages[0].detached()
            #expect(copy.headers == messages[0].headers && copy.string == "string" && copy.reply == "r.1")
        }
    }

    @Test("payloads of all sizes up to the server's limit arrive unchanged")
    func sizes() async throws {
        try await self.withClient { client in
            let subscription = try await client.subscribe("size")
            var sizes = [0, 1, 9, 10, 99, 100, 1000, 4096, 65_535, 65_536, 100_000, 262_144, 1_000_000, 1_048_576]
            sizes += sizes.reversed()
            let publisher = Task { [sizes] in
                for size in sizes {
                    try await client.publish([UInt8](repeating: UInt8(size % 251), count: size), to: "size")
                }
            }
            for size in sizes {
                let message = try #require(try await subscription.next(timeout: .seconds(30)))
                #expect(message.payloadSize == size)
                #expect(message.withPayloadBytes { $0.allSatisfy { $0 == UInt8(size % 251) } })
            }
            try await publisher.value
            await expectError(.maximumPayloadExceeded) {
                try await client.publish([UInt8](repeating: 0, count: 1_048_577), to: "size")
            }
            try await client.flush()
        }
    }

    @Test("a stream of messages larger than every buffer arrives whole and in order")
    func stream() async throws {
        try await self.withClient { client in
            let subscription = try await client.subscribe("s")
            let count = 100_000
            let publisher = Task {
                for index in 0..<count {
                    try await client.publish("\(index)", to: "s")
                }
            }
            var expected = 0
            for try await message in subscription {
                if message.string != "\(expected)" {
                    Issue.record("\(message.string) instead of \(expected)")
                    break
                }
                expected += 1
                if expected == count {
                    break
                }
            }
            #expect(expected == count)
            try await publisher.value
            let statistics = client.statistics
            #expect(statistics.messagesOut == UInt64(count) && statistics.messagesIn == UInt64(count))
            #expect(statistics.bytesIn == statistics.bytesOut)
            #expect(subscription.statistics.delivered == UInt64(count))
            #expect(subscription.statistics.pendingMessages == 0 && subscription.statistics.pendingBytes == 0)
        }
    }

    @Test("publishers on many tasks lose nothing, and each keeps its own order")
    func manyPublishers() async throws {
        try await self.withClient { client in
            let subscription = try await client.subscribe("p.*")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for publisher in 0..<8 {
                    group.addTask {
                        for index in 0..<5000 {
                            try await client.publish("\(index)", to: "p.\(publisher)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            var next = [String: Int]()
            for _ in 0..<40_000 {
                let message = try #require(try await subscription.next(timeout: .seconds(30)))
                #expect(message.string == "\(next[message.subject, default: 0])")
                next[message.subject, default: 0] += 1
            }
            #expect(next.values.allSatisfy { $0 == 5000 })
        }
    }

    @Test("batches hold the same messages")
    func batches() async throws {
        try await self.withClient { client in
            let subscription = try await client.subscribe("b")
            for index in 0..<1000 {
                try await client.publish("\(index)", to: "b")
            }
            subscription.unsubscribe(after: 1000)
            var strings: [String] = []
            for try await batch in subscription.batches {
                #expect(!batch.isEmpty)
                strings += batch.map(\.string)
            }
            #expect(strings == (0..<1000).map(String.init))
        }
    }

    @Test("one member of a queue group gets a message, each plain subscription does")
    func queueGroups() async throws {
        try await self.withClient { client in
            let first = try await client.subscribe("q", queue: "g")
            let second = try await client.subscribe("q", queue: "g")
            let plain = try await client.subscribe("q")
            for _ in 0..<200 {
                try await client.publish("", to: "q")
            }
            try await client.flush()
            let counts = [first, second, plain].map(\.statistics.pendingMessages)
            #expect(counts[0] + counts[1] == 200 && counts[2] == 200)
            #expect(counts[0] > 0 && counts[1] > 0)
        }
    }

    @Test("unsubscribe(after:) counts all messages of the subscription and then ends it")
    func autoUnsubscribe() async throws {
        try await self.withClient { client in
            let subscription = try await client.subscribe("n")
            for index in 0..<3 {
                try await client.publish("\(index)", to: "n")
            }
            #expect(try await subscription.next(timeout: .seconds(30))?.string == "0")
            subscription.unsubscribe(after: 5)
            for index in 3..<10 {
                try await client.publish("\(index)", to: "n")
            }
            try await client.flush()
            var rest: [String] = []
            for try await message in subscription {
                rest.append(message.string)
            }
            #expect(rest == ["1", "2", "3", "4"])
            #expect(try await subscription.next() == nil)

            let late = try await client.subscribe("n")
            for _ in 0..<3 {
                try await client.publish("", to: "n")
            }
            try await client.flush()
            late.unsubscribe(after: 2)
            for _ in 0..<3 {
                #expect(try await late.next(timeout: .seconds(30)) != nil)
            }
            #expect(try await late.next(timeout: .seconds(30)) == nil)
        }
    }

    @Test("unsubscribe ends the iteration at once and discards what is queued")
    func unsubscribe() async throws {
        try await self.withClient { client in
            let subscription = try await client.subscribe("u")
            for _ in 0..<10 {
                try await client.publish("", to: "u")
            }
            try await client.flush()
            var count = 0
            for try await _ in subscription {
                count += 1
                if count == 3 {
                    subscription.unsubscribe()
                }
            }
            #expect(count == 3)
            subscription.unsubscribe()
            #expect(subscription.statistics.pendingMessages == 0)
        }
    }

    @Test("a scoped subscription is ended when its body throws")
    func scopedSubscription() async throws {
        struct Failure: Error {}
        try await self.withClient { client in
            var kept: NATSSubscription?
            await #expect(throws: Failure.self) {
                try await client.subscribe("s") { subscription in
                    kept = subscription
                    throw Failure()
                }
            }
            #expect(try await kept?.next() == nil)
            let result = try await client.subscribe("s", queue: "q", confirm: true) { subscription in
                try await client.publish("x", to: "s")
                return try await subscription.next(timeout: .seconds(30))?.string
            }
            #expect(result == "x")
        }
    }

    @Test("what is left after a break is there for the next reader")
    func breakAndContinue() async throws {
        try await self.withClient { client in
            let subscription = try await client.subscribe("c")
            for index in 0..<6 {
                try await client.publish("\(index)", to: "c")
            }
            try await client.flush()
            for try await message in subscription {
                #expect(message.string == "0")
                break
            }
            #expect(try await subscription.next()?.string == "1")
            for try await message in subscription {
                #expect(message.string == "2")
                break
            }
            // In one batch or several, as they arrived.
            var rest: [String] = []
            for try await batch in subscription.batches {
                rest += batch.map(\.string)
                if rest.count >= 3 { break }
            }
            #expect(rest == ["3", "4", "5"])
            #expect(subscription.statistics.pendingMessages == 0)
        }
    }

    @Test("bad subjects and queue groups are refused here")
    func badNames() async throws {
        try await self.withClient { client in
            for subject in ["", "a b", "a..b", ".a", "a.", "a.>.b", "a\r\n"] {
                await expectError(.badSubject) { _ = try await client.subscribe(subject) }
            }
            for queue in ["", "a b", "a\r\n", "a\tb"] {
                await expectError(.badQueue) { _ = try await client.subscribe("a", queue: queue) }
            }
            for subject in ["", "a b", "a..b", "a.*", ">", "a\r\nPUB x 0"] {
                await expectError(.badSubject) { try await client.publish("", to: subject) }
                await expectError(.badSubject) { try await client.publish("", to: "a", reply: subject) }
                await expectError(.badSubject) { try client.tryPublish("", to: subject) }
                await expectError(.badSubject) { _ = try await client.request("", to: subject) }
            }
            for headers in [["": "x"], ["a b": "x"], ["a": "x\r\ny"]] as [NATSHeaders] {
                await expectError(.badHeader) { try await client.publish("", to: "a", headers: headers) }
                await expectError(.badHeader) { _ = try await client.request("", to: "a", headers: headers) }
            }
            await expectError(.invalidConfiguration) {
                _ = try await client.subscribe("a", limits: .init(messages: 0))
            }
            try await client.flush()
        }
    }

    @Test("no echo keeps own messages back")
    func noEcho() async throws {
        try await NATSTestServer.withServer { server in
            var configuration = quickConfiguration(server.clientURL)
            configuration.noEcho = true
            configuration.verbose = true
            try await withTestClient(configuration) { client in
                let subscription = try await client.subscribe("e")
                try await client.publish("", to: "e")
                try await client.flush()
                #expect(subscription.statistics.pendingMessages == 0)
            }
        }
    }

    @Test("tryPublish says when it would wait, publish waits; above the mark nothing is lost")
    func backPressure() async throws {
        let server = try ScriptedServer()
        var configuration = quickConfiguration(server.url)
        configuration.publishHighWaterMark = 64 * 1024
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        peer.pauseReading()
        let payload = [UInt8](repeating: 1, count: 10_000)
        var sent = 0
        var pings = 0
        // The buffer is full as soon as the event loop is slower than this loop. It stays full only when the peer's socket
        // takes no more; a PING that nobody answers makes sure that the event loop has tried.
        while true {
            let before = sent
            do {
                while sent < 100_000 {
                    try client.tryPublish(payload, to: "a")
                    sent += 1
                }
                Issue.record("never full")
                break
            } catch {
                #expect(error.code == .publishBufferFull)
            }
            if sent == before {
                break
            }
            await expectError(.timeout) { try await client.flush(timeout: .milliseconds(100)) }
            pings += 1
        }
        // A cancelled publish is not sent.
        let waiting = Task { try await client.publish(payload, to: "cancelled") }
        waiting.cancel()
        await expectError(.cancelled) { try await waiting.value }
        let publisher = Task {
            for _ in 0..<100 {
                try await client.publish(payload, to: "a")
            }
            try await client.publish("end", to: "end")
        }
        peer.resumeReading()
        try await publisher.value
        let total =
            (sent + 100) * ("PUB a 10000\r\n\r\n".utf8.count + 10_000)
            + pings * "PING\r\n".utf8.count + "PUB end 3\r\nend\r\n".utf8.count
        let bytes = try await peer.read(count: total)
        #expect(bytes.suffix(16) == ArraySlice("PUB end 3\r\nend\r\n".utf8))
        await client.close()
        peer.close()
        await server.close()
    }

    @Test("a message of one's own making has the same parts")
    func ownMessage() async throws {
        let message = NATSMessage(subject: "a", reply: "r", headers: ["x": "y"], payload: "p")
        #expect(
            message.subject == "a" && message.reply == "r" && message.headers == ["x": "y"] && message.string == "p"
        )
        await expectError(.noReply) { try await message.respond("") }
        let plain = NATSMessage(subject: "a", payload: [] as [UInt8])
        #expect(plain.reply == nil && plain.headers.isEmpty && plain.payloadSize == 0)
        await expectError(.noReply) { try await plain.respond("") }
    }

    @Test("an iteration mixed with next(timeout:) may see a message twice, but never traps")
    func mixedConsumers() async throws {
        try await NATSTestServer.withServer { server in
            try await withTestClient(quickConfiguration(server.clientURL)) { client in
                let subscription = try await client.subscribe("a", confirm: true)
                let publisher = try RawConnection.connect(port: server.port, answersPings: true)
                try await publisher.readInfo()
                await publisher.send("CONNECT {\"verbose\":false}\r\n")
                for round in 0..<3 {
                    // In one write, so that they arrive together and the iterator takes several at once.
                    let messages = (0..<10).map { "PUB a 2\r\n\(round)\($0)\r\n" }.joined()
                    await publisher.send("\(messages)PING\r\n")
                    _ = try await publisher.read(until: "PONG\r\n")
                }
                try await client.flush()
                var iterator = subscription.makeAsyncIterator()
                #expect(try await iterator.next()?.string == "00")
                for index in 1..<30 {
                    let expected = "\(index / 10)\(index % 10)"
                    #expect(try await subscription.next(timeout: .seconds(30))?.string == expected)
                }
                // The iterator holds messages that are finished; its count is behind.
                _ = try await iterator.next()
                try client.tryPublish("last", to: "a")
                #expect(try await subscription.next(timeout: .seconds(30))?.string == "last")
                #expect(subscription.statistics.pendingMessages == 0)
            }
        }
    }

    @Test("the statistics count messages, their bytes, and all bytes of the socket in both directions")
    func socketBytes() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        let before = client.statistics
        let subscription = try await client.subscribe("a.*", queue: "q")
        for index in 0..<100 {
            let headers: NATSHeaders = index.isMultiple(of: 2) ? ["X": "y"] : [:]
            try await client.publish("\(index)", to: "a.\(index)", reply: "r", headers: headers)
        }
        let flushing = Task { try await client.flush(timeout: .seconds(120)) }
        let written = try await peer.read(until: "PING\r\n")
        let read = "MSG a.1 2 3\r\nabc\r\nPONG\r\n"
        await peer.send(read)
        try await flushing.value
        let after = client.statistics
        #expect(after.socketBytesOut - before.socketBytesOut == UInt64(written.count))
        #expect(after.socketBytesIn - before.socketBytesIn == UInt64(read.utf8.count))
        // The last number of an operation is the length of headers and payload.
        let lines = String(decoding: written, as: UTF8.self).split(separator: "\r\n")
        let operations = lines.filter { $0.contains("PUB ") }
        let lengths = operations.compactMap { $0.split(separator: " ").last.flatMap { UInt64($0) } }
        #expect(lengths.count == 100 && after.messagesOut == 100 && after.bytesOut == lengths.reduce(0, +))
        #expect(after.messagesIn == 1 && after.bytesIn == 3)
        #expect(try await subscription.next(timeout: .seconds(60))?.string == "abc")
        await client.close()
        peer.close()
        await server.close()
    }
}
