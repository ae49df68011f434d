import NATSTestServer
import NATSTestSupport
import Testing

/// What scripts written for the examples of nats.go 1.53.1 read: everything but the report of the bench is on standard
/// error there, so they have `2>&1`, or a file for both.
///
/// Where ours decide otherwise the test says what Go's do.
@Suite("The Go examples' lines", .timeLimit(.minutes(3)))
struct GoExampleTests {
    @Test("nats-pub: Published; a flag in all four spellings of Go", arguments: ServerUnderTest.both)
    func publish(kind: ServerUnderTest) async throws {
        try await kind.withServer { server in
            for flag in ["-s \(server.url)", "-s=\(server.url)", "--s \(server.url)", "--s=\(server.url)"] {
                let result = try await ToolShell.run("nats-pub \(flag) -reply=r foo hello 2>&1")
                #expect(result.output == "Published [foo] : 'hello'\n")
                #expect(result.status == 0)
            }
            let number = try await ToolShell.run("nats-pub $U foo -5 2>&1", url: server.url)
            #expect(number.output == "Published [foo] : '-5'\n")
        }
    }

    @Test("nats-sub, nats-qsub: Listening, Received, the stamp of -t", arguments: ServerUnderTest.both)
    func subscribe(kind: ServerUnderTest) async throws {
        try await kind.withServer { server in
            let tap = try await WireTap(port: server.port, subject: "unused")
            let plain = try ToolShell("nats-sub $U -n 1 'a.>' 2>&1", url: server.url)
            let stamped = try ToolShell("nats-sub $U -t=true -n 1 'a.>' 2>&1", url: server.url)
            // nats-qsub has the group as its second operand.
            let queued = try ToolShell("nats-sub $U -n 1 -q g1 'a.>' 2>&1", url: server.url)
            for shell in [plain, stamped, queued] { try await shell.waitForOutput("Listening on") }
            try await tap.publish("a.b", "hi there")
            let lines = try await plain.result()
            #expect(lines.output == "Listening on [a.>]\n[#1] Received on [a.b]: 'hi there'\n")
            #expect(lines.status == 0)
            let stamp =
                #/Listening on \[a\.>\]\n\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[#1\] Received on \[a\.b\]: 'hi there'\n/#
            #expect(try await stamped.result().output.wholeMatch(of: stamp) != nil, "\(stamped.output)")
            let group =
                #/Listening on \[a\.>\], queue group \[g1\]\n\[#1\] Received on \[a\.b\] Queue\[g1\] Pid\[\d+\]: 'hi there'\n/#
            #expect(try await queued.result().output.wholeMatch(of: group) != nil, "\(queued.output)")
        }
    }

    @Test(
        "nats-req, nats-rply: Published, Received; Listening, Received, the end by ^C",
        arguments: ServerUnderTest.both
    )
    func requestAndReply(kind: ServerUnderTest) async throws {
        try await kind.withServer { server in
            let responder = try ToolShell("exec nats-rply $U svc pong 2>&1", url: server.url)
            try await responder.waitForOutput("Listening on [svc]\n")
            let answered = try await ToolShell.run("nats-req $U svc ping 2>&1", url: server.url)
            let lines = #/Published \[svc\] : 'ping'\nReceived  \[_INBOX\.[0-9A-Za-z.]+\] : 'pong'\n/#
            #expect(answered.output.wholeMatch(of: lines) != nil, "\(answered.output)")
            #expect(answered.status == 0)
            try await responder.waitForOutput("'ping'\n")
            responder.signal(2)
            let end = try await responder.result()
            // Go's prints an empty line, `Draining...` and `Exiting`, and exits with 1; ours drain in silence unless
            // on a terminal, and die by the signal.
            #expect(end.output == "Listening on [svc]\n[#1] Received on [svc]: 'ping'\n")
            #expect(end.exit == .signaled(2))
            // Go's says `… for request for request`, and exits with 1.
            let nobody = try await ToolShell.run("nats-req $U svc ping 2>&1", url: server.url)
            #expect(nobody.output == "nats: no responders available for request\n")
            #expect(nobody.status == 4)
        }
    }

    @Test("a lost server: Disconnected, Reconnected, Exiting", arguments: ServerUnderTest.both)
    func reconnect(kind: ServerUnderTest) async throws {
        let port = try ReservedPort()
        defer { port.release() }
        let configuration = ServerConfiguration(port: port.port)
        let first = try await kind.start(configuration)
        let tools = [
            (name: "nats-sub", reason: "to:EOF", shell: try ToolShell("nats-sub $U svc 2>&1", url: port.url)),
            (name: "nats-rply", reason: "to: EOF", shell: try ToolShell("nats-rply $U svc pong 2>&1", url: port.url)),
        ]
        let brief = try ToolShell("nats-sub $U --max-reconnects 2 x 2>&1", url: port.url)
        for shell in tools.map(\.shell) + [brief] { try await shell.waitForOutput("Listening on") }
        await first.stop()
        for shell in tools.map(\.shell) { try await shell.waitForOutput("Disconnected") }
        // Go's tries for ten minutes and then says the same.
        let gone = try await brief.result()
        #expect(
            gone.output == """
                Listening on [x]
                Disconnected due to:EOF, will attempt reconnects for 2s
                Exiting: nats: no servers available for connection

                """
        )
        #expect(gone.status == 1)
        let second = try await kind.start(configuration)
        for (name, reason, shell) in tools {
            try await shell.waitForOutput("Reconnected")
            #expect(
                shell.output == """
                    Listening on [svc]
                    Disconnected due \(reason), will attempt reconnects for 10m
                    Reconnected [\(port.url)]

                    """,
                "\(name)"
            )
            shell.signal(9)
        }
        await second.stop()
    }

    @Test("what is forbidden: permissions violation, exit status 1", arguments: ServerUnderTest.both)
    func permissions(kind: ServerUnderTest) async throws {
        var configuration = ServerConfiguration(users: [.init(name: "u", password: "p")], authTimeout: .seconds(60))
        configuration.defaultPermissions = .init(
            publish: .init(deny: ["secret.>"]),
            subscribe: .init(deny: ["secret.>"])
        )
        try await kind.withServer(configuration) { server in
            let url = "nats://u:p@127.0.0.1:\(server.port)"
            for (command, operation) in [
                ("nats-pub $U secret.a x", "Publish"), ("nats-sub $U secret.a", "Subscription"),
                ("nats-rply $U secret.a x", "Subscription"),
            ] {
                let result = try await ToolShell.run("\(command) 2>&1", url: url)
                let group = command.hasPrefix("nats-rply") ? " using queue \"NATS-RPLY-22\"" : ""
                let text = "Permissions Violation for \(operation) to \"secret.a\"\(group)"
                #expect(result.output == "nats: permissions violation: \(text)\n")
                #expect(result.status == 1)
            }
        }
    }

    @Test("nats-bench: the line at the start, the report, the file", arguments: ServerUnderTest.both)
    func bench(kind: ServerUnderTest) async throws {
        try await kind.withServer { server in
            let result = try await ToolShell.run(
                "nats-bench $U -np 1 -ns 2 -n 1000 -ms 16 -csv c.csv foo 2>&1",
                url: server.url
            )
            let beginnings = [
                "Starting benchmark [msgs=1000, msgsize=16, pubs=1, subs=2]", "NATS Pub/Sub stats: ", " Pub stats: ",
                " Sub stats: ", "  [1] ", "  [2] ", "  min ", "Saved metric data in csv file c.csv",
            ]
            let lines = result.output.split(separator: "\n")
            #expect(lines.count == beginnings.count, "\(result.output)")
            for (line, beginning) in zip(lines, beginnings) { #expect(line.hasPrefix(beginning)) }
            #expect(result.status == 0)
        }
    }

    @Test("what never reaches a server: no server, wrong operands and flags, a malformed subject")
    func refusals() async throws {
        let reserved = try ReservedPort()
        for tool in ["nats-pub $U a b", "nats-sub $U a", "nats-req $U a b", "nats-rply $U a b", "nats-bench $U a"] {
            let result = try await ToolShell.run("\(tool) 2>&1", url: reserved.url)
            #expect(result.output == "nats: no servers available for connection\n", "\(tool)")
            #expect(result.status == 1, "\(tool)")
        }
        for tool in ["nats-pub", "nats-sub", "nats-req", "nats-rply", "nats-bench"] {
            // Go's exits with 1 here.
            #expect(try await ToolShell.run(tool).status == 2, "\(tool)")
            #expect(try await ToolShell.run("\(tool) -zz a b").status == 2, "\(tool)")
            #expect(try await ToolShell.run("\(tool) -h >/dev/null").status == 0, "\(tool)")
        }
        // Go's says `specify -seed or -creds` and exits with 1.
        let both = try await ToolShell.run("nats-pub -creds x -nkey y a b")
        #expect(both.errors.hasPrefix("nats: --creds and --nkey exclude each other\n"))
        #expect(both.status == 2)
        // Go's prints `Published [bad subj] : 'a'` and succeeds.
        try await ServerUnderTest.ours.withServer { server in
            let malformed = try await ToolShell.run("nats-pub $U 'bad subj' a 2>&1", url: server.url)
            #expect(malformed.output.hasPrefix("nats: ") && !malformed.output.contains("Published"))
            #expect(malformed.status == 1)
        }
    }
}
