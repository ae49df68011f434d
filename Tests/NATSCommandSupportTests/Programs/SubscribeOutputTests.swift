import NATSTestServer
import NATSTestSupport
import Testing

/// What nats-sub shows and what it leaves out.
@Suite("nats-sub's output", .timeLimit(.minutes(3)))
struct SubscribeOutputTests {
    private func withServer(
        _ kind: ServerUnderTest = .ours,
        _ body: (RunningServer, WireTap) async throws -> Void
    ) async throws {
        try await kind.withServer { server in
            try await body(server, try await WireTap(port: server.port, subject: "unused"))
        }
    }

    @Test("D12 a JSON line for each message, base 64 for what is not text", arguments: ServerUnderTest.both)
    func json(kind: ServerUnderTest) async throws {
        try await self.withServer(kind) { server, tap in
            let shell = try ToolShell("nats-sub $U --json -v -n 3 'x.>'", url: server.url)
            try await shell.waitForErrors()
            try await tap.publish("x.1", bytes: [0xFF, 0])
            try await tap.publish("x.2", reply: "r", "a\"b\n")
            try await tap.publish("x.3", headers: "NATS/1.0\r\nK: 1\r\nk: é\r\nK: 2\r\n\r\n", "")
            let result = try await shell.result()
            #expect(result.status == 0)
            let time = #/"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"/#
            #expect(
                result.output.replacing(time, with: "T") == #"""
                    {"subject":"x.1","data_base64":"/wA=",T,"seq":1}
                    {"subject":"x.2","reply":"r","data":"a\"b\n",T,"seq":2}
                    {"subject":"x.3","headers":{"K":["1","2"],"k":["é"]},"data":"",T,"seq":3}

                    """#
            )
            #expect(result.output.matches(of: time).count == 3)
        }
    }

    @Test("D12 jq reads every line", arguments: ["--json", "--json-payload"], ServerUnderTest.both)
    func jq(flag: String, kind: ServerUnderTest) async throws {
        try await self.withServer(kind) { server, tap in
            let shell = try ToolShell(
                "command -v jq >/dev/null || exit 77; nats-sub $U \(flag) -v -n 4 x | jq -c 'keys_unsorted|join(\" \")'",
                url: server.url
            )
            try await eventually("it listens, or ends without jq") {
                shell.errors.contains("Listening on") || !shell.isRunning
            }
            guard shell.isRunning else { return }
            for payload in ["{\"a\":\n[1, 2]}", "no", "", "\u{1}\u{7F}\u{2028}\\\"/"] {
                try await tap.publish("x", payload)
            }
            let result = try await shell.result()
            let plain = "\"subject data time seq\"\n"
            let first = flag == "--json" ? plain : "\"subject payload time seq\"\n"
            #expect(result.output == first + plain + plain + plain)
        }
    }

    @Test("ignored subjects are neither shown nor counted")
    func ignored() async throws {
        try await self.withServer { server, tap in
            let shell = try ToolShell("nats-sub $U 'x.>' -I x.a -I 'x.*.b' -n 2", url: server.url)
            try await shell.waitForErrors()
            for subject in ["x.a", "x.c", "x.y.b", "x.a", "x.a.c"] { try await tap.publish(subject, "1") }
            let result = try await shell.result()
            #expect(result.output == "[#1] Received on [x.c]: '1'\n[#2] Received on [x.a.c]: '1'\n")
            #expect(result.status == 0)
        }
    }

    @Test("an inbox is said first, and listened on beside the subjects", arguments: ["", "x", "-r", "--quiet"])
    func inbox(arguments: String) async throws {
        try await self.withServer { server, tap in
            let shell = try ToolShell("nats-sub $U -i -n 1 --inbox-prefix my \(arguments)", url: server.url)
            try await eventually("the inbox") { shell.errors.contains("\n") }
            let inbox = try #require(shell.errors.split(separator: "\n").first.map(String.init))
            #expect(inbox.hasPrefix("my."))
            try await tap.publish(inbox, "hi")
            let result = try await shell.result()
            #expect(result.output == (arguments == "-r" ? "hi\n" : "[#1] Received on [\(inbox)]: 'hi'\n"))
            let subjects = arguments == "x" ? "x, \(inbox)" : inbox
            // Quiet or not: nobody could send there otherwise.
            let isSilent = arguments == "-r" || arguments == "--quiet"
            #expect(result.errors == (isSilent ? "\(inbox)\n" : "\(inbox)\nListening on [\(subjects)]\n"))
        }
    }

    @Test("headers: behind each line, or alone")
    func headers() async throws {
        try await self.withServer { server, tap in
            let lines = try ToolShell("nats-sub $U --headers -n 2 x", url: server.url)
            let alone = try ToolShell("nats-sub $U --headers-only -v -n 2 x", url: server.url)
            let format = try ToolShell("nats-sub $U -F '%h\\n' -v -n 2 x", url: server.url)
            for shell in [lines, alone, format] { try await shell.waitForErrors() }
            try await tap.publish("x", headers: "NATS/1.0\r\nA: 1\r\nB: 2\r\n\r\n", "hi")
            try await tap.publish("x", "there")
            #expect(
                try await lines.result().output
                    == "[#1] Received on [x]: 'hi'\nA: 1\nB: 2\n[#2] Received on [x]: 'there'\n"
            )
            #expect(try await alone.result().output == "A: 1\nB: 2\n\n\n")
            #expect(try await format.result().output == "A: 1, B: 2\n\n")
        }
    }

    @Test("times before lines")
    func times() async throws {
        try await self.withServer { server, tap in
            let delta = try ToolShell("nats-sub $U -d -n 1 x", url: server.url)
            let unix = try ToolShell("nats-sub $U -r -v --time-format unix -n 1 x", url: server.url)
            let pretty = try ToolShell("nats-sub $U -t --output nats -n 1 x", url: server.url)
            for shell in [delta, unix, pretty] { try await shell.waitForErrors() }
            try await tap.publish("x", "hi")
            let deltaLine = #/(\d+h)?(\d+m)?[\d.]+(s|ms|µs) \[#1\] Received on \[x\]: 'hi'\n/#
            #expect(try await delta.result().output.wholeMatch(of: deltaLine) != nil)
            #expect(try await unix.result().output.wholeMatch(of: #/\d{10} hi\n/#) != nil)
            let prettyText = #/\[#1\] @ [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d\.\d{6} Received on "x"\nhi\n\n/#
            #expect(try await pretty.result().output.wholeMatch(of: prettyText) != nil)
        }
    }

    @Test("D25 no escape bytes where there is no terminal", arguments: ServerUnderTest.both)
    func colors(kind: ServerUnderTest) async throws {
        try await self.withServer(kind) { server, tap in
            let plain = try ToolShell("nats-sub $U --output nats -n 1 x", url: server.url)
            let colored = try ToolShell("nats-sub $U --output nats --color always -n 1 x", url: server.url)
            let shells = [plain, colored]
            for shell in shells { try await shell.waitForErrors() }
            try await tap.publish("x", "hi")
            #expect(try await plain.result().output == "[#1] Received on \"x\"\nhi\n\n")
            #expect(
                try await colored.result().output
                    == "\u{1B}[36m[#1]\u{1B}[0m Received on \u{1B}[32m\"x\"\u{1B}[0m\nhi\n\n"
            )
            for tool in ["nats-sub", "nats-pub", "nats-req", "nats-rply", "nats-bench"] {
                let help = try await ToolShell.run("\(tool) --help")
                #expect(!help.output.contains("\u{1B}"), "\(tool)")
            }
            let others = try await ToolShell.run(
                """
                nats-pub $U -v x a; nats-bench $U -n 10 -np 1 -ns 1 x; nats-req $U --output nats nobody a
                nats-sub $U --report-subjects --max-time 100ms x
                """,
                url: server.url
            )
            #expect(!others.output.contains("\u{1B}") && others.output.contains("Pub stats"))
            #expect(!others.errors.contains("\u{1B}") && others.errors.contains("Published [x] : 'a'"))
        }
    }

    #if os(Linux)
    @Test("D25 on a terminal there are colors, unless NO_COLOR is set", arguments: ServerUnderTest.both)
    func terminal(kind: ServerUnderTest) async throws {
        try await self.withServer(kind) { server, tap in
            for (variable, expected) in [
                ("NO_COLOR=1", "[#1] Received on \"x\"\r\n"),
                ("NO_COLOR=", "\u{1B}[36m[#1]\u{1B}[0m Received on \u{1B}[32m\"x\"\u{1B}[0m\r\n"),
            ] {
                // util-linux: a terminal for a program without one.
                let shell = try ToolShell(
                    "\(variable) TERM=xterm script -qfec \"nats-sub $U --output nats -n 1 x\" typed </dev/null",
                    url: server.url
                )
                try await eventually("it listens") { shell.output.contains("Listening on [x]") }
                try await tap.publish("x", "hi")
                let result = try await shell.result()
                #expect(result.output == "Listening on [x]\r\n\(expected)hi\r\n\r\n")
                #expect(result.status == 0)
            }
        }
    }
    #endif

    @Test("--no-echo is told to the server")
    func noEcho() async throws {
        for (flag, echo) in [("--no-echo", "\"echo\":false"), ("", "\"echo\":true")] {
            let peer = try ScriptedServer()
            let shell = try ToolShell("nats-sub $U \(flag) x", url: peer.url)
            let (_, connect) = try await peer.acceptClient()
            #expect("\(connect)".contains(echo))
            shell.signal(9)
        }
    }

    @Test(
        "messages beyond the pending limit are dropped, said once, and a failure unless --lossy",
        arguments: [
            ("", 1), ("--lossy", 0),
        ]
    )
    func pendingLimit(flag: String, status: Int) async throws {
        try await self.withServer { server, tap in
            let shell = try ToolShell(
                """
                mkfifo pipe; (while [ ! -e go ]; do sleep 0.02; done; cat >received) <pipe &
                exec nats-sub $U -r -v --pending-limit 2 \(flag) x y -n 4 >pipe
                """,
                url: server.url
            )
            try await shell.waitForErrors()
            // The first fills pipe and writer, the second waits for the writer, two more wait for that.
            let large = String(repeating: "x", count: 1_000_000)
            for _ in 0..<20 { try await tap.publish("x", large) }
            // These come behind the others: where they are too many, nothing more comes of x.
            for _ in 0..<20 { try await tap.publish("y", "small") }
            try await shell.waitForErrors("Slow consumer on [x]")
            try await shell.waitForErrors("Slow consumer on [y]")
            try shell.write("", to: "go")
            let result = try await shell.result()
            #expect(result.status == status)
            // On a busy machine the tool may take messages in between, and fall behind again.
            let episodes = result.errors.matches(of: #/Slow consumer on \[x\]\n/#).count
            let reports = result.errors.matches(of: #/nats: slow consumer, \d+ messages dropped on \[x\]\n/#).count
            #expect(reports >= 1 && reports <= episodes, "\(result.errors)")
        }
    }
}
