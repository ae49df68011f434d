import NATSTestServer
import NATSTestSupport
import Testing

@Suite("nats-req", .timeLimit(.minutes(3)))
struct RequestProgramTests {
    /// Answers requests on `subject` from a plain connection, with the given payloads each.
    private func withResponders(
        _ subject: String,
        answers: [String],
        _ body: (NATSTestServer) async throws -> Void
    ) async throws {
        try await NATSTestServer.withServer { server in
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
                try await body(server)
                connection.close()
                group.cancelAll()
            }
        }
    }

    @Test("prints the Go examples' lines, the reply on standard output")
    func reply() async throws {
        try await self.withResponders("svc", answers: ["pong"]) { server in
            let result = try await ToolShell.run("nats-req $U svc ping", url: server.clientURL)
            #expect(result.errors == "Published [svc] : 'ping'\n")
            #expect(result.output.wholeMatch(of: #/Received  \[_INBOX\.[^\]]+\] : 'pong'\n/#) != nil)
            #expect(result.status == 0)
            let raw = try await ToolShell.run("nats-req $U -r --quiet svc ping", url: server.clientURL)
            #expect(raw.errors == "")
            #expect(raw.output == "pong\n")
        }
    }

    @Test("nobody there: status 4 at once", arguments: ServerUnderTest.available)
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

    @Test("a responder that is silent: status 3 after the timeout", arguments: ["", "--replies 0", "--replies 2"])
    func timeout(flags: String) async throws {
        try await self.withResponders("svc", answers: []) { server in
            let result = try await ToolShell.run("nats-req $U \(flags) --timeout 5s svc hi", url: server.clientURL)
            #expect(result.errors == "nats: timeout\n")
            #expect(result.status == 3)
            #expect(result.duration >= .seconds(5))
        }
    }

    @Test("several replies")
    func replies() async throws {
        try await self.withResponders("svc", answers: ["1", "2", "3"]) { server in
            let all = try await ToolShell.run("nats-req $U -r --replies 0 --timeout 10s svc hi", url: server.clientURL)
            #expect(all.output == "1\n2\n3\n")
            #expect(all.status == 0)
            let two = try await ToolShell.run("nats-req $U -r --replies 2 svc hi", url: server.clientURL)
            #expect(two.output == "1\n2\n")
            #expect(two.status == 0)
            let four = try await ToolShell.run(
                "nats-req $U -r --replies 4 --reply-timeout 100ms svc hi",
                url: server.clientURL
            )
            #expect(four.output == "1\n2\n3\n")
            #expect(four.status == 3)
        }
    }

    @Test("requests from lines and counts, replies in order")
    func many() async throws {
        try await self.withResponders("svc", answers: ["<%>"]) { server in
            let lines = try await ToolShell.run("seq 1 50 | nats-req $U -r --quiet -l svc", url: server.clientURL)
            #expect(lines.output == (1...50).map { "<\($0)>\n" }.joined())
            #expect(lines.status == 0)
            let counted = try await ToolShell.run("nats-req $U -r -n 3 svc x", url: server.clientURL)
            #expect(counted.output == "<x>\n<x>\n<x>\n")
            let whole = try await ToolShell.run("printf 'a\\nb\\n' | nats-req $U -N svc", url: server.clientURL)
            #expect(whole.output == "<a\nb\n>")
            #expect(whole.errors == "Published [svc] : 'a\nb\n'\n")
        }
    }

    @Test("closed standard descriptors do not crash it")
    func closedDescriptors() async throws {
        try await self.withResponders("svc", answers: ["pong"]) { server in
            for (redirection, status) in [("<&-", 0), (">&-", 1), ("2>&-", 0), ("<&- >&- 2>&-", 1)] {
                let result = try await ToolShell.run("nats-req $U svc a \(redirection)", url: server.clientURL)
                #expect(result.status == status, "\(redirection)")
            }
        }
    }

    @Test("line input stops at the first failure")
    func stopsAtFailure() async throws {
        try await NATSTestServer.withServer { server in
            let result = try await ToolShell.run("seq 1 3 | nats-req $U -l nobody", url: server.clientURL)
            #expect(result.errors == "nats: no responders available for request\n")
            #expect(result.status == 4)
        }
    }

    @Test("a signal ends it while it waits")
    func signal() async throws {
        try await self.withResponders("svc", answers: []) { server in
            let shell = try ToolShell("exec nats-req $U -v --timeout 60s svc x", url: server.clientURL)
            try await shell.waitForErrors("Connected")
            shell.signal(2)
            #expect(try await shell.result().exit == .signaled(2))
        }
    }

    @Test("extra operands are status 2, and ignored under POSIXLY_CORRECT")
    func operands() async throws {
        #expect(try await ToolShell.run("nats-req a b c").status == 2)
        try await self.withResponders("svc", answers: ["%"]) { server in
            let result = try await ToolShell.run(
                "nats-req $U -r svc a b",
                url: server.clientURL,
                environment: ["POSIXLY_CORRECT": "1"]
            )
            #expect(result.output == "a\n")
        }
    }
}
