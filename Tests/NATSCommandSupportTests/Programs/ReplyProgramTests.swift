import NATSTestServer
import NATSTestSupport
import Testing

@Suite("nats-rply", .timeLimit(.minutes(3)))
struct ReplyProgramTests {
    @Test("prints the Go example's lines and answers", arguments: ServerUnderTest.both)
    func lines(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let shell = try ToolShell("nats-rply $U -n 2 -H 'A: 1' svc pong", url: server.url)
            try await shell.waitForErrors()
            let first = try await ToolShell.run("nats-req $U -F '%s|%h\\n' svc ping", url: server.url)
            #expect(first.output == "pong|A: 1\n")
            let second = try await ToolShell.run("nats-req $U -r svc ''", url: server.url)
            #expect(second.output == "pong\n")
            let result = try await shell.result()
            #expect(result.errors == "Listening on [svc]\n")
            #expect(result.output == "[#1] Received on [svc]: 'ping'\n[#2] Received on [svc]: ''\n")
            #expect(result.status == 0)
        }
    }

    @Test("-t puts the local time before each line; a message without reply subject is printed too")
    func timestamp() async throws {
        try await NATSTestServer.withServer { server in
            let tap = try await WireTap(port: server.port, subject: "unused")
            let shell = try ToolShell("nats-rply $U -t -n 1 svc pong", url: server.clientURL)
            try await shell.waitForErrors()
            try await tap.publish("svc", "x")
            let expected = #/\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[#1\] Received on \[svc\]: 'x'\n/#
            #expect(try await shell.result().output.wholeMatch(of: expected) != nil)
        }
    }

    @Test("a request that asks for its answer on no subject is printed, told of, and no reason to end")
    func badReply() async throws {
        try await NATSTestServer.withServer { server in
            let shell = try ToolShell("nats-rply $U -n 2 'svc.*' pong", url: server.clientURL)
            try await shell.waitForErrors()
            let requestor = try RawConnection.connect(port: server.port)
            await requestor.send("CONNECT {}\r\nPUB svc.\u{1B}x a..b 1\r\nx\r\nPING\r\n")
            _ = try await requestor.read(until: "PONG\r\n")
            let second = try await ToolShell.run("nats-req $U -r svc.y ''", url: server.clientURL)
            #expect(second.output == "pong\n")
            let result = try await shell.result()
            #expect(result.status == 0)
            #expect(result.errors.contains("nats: answering request 1 on [svc.\\x1bx]: "))
            #expect(!result.errors.contains("\u{1B}"))
            requestor.close()
        }
    }

    @Test("each request is answered by one of a queue group, NATS-RPLY-22 unless another is named")
    func queue() async throws {
        try await NATSTestServer.withServer { server in
            let shells = try [
                ToolShell("nats-rply $U svc a", url: server.clientURL),
                ToolShell("nats-rply $U svc a", url: server.clientURL),
                ToolShell("nats-rply $U -q other svc b", url: server.clientURL),
            ]
            for shell in shells { try await shell.waitForErrors() }
            let result = try await ToolShell.run(
                "nats-req $U -r --replies 2 --reply-timeout 30s svc x",
                url: server.clientURL
            )
            #expect(result.output.split(separator: "\n").sorted() == ["a", "b"])
            for shell in shells { shell.signal(15) }
        }
    }

    @Test("a signal drains it and ends it")
    func signal() async throws {
        try await NATSTestServer.withServer { server in
            let shell = try ToolShell("exec nats-rply $U -v svc pong", url: server.clientURL)
            try await shell.waitForErrors()
            shell.signal(2)
            let result = try await shell.result()
            #expect(result.exit == .signaled(2))
            #expect(result.errors.hasSuffix("Draining...\n"))
        }
    }

    @Test(
        "--command: its output is the answer, the payload its input, the subjects in its environment",
        arguments: ServerUnderTest.both
    )
    func command(kind: ServerUnderTest) async throws {
        try await kind.withServer { server in
            let command = #"tr a-z A-Z; echo " on $NATS_SUBJECT to ${NATS_REPLY%%.*}""#
            let shell = try ToolShell("exec nats-rply $U -H 'A: 1' 'svc.*' --command '\(command)'", url: server.url)
            try await shell.waitForErrors()
            let result = try await ToolShell.run(
                "nats-req $U -F '%s|%h' svc.x ping; seq 3 | nats-req $U -r -l svc.y",
                url: server.url
            )
            #expect(
                result.output
                    == "PING on svc.x to _INBOX\n|A: 11 on svc.y to _INBOX\n2 on svc.y to _INBOX\n3 on svc.y to _INBOX\n"
            )
            #expect(shell.output.hasPrefix("[#1] Received on [svc.x]: 'ping'\n[#2] Received on [svc.y]: '1'\n"))
            shell.signal(15)
            #expect(try await shell.result().exit == .signaled(15))
        }
    }

    @Test("a command that fails is said, and answered with an error as services tell it")
    func commandFails() async throws {
        try await ServerUnderTest.ours.withServer { server in
            let shell = try ToolShell("nats-rply $U -n 1 svc --command 'echo lost; exit 3'", url: server.url)
            try await shell.waitForErrors()
            let result = try await ToolShell.run(
                "nats-req $U -F '%S|%h' --fail-if-header Nats-Service-Error svc x",
                url: server.url
            )
            #expect(
                result.output == "0|Nats-Service-Error: the command failed: exit status 3, Nats-Service-Error-Code: 500"
            )
            #expect(result.status == 5)
            let end = try await shell.result()
            #expect(end.errors == "Listening on [svc]\nnats: answering request 1 on [svc]: exit status 3\n")
        }
    }

    @Test("commands run side by side; a signal waits for the answers that are being made")
    func commandsAndSignal() async throws {
        try await ServerUnderTest.ours.withServer { server in
            let shell = try ToolShell(
                "exec nats-rply $U -v --drain-timeout 60s svc "
                    + "--command 'read x; : >started$x; until [ -e go$x ]; do sleep 0.02; done; echo $x'",
                url: server.url
            )
            try await shell.waitForErrors()
            let requests = try ToolShell("printf '1\\n2\\n' | nats-req $U -r -l --concurrency 2 svc", url: server.url)
            try await eventually("both commands") { shell.hasFile("started1") && shell.hasFile("started2") }
            // The later one is done first.
            try shell.write("", to: "go2")
            shell.signal(15)
            try await shell.waitForErrors("Draining...")
            try shell.write("", to: "go1")
            #expect(try await requests.result().output == "1\n2\n")
            #expect(try await shell.result().exit == .signaled(15))
        }
    }

    @Test("a command that never ends keeps nobody from ending")
    func commandForEver() async throws {
        try await ServerUnderTest.ours.withServer { server in
            let shell = try ToolShell(
                "exec nats-rply $U --drain-timeout 100ms svc --command ': >started; sleep 86400'",
                url: server.url
            )
            try await shell.waitForErrors()
            let tap = try await WireTap(port: server.port, subject: "unused")
            try await tap.publish("svc", reply: "r", "x")
            try await eventually("the command") { shell.hasFile("started") }
            shell.signal(2)
            #expect(try await shell.result().exit == .signaled(2))
        }
    }

    @Test("requests that it has no time for are dropped, which is said, and a failure")
    func slowConsumer() async throws {
        try await ServerUnderTest.ours.withServer { server in
            let tap = try await WireTap(port: server.port, subject: "unused")
            // Its output is stuck, and so is everything behind it, until the reader goes on.
            let shell = try ToolShell(
                """
                mkfifo pipe; (while [ ! -e go ]; do sleep 0.02; done; cat >received) <pipe &
                exec nats-rply $U -v svc pong >pipe
                """,
                url: server.url
            )
            try await shell.waitForErrors()
            let megabyte = String(repeating: "x", count: 1_000_000)
            for _ in 0..<80 { try await tap.publish("svc", megabyte) }
            try await shell.waitForErrors("Slow consumer on [svc]")
            try shell.write("", to: "go")
            shell.signal(15)
            let result = try await shell.result()
            #expect(result.exit == .signaled(15))
            let report = #/nats: slow consumer, \d+ messages dropped on \[svc\]\n/#
            #expect(result.errors.matches(of: report).count == 1, "\(result.errors)")
        }
    }

    @Test("wrong operands and a subject that may not be subscribed to")
    func refusals() async throws {
        #expect(try await ToolShell.run("nats-rply svc").status == 2)
        #expect(try await ToolShell.run("nats-rply svc a b").status == 2)
        let both = try await ToolShell.run("nats-rply svc a --command date")
        #expect(both.errors.hasPrefix("nats: a response and --command\n"))
        #expect(both.status == 2)
        var options = NATSTestServer.Options()
        options.users = [.init(name: "u", password: "p")]
        options.defaultPermissions = .init(subscribe: .init(deny: ["svc"]))
        try await NATSTestServer.withServer(options) { server in
            let result = try await ToolShell.run("nats-rply $U svc a", url: server.clientURL(user: "u", password: "p"))
            #expect(result.status == 1)
            #expect(!result.errors.contains("Listening"))
        }
    }
}
