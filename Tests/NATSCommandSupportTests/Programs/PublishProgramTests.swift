import NATSTestServer
import NATSTestSupport
import Testing

@Suite("nats-pub", .timeLimit(.minutes(3)))
struct PublishProgramTests {
    private func withServer(
        _ options: NATSTestServer.Options = NATSTestServer.Options(),
        _ body: (NATSTestServer, WireTap) async throws -> Void
    ) async throws {
        try await NATSTestServer.withServer(options) { server in
            try await body(server, try await WireTap(port: server.port))
        }
    }

    @Test(
        "prints what was published on standard error and nothing on standard output",
        arguments: ServerUnderTest.available
    )
    func published(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let tap = try await WireTap(port: server.port)
            let result = try await ToolShell.run("nats-pub $U foo hello", url: server.url)
            #expect(result.errors == "Published [foo] : 'hello'\n")
            #expect(result.output == "")
            #expect(result.status == 0)
            #expect(
                try await tap.messages(atLeast: 1) == [
                    .init(subject: "foo", reply: nil, headers: nil, payload: "hello")
                ]
            )
        }
    }

    @Test(
        "operands that look like flags, flags behind operands, empty messages",
        arguments: [
            ("nats-pub $U foo -5", ["-5"], "Published [foo] : '-5'\n"),
            ("nats-pub $U foo -- --count", ["--count"], "Published [foo] : '--count'\n"),
            ("nats-pub $U foo x --count 2", ["x", "x"], "Published [foo] : 'x'\nPublished [foo] : 'x'\n"),
            ("nats-pub -${U#-} foo ''", [""], "Published [foo] : ''\n"),
            ("nats-pub $U -e foo", [""], "Published [foo] : ''\n"),
            ("nats-pub $U -q foo a", ["a"], ""),
            ("nats-pub --s=${U#-s } foo a", ["a"], "Published [foo] : 'a'\n"),
        ]
    )
    func operands(script: String, payloads: [String], errors: String) async throws {
        try await self.withServer { server, tap in
            let result = try await ToolShell.run(script, url: server.clientURL)
            #expect(result.errors == errors)
            #expect(result.status == 0)
            #expect(try await tap.payloads(atLeast: payloads.count) == payloads)
        }
    }

    @Test("only the first twenty of many equal messages are listed")
    func manyEqual() async throws {
        try await self.withServer { server, tap in
            let result = try await ToolShell.run("nats-pub $U -n 1000 foo x", url: server.clientURL)
            #expect(result.errors == String(repeating: "Published [foo] : 'x'\n", count: 20))
            #expect(try await tap.payloads(atLeast: 1000).count == 1000)
        }
    }

    @Test("a pause between messages, each listed when the server has it")
    func pause() async throws {
        try await self.withServer { server, tap in
            let result = try await ToolShell.run("nats-pub $U -n 3 --sleep 100ms foo x", url: server.clientURL)
            #expect(result.duration >= .milliseconds(200))
            #expect(result.errors == String(repeating: "Published [foo] : 'x'\n", count: 3))
            #expect(try await tap.payloads(atLeast: 3).count == 3)
        }
    }

    @Test("headers and reply subject")
    func headersAndReply() async throws {
        try await self.withServer { server, tap in
            let result = try await ToolShell.run(
                "nats-pub $U -H 'K: a b ' --header=k:2 -H K:3 -reply r.s foo body",
                url: server.clientURL
            )
            #expect(result.status == 0)
            let messages = try await tap.messages(atLeast: 1)
            #expect(messages.count == 1)
            #expect(messages.first?.reply == "r.s")
            #expect(messages.first?.payload == "body")
            #expect(messages.first?.headers == "NATS/1.0\r\nK: a b\r\nk: 2\r\nK: 3\r\n\r\n")
        }
    }

    @Test(
        "standard input",
        arguments: [
            ("printf 'a\\nb' | nats-pub $U -l t", ["a", "b"]),
            ("printf 'a\\n' | nats-pub $U t", ["a\n"]),
            ("printf 'a\\0b\\0' | nats-pub $U -0 t", ["a", "b"]),
            ("printf 'a\\0b' | nats-pub $U --send-on null t", ["a", "b"]),
            (": | nats-pub $U -l t", []),
            (": | nats-pub $U t", [""]),
            ("printf 'a\\n\\nb\\n' | nats-pub $U --lines t", ["a", "", "b"]),
            ("printf 'a\\nb\\nc\\n' | nats-pub $U -l -n 2 t", ["a", "b"]),
            ("printf 'a\\n' | nats-pub $U -n 3 t", ["a\n", "a\n", "a\n"]),
            ("printf 'x' | nats-pub $U --send-on eof t", ["x"]),
            ("printf 'unseen' | nats-pub $U t given", ["given"]),
        ]
    )
    func standardInput(script: String, payloads: [String]) async throws {
        try await self.withServer { server, tap in
            let result = try await ToolShell.run(script, url: server.clientURL)
            #expect(result.status == 0)
            #expect(result.output == "")
            if !script.hasSuffix("given") { #expect(result.errors == "") }
            #expect(try await tap.payloads(atLeast: payloads.count) == payloads)
        }
    }

    @Test("with a message it leaves standard input to others")
    func leavesInput() async throws {
        try await self.withServer { server, tap in
            let result = try await ToolShell.run(
                "while read x; do nats-pub $U t \"$x\"; done <lines",
                url: server.clientURL,
                files: ["lines": "one\ntwo\nthree\n"]
            )
            #expect(result.status == 0)
            #expect(try await tap.payloads(atLeast: 3) == ["one", "two", "three"])
        }
    }

    @Test("-v lists sizes and a sum")
    func verbose() async throws {
        try await self.withServer { server, _ in
            let result = try await ToolShell.run("printf 'a\\nbcd\\n' | nats-pub $U -v -l t", url: server.clientURL)
            #expect(
                result.errors.hasSuffix(
                    "Published [t] : 1 bytes\nPublished [t] : 3 bytes\nPublished 2 messages (4 bytes) to [t]\n"
                )
            )
        }
    }

    @Test("a line is sent when it arrives, not at the end of the input")
    func latency() async throws {
        try await self.withServer { server, tap in
            let shell = try ToolShell(
                "mkfifo pipe; (echo 1 >&3; while [ ! -e go ]; do sleep 0.01; done; echo 2 >&3) 3>pipe & nats-pub $U -l t <pipe",
                url: server.clientURL
            )
            #expect(try await tap.payloads(atLeast: 1) == ["1"])
            #expect(shell.isRunning)
            try shell.write("", to: "go")
            #expect(try await shell.result().status == 0)
            #expect(try await tap.payloads(atLeast: 2) == ["1", "2"])
        }
    }

    @Test("many lines arrive complete and in order")
    func manyLines() async throws {
        try await self.withServer { server, tap in
            let result = try await ToolShell.run("seq 1 20000 | nats-pub $U -l t", url: server.clientURL)
            #expect(result.status == 0)
            #expect(try await tap.payloads(atLeast: 20000) == (1...20000).map(String.init))
        }
    }

    @Test(
        "what is wrong with the command line ends it with 2, before any connection",
        arguments: [
            "nats-pub", "nats-pub -zz", "nats-pub a b c", "nats-pub -n", "nats-pub --json a b", "nats-pub -l a b",
            "nats-pub --creds x --nkey y a b", "NATS_CREDS=x NATS_NKEY=y nats-pub a b", "nats-pub -H nocolon a b",
            "nats-pub --timeout x a b",
        ]
    )
    func usage(script: String) async throws {
        let result = try await ToolShell.run(script, url: nil)
        #expect(result.status == 2)
        #expect(result.output == "")
        #expect(result.errors.hasPrefix("nats: "))
        #expect(result.errors.contains("nats-pub [flags] <subject> [<msg>]"))
    }

    @Test("the message operand is published byte for byte, and no other argument may be anything but UTF-8")
    func notUTF8() async throws {
        try await self.withServer { server, tap in
            let result = try await ToolShell.run(
                "nats-pub $U foo \"$(printf 'a\\377\\200')\" 2>printed; od -An -tx1 printed | tr -d ' \\n'",
                url: server.clientURL
            )
            #expect(result.status == 0)
            #expect(try await tap.messages(atLeast: 1).map(\.bytes) == [[0x61, 0xFF, 0x80]])
            let printed = Array("Published [foo] : 'a".utf8) + [0xFF, 0x80] + Array("'\n".utf8)
            #expect(result.output == printed.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined())
            for script in ["nats-pub $U \"$(printf '\\377')\" a", "nats-pub $U -H \"K:$(printf '\\377')\" t a"] {
                #expect(try await ToolShell.run(script, url: server.clientURL).status == 2)
            }
        }
    }

    @Test("a server that is not there does not spoil the one that is")
    func severalServers() async throws {
        try await self.withServer { server, _ in
            for _ in 0..<6 {
                let result = try await ToolShell.run("nats-pub -s 127.0.0.1:1,127.0.0.1:\(server.port) foo a")
                #expect(result.status == 0)
                #expect(result.errors == "Published [foo] : 'a'\n")
            }
        }
    }

    @Test("a server that says nothing is a failure, not a timeout")
    func silentServer() async throws {
        let peer = try ScriptedServer()
        let result = try await ToolShell.run("nats-pub $U --timeout 200ms foo a", url: peer.url)
        #expect(result.status == 1)
        #expect(result.errors.hasPrefix("nats: "))
    }

    @Test("the completion scripts load", arguments: ["nats-pub", "nats-sub", "nats-req"])
    func completion(tool: String) async throws {
        let result = try await ToolShell.run("\(tool) --generate-completion-script bash >script && bash -n script")
        #expect(result.status == 0)
        #expect(result.errors == "")
        let help = try await ToolShell.run("\(tool) --help")
        #expect(help.status == 0)
        #expect(help.output.contains("USAGE: \(tool) [flags] <subject>"))
        #expect(help.errors == "")
    }

    @Test("failures have one line and status 1")
    func failures() async throws {
        try await self.withServer { server, tap in
            let bad = try await ToolShell.run("nats-pub $U 'bad subj' a", url: server.clientURL)
            #expect(bad.status == 1)
            #expect(bad.errors.hasPrefix("nats: "))
            #expect(bad.errors.contains("bad subj"))
            #expect(!bad.errors.contains("Published"))
            #expect(bad.errors.filter { $0 == "\n" }.count == 1)
            #expect(try await tap.messages(atLeast: 0).isEmpty)
        }
        let dead = try await ToolShell.run("nats-pub -s 127.0.0.1:1 foo a")
        #expect(dead.errors == "nats: no servers available for connection\n")
        #expect(dead.status == 1)
        #expect(dead.duration < .seconds(30))
    }

    @Test("a payload over the limit is refused before it is sent, earlier lines stay sent")
    func tooLarge() async throws {
        var options = NATSTestServer.Options()
        options.maxPayload = 1024
        try await self.withServer(options) { server, tap in
            let whole = try await ToolShell.run("head -c 2048 /dev/zero | nats-pub $U t", url: server.clientURL)
            #expect(whole.status == 1)
            #expect(whole.errors == "nats: message of at least 2048 bytes exceeds max_payload 1024\n")
            let line = try await ToolShell.run(
                "{ echo a; echo b; head -c 1025 /dev/zero | tr '\\0' x; echo; echo c; } | nats-pub $U -l t",
                url: server.clientURL
            )
            #expect(line.status == 1)
            #expect(line.errors == "nats: line 3: message of 1025 bytes exceeds max_payload 1024\n")
            let header = try await ToolShell.run(
                "head -c 1020 /dev/zero | tr '\\0' x | nats-pub $U -l -H K:V t",
                url: server.clientURL
            )
            #expect(header.status == 1)
            #expect(header.errors == "nats: line 1: message of 1038 bytes exceeds max_payload 1024\n")
            #expect(try await tap.payloads(atLeast: 2) == ["a", "b"])
        }
    }

    @Test("credentials by flag, environment and URL")
    func credentials() async throws {
        var options = NATSTestServer.Options()
        options.user = "u"
        options.password = "p"
        try await NATSTestServer.withServer(options) { server in
            let address = "127.0.0.1:\(server.port)"
            for (script, status) in [
                ("nats-pub -s \(address) --user u --password p t x", 0),
                ("nats-pub -s nats://u:p@\(address) t x", 0),
                ("NATS_USER=u NATS_PASSWORD=p nats-pub -s \(address) t x", 0),
                ("NATS_URL=nats://u:p@\(address) nats-pub t x", 0),
                ("NATS_URL=nats://u:p@\(address) nats-pub --user u --password wrong t x", 1),
                ("NATS_USER=u NATS_PASSWORD=wrong nats-pub -s \(address) --password p --user u t x", 0),
                ("nats-pub -s \(address) t x", 1),
            ] {
                let result = try await ToolShell.run(script)
                #expect(result.status == status, "\(script): \(result.errors)")
                if status == 1 { #expect(result.errors == "nats: authorization violation\n") }
            }
        }
        var withToken = NATSTestServer.Options()
        withToken.token = "secret"
        try await NATSTestServer.withServer(withToken) { server in
            for script in [
                "nats-pub $U --token secret t x", "NATS_TOKEN=secret nats-pub $U t x", "nats-pub $U --user secret t x",
            ] {
                let result = try await ToolShell.run(script, url: server.clientURL)
                #expect(result.status == 0, "\(script): \(result.errors)")
            }
        }
    }

    @Test("closed standard descriptors do not crash it")
    func closedDescriptors() async throws {
        try await self.withServer { server, tap in
            for script in [
                "nats-pub $U t x <&-", "nats-pub $U t x >&-", "nats-pub $U t x 2>&-", "nats-pub $U t x <&- >&- 2>&-",
            ] {
                #expect(try await ToolShell.run(script, url: server.clientURL).status == 0, "\(script)")
            }
            let noInput = try await ToolShell.run("nats-pub $U -l t <&-", url: server.clientURL)
            #expect(noInput.status == 1)
            #expect(noInput.errors == "nats: standard input: Bad file descriptor\n")
            #expect(try await tap.payloads(atLeast: 4) == ["x", "x", "x", "x"])
        }
    }

    @Test("a signal ends one that never pauses", arguments: ["exec nats-pub $U", "nats-pub $U <in"])
    func signalWithoutPause(start: String) async throws {
        try await NATSTestServer.withServer { server in
            let flags = "-v --drain-timeout 300s -n 100000000000 foo"
            let script = start.hasPrefix("exec") ? "\(start) \(flags) x" : "exec \(start) \(flags)"
            let shell = try ToolShell(script, url: server.clientURL, files: ["in": "x"])
            try await shell.waitForErrors("Connected")
            shell.signal(2)
            #expect(try await shell.result().exit == .signaled(2))
        }
    }

    @Test("a signal ends it by that signal, after what it sent has arrived", arguments: [2, 15, 1])
    func signals(number: Int32) async throws {
        try await self.withServer { server, tap in
            let shell = try ToolShell(
                "mkfifo pipe; exec 3<>pipe; printf 'one\\ntwo\\nthr' >&3; exec nats-pub $U -l t <pipe",
                url: server.clientURL
            )
            #expect(try await tap.payloads(atLeast: 2) == ["one", "two"])
            shell.signal(number)
            #expect(try await shell.result().exit == .signaled(Int(number)))
            // The third line had no end, so it may have been half of one.
            #expect(try await tap.payloads(atLeast: 2) == ["one", "two"])
        }
    }

    @Test("a server that takes nothing does not keep it alive for long after a signal")
    func stuckServer() async throws {
        let peer = try ScriptedServer()
        let shell = try ToolShell("mkfifo pipe; yes >pipe & exec nats-pub $U -l t <pipe", url: peer.url)
        let (connection, _) = try await peer.acceptClient()
        connection.pauseReading()
        shell.signal(15)
        #expect(try await shell.result().exit == .signaled(15))
    }

    @Test("a server that goes away ends it, also when the input is silent")
    func serverGone() async throws {
        let server = try await NATSTestServer.start()
        let tap = try await WireTap(port: server.port)
        let shell = try ToolShell(
            "mkfifo pipe; exec 3<>pipe; echo one >&3; exec nats-pub $U -l t <pipe",
            url: server.clientURL
        )
        _ = try await tap.messages(atLeast: 1)
        await server.stop()
        let result = try await shell.result()
        #expect(result.status == 1)
        #expect(result.errors.hasPrefix("nats: "))
    }

    @Test("a server that refuses the publish makes it fail, with the server's words")
    func permissions() async throws {
        let peer = try ScriptedServer()
        let shell = try ToolShell("nats-pub $U secret.a x", url: peer.url)
        let (connection, _) = try await peer.acceptClient()
        try await connection.expect("PUB secret.a 1\r\nx\r\nPING\r\n")
        await connection.send("-ERR 'Permissions Violation for Publish to \"secret.a\"'\r\nPONG\r\n")
        let result = try await shell.result()
        #expect(result.status == 1)
        #expect(result.errors == "nats: permissions violation: Permissions Violation for Publish to \"secret.a\"\n")
    }

    @Test("the connection has the documented name, or the one given")
    func connectionName() async throws {
        for (flag, name) in [("", "NATS Sample Publisher"), ("--connection-name mine", "mine")] {
            let peer = try ScriptedServer()
            let shell = try ToolShell("nats-pub $U \(flag) a x", url: peer.url)
            let (connection, connect) = try await peer.acceptClient()
            #expect(connect.contains("\"name\":\"\(name)\""))
            try await connection.expect("PUB a 1\r\nx\r\nPING\r\n")
            await connection.send("PONG\r\n")
            #expect(try await shell.result().status == 0)
        }
    }
}
