import NATSTestServer
import NATSTestSupport
import Testing

@Suite("nats-req", .timeLimit(.minutes(3)))
struct RequestProgramTests {
    /// Answers requests on `subject` from a plain connection of a new server, with the given payloads each.
    private func withResponders(
        _ kind: ServerUnderTest,
        _ subject: String,
        answers: [String],
        _ body: (RunningServer) async throws -> Void
    ) async throws {
        try await kind.withServer { server in
            try await self.withResponder(server, subject, answers: answers) { try await body(server) }
        }
    }

    private func withResponder(
        _ server: RunningServer,
        _ subject: String,
        answers: [String],
        _ body: () async throws -> Void
    ) async throws {
        let connection = try RawConnection.connect(port: server.port)
        try await connection.readInfo()
        await connection.send("CONNECT {\"verbose\":false}\r\nSUB \(subject) 1\r\nPING\r\n")
        try await connection.expect("PONG\r\n")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while let line = try? await connection.readLine() {
                    if line == "PING" { await connection.send("PONG\r\n") }
                    let words = line.split(separator: " ")
                    guard words.count == 5, words[0] == "MSG", let size = Int(words[4]) else { continue }
                    let request = String(
                        decoding: try await connection.read(count: size + 2).dropLast(2),
                        as: UTF8.self
                    )
                    // At once: on a busy machine one after the other might take longer than the tool waits.
                    var publishes = ""
                    for answer in answers {
                        let text = answer.replacing("%", with: request)
                        publishes += "PUB \(words[3]) \(text.utf8.count)\r\n\(text)\r\n"
                    }
                    await connection.send(publishes)
                }
            }
            try await body()
            connection.close()
            group.cancelAll()
        }
    }

    @Test("D18 prints the Go examples' lines, the reply on standard output", arguments: ServerUnderTest.both)
    func reply(kind: ServerUnderTest) async throws {
        try await self.withResponders(kind, "svc", answers: ["pong"]) { server in
            let result = try await ToolShell.run("nats-req $U svc ping", url: server.url)
            #expect(result.errors == "Published [svc] : 'ping'\n")
            #expect(result.output.wholeMatch(of: #/Received  \[_INBOX\.[^\]]+\] : 'pong'\n/#) != nil)
            #expect(result.status == 0)
            let raw = try await ToolShell.run("nats-req $U -r --quiet svc ping", url: server.url)
            #expect(raw.errors == "")
            #expect(raw.output == "pong\n")
        }
    }

    @Test("D18 nobody there: status 4 at once", arguments: ServerUnderTest.both)
    func noResponders(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            for flags in ["", "--replies 0", "--replies 3"] {
                let result = try await ToolShell.run("nats-req $U \(flags) --timeout 300s nobody hi", url: server.url)
                #expect(result.errors == "nats: no responders available for request\n")
                #expect(result.output == "")
                #expect(result.status == 4)
                #expect(result.duration < .seconds(150))
            }
        }
    }

    @Test(
        "D18 a responder that is silent: status 3 after the timeout",
        arguments: ["", "--replies 0", "--replies 2"],
        ServerUnderTest.both
    )
    func timeout(flags: String, kind: ServerUnderTest) async throws {
        try await self.withResponders(kind, "svc", answers: []) { server in
            let result = try await ToolShell.run("nats-req $U \(flags) --timeout 5s svc hi", url: server.url)
            #expect(result.errors == "nats: timeout\n")
            #expect(result.status == 3)
            #expect(result.duration >= .seconds(5))
        }
    }

    @Test("D19 replies of several responders; fewer than asked for are status 3", arguments: ServerUnderTest.both)
    func responders(kind: ServerUnderTest) async throws {
        try await self.withResponders(kind, "svc", answers: ["1"]) { server in
            let one = try await ToolShell.run("nats-req $U -r --replies 2 svc hi", url: server.url)
            #expect(one.output == "1\n")
            #expect(one.status == 3)
            try await self.withResponder(server, "svc", answers: ["2"]) {
                try await self.withResponder(server, "svc", answers: ["3"]) {
                    let all = try await ToolShell.run(
                        "nats-req $U -r --replies 0 --reply-timeout 5s --timeout 10s svc hi",
                        url: server.url
                    )
                    #expect(all.output.split(separator: "\n").sorted() == ["1", "2", "3"])
                    #expect(all.status == 0)
                }
            }
        }
    }

    @Test("several replies of one responder, in their order")
    func replies() async throws {
        try await self.withResponders(.ours, "svc", answers: ["1", "2", "3"]) { server in
            let two = try await ToolShell.run("nats-req $U -r --replies 2 --reply-timeout 30s svc hi", url: server.url)
            #expect(two.output == "1\n2\n")
            #expect(two.status == 0)
            let four = try await ToolShell.run(
                "nats-req $U -r --replies 4 --reply-timeout 5s svc hi",
                url: server.url
            )
            #expect(four.output == "1\n2\n3\n")
            #expect(four.status == 3)
        }
    }

    @Test("requests from lines and counts, replies in order")
    func many() async throws {
        try await self.withResponders(.ours, "svc", answers: ["<%>"]) { server in
            let lines = try await ToolShell.run("seq 1 50 | nats-req $U -r --quiet -l svc", url: server.url)
            #expect(lines.output == (1...50).map { "<\($0)>\n" }.joined())
            #expect(lines.status == 0)
            let counted = try await ToolShell.run("nats-req $U -r -n 3 svc x", url: server.url)
            #expect(counted.output == "<x>\n<x>\n<x>\n")
            let whole = try await ToolShell.run("printf 'a\\nb\\n' | nats-req $U -N svc", url: server.url)
            #expect(whole.output == "<a\nb\n>")
            #expect(whole.errors == "Published [svc] : 'a\nb\n'\n")
        }
    }

    @Test("D22 closed standard descriptors do not crash it", arguments: ServerUnderTest.both)
    func closedDescriptors(kind: ServerUnderTest) async throws {
        try await self.withResponders(kind, "svc", answers: ["pong"]) { server in
            for (redirection, status) in [("<&-", 0), (">&-", 1), ("2>&-", 0), ("<&- >&- 2>&-", 1)] {
                let result = try await ToolShell.run("nats-req $U svc a \(redirection)", url: server.url)
                #expect(result.status == status, "\(redirection)")
            }
        }
    }

    @Test("line input stops at the first failure")
    func stopsAtFailure() async throws {
        try await ServerUnderTest.ours.withServer { server in
            let result = try await ToolShell.run("seq 1 3 | nats-req $U -l nobody", url: server.url)
            #expect(result.errors == "nats: no responders available for request\n")
            #expect(result.status == 4)
        }
    }

    @Test("a signal ends it while it waits")
    func signal() async throws {
        try await self.withResponders(.ours, "svc", answers: []) { server in
            let shell = try ToolShell("exec nats-req $U -v --timeout 60s svc x", url: server.url)
            try await shell.waitForErrors("Connected")
            shell.signal(2)
            #expect(try await shell.result().exit == .signaled(2))
        }
    }

    @Test("an empty reply ends the replies and is not printed")
    func waitForEmpty() async throws {
        try await self.withResponders(.ours, "svc", answers: ["1", "2", "", "3"]) { server in
            let result = try await ToolShell.run(
                "nats-req $U -r --wait-for-empty --reply-timeout 30s svc hi",
                url: server.url
            )
            #expect(result.output == "1\n2\n")
            #expect(result.status == 0)
            let one = try await ToolShell.run(
                "nats-req $U -r --wait-for-empty --replies 1 svc hi",
                url: server.url
            )
            #expect(one.output == "1\n")
            #expect(one.status == 0)
        }
        try await self.withResponders(.ours, "svc", answers: ["1"]) { server in
            let result = try await ToolShell.run("nats-req $U -r --wait-for-empty svc hi", url: server.url)
            #expect(result.output == "1\n")
            #expect(result.errors.hasSuffix("nats: timeout: 1 replies, none empty\n"))
            #expect(result.status == 3)
        }
    }

    @Test("several requests at a time, replies in the order of the requests")
    func concurrency() async throws {
        try await self.withResponders(.ours, "svc", answers: ["<%>"]) { server in
            let result = try await ToolShell.run(
                "seq 1 500 | nats-req $U -r --quiet -l --concurrency 20 svc",
                url: server.url
            )
            #expect(result.output == (1...500).map { "<\($0)>\n" }.joined())
            #expect(result.status == 0)
            // A reply is printed while the input stays open.
            let open = try ToolShell(
                "mkfifo in; exec 3<>in; echo a >&3; echo b >&3; exec nats-req $U -r -l --concurrency 3 svc <in",
                url: server.url
            )
            try await eventually("two replies") { open.output == "<a>\n<b>\n" }
            #expect(open.isRunning)
            open.signal(15)
            #expect(try await open.result().exit == .signaled(15))
        }
    }

    @Test("a request that is answered late does not let a later one's reply out before it")
    func order() async throws {
        let peer = try ScriptedServer()
        let shell = try ToolShell("printf 'a\\nb\\n' | nats-req $U -r -l --concurrency 2 svc", url: peer.url)
        let (connection, _) = try await peer.acceptClient()
        var sids: [String: String] = [:]
        var replies: [String] = []
        while replies.count < 2 {
            let line = try await connection.readLine()
            let words = line.split(separator: " ").map(String.init)
            switch words.first {
            case "SUB": sids[words[1]] = words[words.count - 1]
            case "PUB": replies.append(words[2])
            default: break
            }
        }
        let sid = sids.values.first ?? "1"
        await connection.send("MSG \(replies[1]) \(sid) 1\r\nB\r\nMSG \(replies[0]) \(sid) 1\r\nA\r\n")
        let result = try await shell.result()
        #expect(result.output == "A\nB\n")
    }

    @Test("--keep-going passes over failures, and ends with the worst", arguments: ServerUnderTest.both)
    func keepGoing(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let lines = #"""
                {"subject":"nobody","data":"1"}
                {"subject":"bad subject"}
                {"subject":"nobody"}

                """#
            let bad = try await ToolShell.run(
                "nats-req $U --send-on json --keep-going t <lines",
                url: server.url,
                files: ["lines": lines]
            )
            #expect(bad.status == 1)
            let errors = bad.errors.split(separator: "\n")
            #expect(errors.count == 3)
            #expect(errors.first == "nats: line 1: no responders available for request")
            #expect(errors.dropFirst().first?.hasPrefix("nats: line 2: ") == true)
            #expect(errors.last == "nats: line 3: no responders available for request")
            let nobody = try await ToolShell.run(
                "seq 3 | nats-req $U --keep-going --concurrency 2 -l nobody",
                url: server.url
            )
            #expect(nobody.status == 4)
            #expect(nobody.errors.split(separator: "\n").count == 3)
        }
    }

    @Test("--fail-if-header: the reply is printed, the status is 5")
    func failIfHeader() async throws {
        let peer = try ScriptedServer()
        let shell = try ToolShell("nats-req $U -r --fail-if-header nats-service-error svc x", url: peer.url)
        let (connection, _) = try await peer.acceptClient()
        var sid = "1"
        var inbox = ""
        while inbox.isEmpty {
            let words = try await connection.readLine().split(separator: " ").map(String.init)
            if words.first == "SUB" { sid = words[words.count - 1] }
            if words.first == "PUB" { inbox = words[2] }
        }
        let headers = "NATS/1.0\r\nNats-Service-Error: no\r\n\r\n"
        let size = headers.utf8.count
        await connection.send("HMSG \(inbox) \(sid) \(size) \(size + 3)\r\n\(headers)bad\r\n")
        let result = try await shell.result()
        #expect(result.output == "bad\n")
        #expect(result.errors == "Published [svc] : 'x'\nnats: a reply has the header nats-service-error: no\n")
        #expect(result.status == 5)
    }

    @Test(
        "--retry-no-responders waits for somebody, so often or until the timeout",
        arguments: ServerUnderTest.both
    )
    func retryNoResponders(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let few = try await ToolShell.run("nats-req $U --retry-no-responders=2 svc x", url: server.url)
            #expect(few.status == 4)
            #expect(few.errors == "nats: no responders available for request\n")
            #expect(few.duration >= .milliseconds(500))
            let brief = try await ToolShell.run(
                "nats-req $U --retry-no-responders --timeout 5s svc x",
                url: server.url
            )
            #expect(brief.status == 4)
            let patient = try ToolShell("nats-req $U -v --timeout 60s --retry-no-responders -r svc x", url: server.url)
            try await patient.waitForErrors("Connected")
            let connection = try RawConnection.connect(port: server.port)
            try await connection.readInfo()
            await connection.send("CONNECT {\"verbose\":false}\r\nSUB svc 1\r\n")
            var inbox = ""
            while inbox.isEmpty {
                let line = try await connection.readLine()
                if line == "PING" { await connection.send("PONG\r\n") }
                if line.hasPrefix("MSG ") { inbox = line.split(separator: " ").map(String.init)[3] }
            }
            await connection.send("PUB \(inbox) 2\r\nok\r\n")
            let result = try await patient.result()
            #expect(result.output == "ok\n")
            #expect(result.status == 0)
        }
    }

    @Test("templates, files and JSON lines make requests too")
    func sources() async throws {
        try await self.withResponders(.ours, "svc.*", answers: ["<%>"]) { server in
            let result = try await ToolShell.run(
                """
                nats-req $U -r --quiet -n 2 'svc.{{Count}}' 'n{{Count}}'
                nats-req $U -r --quiet -f file svc.x
                printf '{"subject":"svc.y","data":"j"}\\n' | nats-req $U -r --quiet --send-on json svc.x
                """,
                url: server.url,
                files: ["file": "text"]
            )
            #expect(result.output == "<n1>\n<n2>\n<text>\n<j>\n")
            #expect(result.status == 0)
        }
    }

    @Test("extra operands are status 2, and ignored under POSIXLY_CORRECT")
    func operands() async throws {
        #expect(try await ToolShell.run("nats-req a b c").status == 2)
        try await self.withResponders(.ours, "svc", answers: ["%"]) { server in
            let result = try await ToolShell.run(
                "nats-req $U -r svc a b",
                url: server.url,
                environment: ["POSIXLY_CORRECT": "1"]
            )
            #expect(result.output == "a\n")
        }
    }
}
