import NATSTestServer
import NATSTestSupport
import Testing

@Suite("nats-pub", .timeLimit(.minutes(3)))
struct PublishProgramTests {
    private func withServer(
        _ kind: ServerUnderTest = .ours,
        _ configuration: ServerConfiguration = ServerConfiguration(),
        _ body: (RunningServer, WireTap) async throws -> Void
    ) async throws {
        try await kind.withServer(configuration) { server in
            try await body(server, try await WireTap(port: server.port))
        }
    }

    @Test(
        "D1 prints what was published on standard error and nothing on standard output",
        arguments: ServerUnderTest.both
    )
    func published(kind: ServerUnderTest) async throws {
        try await self.withServer(kind) { server, tap in
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

    @Test("D2 operands that look like flags, flags behind operands, empty messages", arguments: ServerUnderTest.both)
    func operands(kind: ServerUnderTest) async throws {
        let samples: [(script: String, payloads: [String], errors: String)] = [
            ("nats-pub $U foo -5", ["-5"], "Published [foo] : '-5'\n"),
            ("nats-pub $U foo -- --count", ["--count"], "Published [foo] : '--count'\n"),
            ("nats-pub $U foo x --count 3", ["x", "x", "x"], String(repeating: "Published [foo] : 'x'\n", count: 3)),
            ("nats-pub --s=${U#-s } foo ''", [""], "Published [foo] : ''\n"),
            ("nats-pub -${U#-} foo ''", [""], "Published [foo] : ''\n"),
            ("nats-pub $U -e foo", [""], "Published [foo] : ''\n"),
            ("nats-pub $U -q foo a", ["a"], ""),
        ]
        try await kind.withServer { server in
            for (script, payloads, errors) in samples {
                let tap = try await WireTap(port: server.port)
                let result = try await ToolShell.run(script, url: server.url)
                #expect(result.errors == errors, "\(script)")
                #expect(result.status == 0, "\(script)")
                #expect(try await tap.payloads(atLeast: payloads.count) == payloads, "\(script)")
            }
        }
    }

    @Test("only the first twenty of many equal messages are listed")
    func manyEqual() async throws {
        try await self.withServer { server, tap in
            let result = try await ToolShell.run("nats-pub $U -n 1000 foo x", url: server.url)
            #expect(result.errors == String(repeating: "Published [foo] : 'x'\n", count: 20))
            #expect(try await tap.payloads(atLeast: 1000).count == 1000)
        }
    }

    @Test("a pause between messages, each listed when the server has it")
    func pause() async throws {
        try await self.withServer { server, tap in
            let result = try await ToolShell.run("nats-pub $U -n 3 --sleep 100ms foo x", url: server.url)
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
                url: server.url
            )
            #expect(result.status == 0)
            let messages = try await tap.messages(atLeast: 1)
            #expect(messages.count == 1)
            #expect(messages.first?.reply == "r.s")
            #expect(messages.first?.payload == "body")
            #expect(messages.first?.headers == "NATS/1.0\r\nK: a b\r\nk: 2\r\nK: 3\r\n\r\n")
        }
    }

    @Test("D4 standard input is one message, or one per record", arguments: ServerUnderTest.both)
    func standardInput(kind: ServerUnderTest) async throws {
        let samples: [(script: String, payloads: [String])] = [
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
            ("printf 'unseen' | nats-pub $U -q t given", ["given"]),
        ]
        try await kind.withServer { server in
            for (script, payloads) in samples {
                let tap = try await WireTap(port: server.port)
                let result = try await ToolShell.run(script, url: server.url)
                #expect(result.status == 0, "\(script)")
                #expect(result.output == "", "\(script)")
                #expect(result.errors == "", "\(script)")
                #expect(try await tap.payloads(atLeast: payloads.count) == payloads, "\(script)")
            }
        }
    }

    @Test("D5 with a message it leaves standard input to others", arguments: ServerUnderTest.both)
    func leavesInput(kind: ServerUnderTest) async throws {
        try await self.withServer(kind) { server, tap in
            let result = try await ToolShell.run(
                "while read x; do nats-pub $U t \"$x\"; done <lines",
                url: server.url,
                files: ["lines": "one\ntwo\nthree\n"]
            )
            #expect(result.status == 0)
            #expect(try await tap.payloads(atLeast: 3) == ["one", "two", "three"])
        }
    }

    @Test("-v lists sizes and a sum")
    func verbose() async throws {
        try await self.withServer { server, _ in
            let result = try await ToolShell.run("printf 'a\\nbcd\\n' | nats-pub $U -v -l t", url: server.url)
            #expect(
                result.errors.hasSuffix(
                    "Published [t] : 1 bytes\nPublished [t] : 3 bytes\nPublished 2 messages (4 bytes) to [t]\n"
                )
            )
        }
    }

    @Test("D6 a line is sent when it arrives, not at the end of the input", arguments: ServerUnderTest.both)
    func latency(kind: ServerUnderTest) async throws {
        try await self.withServer(kind) { server, tap in
            let shell = try ToolShell(
                "mkfifo pipe; (echo 1 >&3; while [ ! -e go ]; do sleep 0.01; done; echo 2 >&3) 3>pipe & nats-pub $U -l t <pipe",
                url: server.url
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
            let result = try await ToolShell.run("seq 1 20000 | nats-pub $U -l t", url: server.url)
            #expect(result.status == 0)
            #expect(try await tap.payloads(atLeast: 20000) == (1...20000).map(String.init))
        }
    }

    @Test(
        "D3 what is wrong with the command line ends it with 2, before any connection",
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
                url: server.url
            )
            #expect(result.status == 0)
            #expect(try await tap.messages(atLeast: 1).map(\.bytes) == [[0x61, 0xFF, 0x80]])
            let printed = Array("Published [foo] : 'a".utf8) + [0xFF, 0x80] + Array("'\n".utf8)
            #expect(result.output == printed.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined())
            for script in ["nats-pub $U \"$(printf '\\377')\" a", "nats-pub $U -H \"K:$(printf '\\377')\" t a"] {
                #expect(try await ToolShell.run(script, url: server.url).status == 2)
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

    @Test("D3 failures have one line and status 1", arguments: ServerUnderTest.both)
    func failures(kind: ServerUnderTest) async throws {
        try await self.withServer(kind) { server, tap in
            let bad = try await ToolShell.run("nats-pub $U 'bad subj' a", url: server.url)
            #expect(bad.status == 1)
            #expect(bad.errors.hasPrefix("nats: "))
            #expect(bad.errors.contains("bad subj"))
            #expect(!bad.errors.contains("Published"))
            #expect(bad.errors.filter { $0 == "\n" }.count == 1)
            #expect(try await tap.messages(atLeast: 0).isEmpty)
        }
        let reserved = try ReservedPort()
        let dead = try await ToolShell.run("nats-pub $U foo a", url: reserved.url)
        #expect(dead.errors == "nats: no servers available for connection\n")
        #expect(dead.status == 1)
        #expect(dead.duration < .seconds(30))
    }

    @Test("D7 two MiB as one message are refused before anything is sent", arguments: ServerUnderTest.both)
    func twoMebibytes(kind: ServerUnderTest) async throws {
        try await self.withServer(kind) { server, tap in
            let result = try await ToolShell.run("head -c 2097152 /dev/zero | nats-pub $U t", url: server.url)
            #expect(result.status == 1)
            let line = #/nats: message of at least \d+ bytes exceeds max_payload 1048576\n/#
            #expect(result.errors.wholeMatch(of: line) != nil, "\(result.errors)")
            // The other client got nothing, and is still connected.
            #expect(try await tap.messages(atLeast: 0).isEmpty)
        }
    }

    @Test("a payload over the limit is refused before it is sent, earlier lines stay sent")
    func tooLarge() async throws {
        try await self.withServer(.ours, ServerConfiguration(maxPayload: 1024)) { server, tap in
            let line = try await ToolShell.run(
                "{ echo a; echo b; head -c 1025 /dev/zero | tr '\\0' x; echo; echo c; } | nats-pub $U -l t",
                url: server.url
            )
            #expect(line.status == 1)
            #expect(line.errors == "nats: line 3: message of 1025 bytes exceeds max_payload 1024\n")
            let header = try await ToolShell.run(
                "head -c 1020 /dev/zero | tr '\\0' x | nats-pub $U -l -H K:V t",
                url: server.url
            )
            #expect(header.status == 1)
            #expect(header.errors == "nats: line 1: message of 1038 bytes exceeds max_payload 1024\n")
            #expect(try await tap.payloads(atLeast: 2) == ["a", "b"])
        }
    }

    @Test("D20 credentials by flag, environment and URL; the flag wins", arguments: ServerUnderTest.both)
    func credentials(kind: ServerUnderTest) async throws {
        let configuration = ServerConfiguration(user: "u", password: "p", authTimeout: .seconds(60))
        try await kind.withServer(configuration) { server in
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
        try await kind.withServer(ServerConfiguration(token: "secret", authTimeout: .seconds(60))) { server in
            for script in [
                "nats-pub $U --token secret t x", "NATS_TOKEN=secret nats-pub $U t x", "nats-pub $U --user secret t x",
            ] {
                let result = try await ToolShell.run(script, url: server.url)
                #expect(result.status == 0, "\(script): \(result.errors)")
            }
        }
    }

    @Test("D22 closed standard descriptors do not crash it", arguments: ServerUnderTest.both)
    func closedDescriptors(kind: ServerUnderTest) async throws {
        try await self.withServer(kind) { server, tap in
            for script in [
                "nats-pub $U t x <&-", "nats-pub $U t x >&-", "nats-pub $U t x 2>&-", "nats-pub $U t x <&- >&- 2>&-",
            ] {
                #expect(try await ToolShell.run(script, url: server.url).status == 0, "\(script)")
            }
            let noInput = try await ToolShell.run("nats-pub $U -l t <&-", url: server.url)
            #expect(noInput.status == 1)
            #expect(noInput.errors == "nats: standard input: Bad file descriptor\n")
            // The writing end of a pipe is no input, though its file can be opened for reading.
            let output = try await ToolShell.run("nats-pub $U -l t <&1 | cat", url: server.url)
            #expect(output.errors == "nats: standard input: Bad file descriptor\n")
            #expect(try await tap.payloads(atLeast: 4) == ["x", "x", "x", "x"])
        }
    }

    @Test("a signal ends one that never pauses", arguments: ["exec nats-pub $U", "nats-pub $U <in"])
    func signalWithoutPause(start: String) async throws {
        try await ServerUnderTest.ours.withServer { server in
            let flags = "-v --drain-timeout 300s -n 100000000000 foo"
            let script = start.hasPrefix("exec") ? "\(start) \(flags) x" : "exec \(start) \(flags)"
            let shell = try ToolShell(script, url: server.url, files: ["in": "x"])
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
                url: server.url
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

    @Test("a signal is heard while endless input brings nothing to send")
    func endlessEmptyInput() async throws {
        let peer = try ScriptedServer()
        let shell = try ToolShell(
            "mkfifo pipe; yes '' >pipe & exec nats-pub $U -v --skip-empty -l t <pipe",
            url: peer.url
        )
        let (connection, _) = try await peer.acceptClient()
        try await shell.waitForErrors("Connected")
        shell.signal(15)
        await connection.send("PING\r\n")
        #expect(try await shell.result().exit == .signaled(15))
    }

    @Test("a server that goes away ends it, also when the input is silent")
    func serverGone() async throws {
        let server = try await ServerUnderTest.ours.start()
        let tap = try await WireTap(port: server.port)
        let shell = try ToolShell(
            "mkfifo pipe; exec 3<>pipe; echo one >&3; exec nats-pub $U -l t <pipe",
            url: server.url
        )
        _ = try await tap.messages(atLeast: 1)
        await server.stop()
        let result = try await shell.result()
        #expect(result.status == 1)
        #expect(result.errors.hasPrefix("nats: "))
    }

    @Test(
        "D8 a server that refuses the publish makes it fail, with the server's words",
        arguments: ServerUnderTest.both
    )
    func permissions(kind: ServerUnderTest) async throws {
        var configuration = ServerConfiguration(users: [.init(name: "u", password: "p")], authTimeout: .seconds(60))
        configuration.defaultPermissions = .init(publish: .init(deny: ["secret.>"]))
        try await kind.withServer(configuration) { server in
            for tool in ["nats-pub", "nats-req"] {
                let result = try await ToolShell.run("\(tool) $U --user u --password p secret.a x", url: server.url)
                #expect(result.status == 1, "\(tool)")
                #expect(
                    result.errors == "nats: permissions violation: Permissions Violation for Publish to \"secret.a\"\n"
                )
            }
        }
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
