import NATSTestSupport
import Testing

/// What goes from one connection to others.
@Suite("delivery between connections")
struct DeliveryTests {
    @Test("row 17: a subscriber without headers gets the payload alone", arguments: ServerUnderTest.available)
    func headersAreStripped(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let plain = try await server.connect(options: "{\"verbose\":false}")
            let modern = try await server.connect(options: "{\"verbose\":false,\"headers\":true}")
            await plain.send("SUB foo 9\r\n")
            try await plain.expectNothing()
            await modern.send("SUB foo 1\r\nHPUB foo rep 22 27\r\nNATS/1.0\r\nBar: Baz\r\n\r\nhello\r\n")
            try await modern.expect("HMSG foo 1 rep 22 27\r\nNATS/1.0\r\nBar: Baz\r\n\r\nhello\r\n")
            try await plain.expect("MSG foo 9 rep 5\r\nhello\r\n")
            await modern.send("HPUB foo 012 0012\r\nNATS/1.0\r\n\r\n\r\n")
            try await modern.expect("HMSG foo 1 012 0012\r\nNATS/1.0\r\n\r\n\r\n")
            try await plain.expect("MSG foo 9 0\r\n\r\n")
        }
    }

    @Test("every overlapping subscription gets a copy", arguments: ServerUnderTest.available)
    func overlapping(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let subscriber = try await server.connect(options: "{\"verbose\":false}")
            let publisher = try await server.connect(options: "{\"verbose\":false}")
            await subscriber.send(
                "SUB foo.bar 1\r\nSUB foo.* 2\r\nSUB foo.> 3\r\nSUB > 4\r\nSUB *.bar 5\r\nSUB * 6\r\n"
            )
            try await subscriber.expectNothing()
            await publisher.send("PUB foo.bar 2\r\nhi\r\n")
            try await publisher.expectNothing()
            var lines: Set<String> = []
            for _ in 0..<5 {
                lines.insert(try await subscriber.readLine())
                try await subscriber.expect("hi\r\n")
            }
            #expect(lines == Set((1...5).map { "MSG foo.bar \($0) 2" }))
            try await subscriber.expectNothing()
        }
    }

    @Test(
        "after PONG everything published before PING is on its way to the subscribers",
        arguments: ServerUnderTest.available
    )
    func pongMeansRouted(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let publisher = try await server.connect(options: "{\"verbose\":false}")
            var subscribers: [RawConnection] = []
            for _ in 0..<8 {
                let subscriber = try await server.connect(options: "{\"verbose\":false}")
                await subscriber.send("SUB foo 1\r\n")
                try await subscriber.expectNothing()
                subscribers.append(subscriber)
            }
            for round in 100..<400 {
                await publisher.send("PUB foo 3\r\n\(round)\r\nPING\r\n")
                try await publisher.expect("PONG\r\n")
                for subscriber in subscribers {
                    await subscriber.send("PING\r\n")
                    try await subscriber.expect("MSG foo 1 3\r\n\(round)\r\nPONG\r\n")
                }
            }
        }
    }

    @Test("a subscription is known everywhere once its connection got PONG", arguments: ServerUnderTest.available)
    func subscriptionIsKnown(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let publisher = try await server.connect(options: "{\"verbose\":false}")
            let subscriber = try await server.connect(options: "{\"verbose\":false}")
            for round in 100..<400 {
                await subscriber.send("SUB foo \(round)\r\nPING\r\n")
                try await subscriber.expect("PONG\r\n")
                await publisher.send("PUB foo 1\r\nx\r\nPING\r\n")
                try await publisher.expect("PONG\r\n")
                try await subscriber.expect("MSG foo \(round) 1\r\nx\r\n")
                await subscriber.send("UNSUB \(round)\r\nPING\r\n")
                try await subscriber.expect("PONG\r\n")
                await publisher.send("PUB foo 1\r\ny\r\nPING\r\n")
                try await publisher.expect("PONG\r\n")
            }
            try await subscriber.expectNothing()
        }
    }

    @Test("the subscriptions of a closed connection are gone", arguments: ServerUnderTest.available)
    func closedConnection(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let requester = try await server.connect(
                options: "{\"verbose\":false,\"headers\":true,\"no_responders\":true}"
            )
            await requester.send("SUB in 1\r\n")
            for isReset in [false, true] {
                let responder = try await server.connect(options: "{\"verbose\":false}")
                await responder.send("SUB ask 1\r\n")
                try await responder.expectNothing()
                await requester.send("PUB ask in 0\r\n\r\n")
                try await requester.expectNothing()
                try await responder.expect("MSG ask 1 in 0\r\n\r\n")
                if isReset {
                    responder.reset()
                } else {
                    responder.close()
                }
                try await eventually("503 for the request") {
                    await requester.send("PUB ask in 0\r\n\r\nPING\r\n")
                    let answer = try await requester.read(until: "PONG\r\n")
                    return answer.starts(with: Array("HMSG in 1 35 35\r\nNATS/1.0 503\r\nNats-Subject: ask\r\n".utf8))
                }
            }
        }
    }

    @Test("messages of one publisher arrive in order", arguments: ServerUnderTest.available)
    func order(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let subscriber = try await server.connect(options: "{\"verbose\":false}")
            let publisher = try await server.connect(options: "{\"verbose\":false}")
            await subscriber.send("SUB foo.* 1\r\n")
            try await subscriber.expectNothing()
            var sent = ""
            var expected = ""
            for number in 10_000..<30_000 {
                sent += "PUB foo.\(number % 7) 5\r\n\(number)\r\n"
                expected += "MSG foo.\(number % 7) 1 5\r\n\(number)\r\n"
            }
            await publisher.send(sent)
            try await publisher.expectNothing()
            try await subscriber.expect(expected)
        }
    }

    @Test(
        "each message goes to one member of each queue group, and every member gets its share",
        arguments: ServerUnderTest.available
    )
    func queueGroups(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let publisher = try await server.connect(options: "{\"verbose\":false}")
            let plain = try await server.connect(options: "{\"verbose\":false}")
            await plain.send("SUB work.> 1\r\n")
            try await plain.expectNothing()
            var members: [RawConnection] = []
            for group in ["a", "a", "a", "b", "b"] {
                let member = try await server.connect(options: "{\"verbose\":false}")
                await member.send("SUB work.* \(group) \(group)\r\n")
                try await member.expectNothing()
                members.append(member)
            }
            let count = 600
            for number in 0..<count {
                await publisher.send("PUB work.x 3\r\n\(number + 100)\r\n")
            }
            try await publisher.expectNothing()
            var received: [[String]] = []
            for peer in members + [plain] {
                await peer.send("PING\r\n")
                let bytes = try await peer.read(until: "PONG\r\n")
                let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
                received.append(lines.filter { $0.count == 3 }.map(String.init))
            }
            let all = (0..<count).map { "\($0 + 100)" }
            #expect(received[5] == all)
            #expect((received[0] + received[1] + received[2]).sorted() == all)
            #expect((received[3] + received[4]).sorted() == all)
            for share in received[0...2] {
                // 200 expected; anything below 120 would be a chance of one in 10^11 with a fair choice.
                #expect(share.count > 120)
                #expect(share == share.sorted(), "order holds for each member")
            }
            for share in received[3...4] {
                #expect(share.count > 210)
            }
        }
    }

    @Test("equal queue names are one group, whichever subject they subscribed", arguments: ServerUnderTest.available)
    func queueGroupAcrossSubjects(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let peer = try await server.connect(options: "{\"verbose\":false}")
            await peer.send("SUB foo.bar q 1\r\nSUB foo.* q 2\r\nSUB > q 3\r\nSUB foo.bar other 4\r\n")
            var seen: Set<String> = []
            for _ in 0..<100 {
                await peer.send("PUB foo.bar 1\r\nx\r\nPING\r\n")
                let bytes = try await peer.read(until: "PONG\r\n")
                let text = String(decoding: bytes, as: UTF8.self)
                let lines = text.split(separator: "\r\n").map(String.init).filter { $0.count > 4 }
                #expect(lines.count == 2)
                #expect(lines.contains("MSG foo.bar 4 1"))
                seen.formUnion(lines)
            }
            #expect(seen == Set((1...4).map { "MSG foo.bar \($0) 1" }))
        }
    }

    @Test("request and reply between two connections", arguments: ServerUnderTest.available)
    func requestReply(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let requester = try await server.connect(
                options: "{\"verbose\":false,\"headers\":true,\"no_responders\":true,\"protocol\":1}"
            )
            let responder = try await server.connect(options: "{\"verbose\":false}")
            await responder.send("SUB ask workers 3\r\n")
            try await responder.expectNothing()
            await requester.send("SUB _INBOX.1.* 1\r\nPUB ask _INBOX.1.7 4\r\nwhat\r\n")
            try await responder.expect("MSG ask 3 _INBOX.1.7 4\r\nwhat\r\n")
            await responder.send("PUB _INBOX.1.7 4\r\nthat\r\n")
            try await requester.expect("MSG _INBOX.1.7 1 4\r\nthat\r\n")
            try await requester.expectNothing()
        }
    }

    @Test("echo off hides own messages only", arguments: ServerUnderTest.available)
    func echo(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let silent = try await server.connect(options: "{\"verbose\":false,\"echo\":false}")
            let other = try await server.connect(options: "{\"verbose\":false}")
            await silent.send("SUB foo 1\r\n")
            try await silent.expectNothing()
            await other.send("SUB foo 2\r\n")
            try await other.expectNothing()
            await silent.send("PUB foo 1\r\na\r\n")
            try await silent.expectNothing()
            try await other.expect("MSG foo 2 1\r\na\r\n")
            await other.send("PUB foo 1\r\nb\r\n")
            try await other.expect("MSG foo 2 1\r\nb\r\n")
            try await silent.expect("MSG foo 1 1\r\nb\r\n")
        }
    }

    @Test("an error on one connection leaves the others alone", arguments: ServerUnderTest.available)
    func isolation(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let good = try await server.connect(options: "{\"verbose\":false}")
            await good.send("SUB foo 1\r\n")
            try await good.expectNothing()
            for bad in ["FOO\r\n", "PUB foo\r\n", "PUB foo 2\r\nxxxxx", "CONNECT {\r\n", "PUB foo 99999999\r\n"] {
                let peer = try await server.connect()
                await peer.send("PUB foo 2\r\nhi\r\n" + bad)
                _ = try await peer.readToEnd()
                try await good.expect("MSG foo 1 2\r\nhi\r\n")
                try await good.expectNothing()
            }
        }
    }

    @Test("a client that stops sending still gets everything it asked for", arguments: ServerUnderTest.available)
    func halfClosed(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            for _ in 0..<50 {
                let peer = try await server.connect()
                await peer.send("SUB a 1\r\nPUB a 1\r\nx\r\nPING\r\n")
                peer.finishSending()
                let bytes = try await peer.readToEnd()
                #expect(String(decoding: bytes, as: UTF8.self) == "+OK\r\n+OK\r\nMSG a 1 1\r\nx\r\nPONG\r\n")
            }
        }
    }
}
