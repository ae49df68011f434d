import NATSTestServer
import NATSTestSupport
import Testing

@Suite("nats-sub", .timeLimit(.minutes(3)))
struct SubscribeProgramTests {
    private func withServer(
        _ kind: ServerUnderTest = .ours,
        _ body: (RunningServer, WireTap) async throws -> Void
    ) async throws {
        try await kind.withServer { server in
            try await body(server, try await WireTap(port: server.port, subject: "unused"))
        }
    }

    @Test("D9 prints the Go examples' lines and ends by count", arguments: ServerUnderTest.both)
    func lines(kind: ServerUnderTest) async throws {
        try await self.withServer(kind) { server, tap in
            let shell = try ToolShell("nats-sub $U 'a.>' -n 2", url: server.url)
            try await shell.waitForErrors()
            try await tap.publish("a.b", "hi there")
            try await tap.publish("a.c", reply: "r", "")
            let result = try await shell.result()
            #expect(result.errors == "Listening on [a.>]\n")
            #expect(result.output == "[#1] Received on [a.b]: 'hi there'\n[#2] Received on [a.c]: ''\n")
            #expect(result.status == 0)
        }
    }

    @Test(
        "D9 -t puts the local time before each line, a queue group names itself and the process",
        arguments: ServerUnderTest.both
    )
    func variants(kind: ServerUnderTest) async throws {
        try await self.withServer(kind) { server, tap in
            let timed = try ToolShell("nats-sub $U x -t -n 1", url: server.url)
            let queued = try ToolShell("nats-sub $U x -q g1 -n 1", url: server.url)
            try await timed.waitForErrors()
            try await queued.waitForErrors("Listening on [x], queue group [g1]\n")
            try await tap.publish("x", "zz")
            let stamp = #/\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[#1\] Received on \[x\]: 'zz'\n/#
            #expect(try await timed.result().output.wholeMatch(of: stamp) != nil)
            let group = #/\[#1\] Received on \[x\] Queue\[g1\] Pid\[\d+\]: 'zz'\n/#
            #expect(try await queued.result().output.wholeMatch(of: group) != nil)
        }
    }

    @Test("several subjects are counted together")
    func severalSubjects() async throws {
        try await self.withServer { server, tap in
            let shell = try ToolShell("nats-sub $U a b c.* -n 3", url: server.url)
            try await shell.waitForErrors("Listening on [a, b, c.*]\n")
            for subject in ["a", "c.1", "b", "a"] { try await tap.publish(subject, subject) }
            let result = try await shell.result()
            #expect(result.status == 0)
            #expect(result.output.split(separator: "\n").count == 3)
        }
    }

    @Test(
        "formats",
        arguments: [
            ("-r", "a\nb\n\nc\n"), ("-N", "ab\nc"), ("-0", "a\0b\n\0\0c\0"), ("-r -0", "a\0b\n\0\0c\0"),
            ("-F '%n %t %s|%S\\n'", "1 x a|1\n2 x b\n|2\n3 x |0\n4 x c|1\n"),
            ("-D '\\x2d;'", "a-;b\n-;-;c-;"), ("--output raw", "a\nb\n\nc\n"), ("--output null", "a\0b\n\0\0c\0"),
            ("--subjects-only", "x\nx\nx\nx\n"),
            (
                "--output nats",
                "[#1] Received on \"x\"\na\n\n[#2] Received on \"x\"\nb\n\n"
                    + "[#3] Received on \"x\"\nnil body\n\n[#4] Received on \"x\"\nc\n\n"
            ),
        ]
    )
    func formats(flags: String, expected: String) async throws {
        try await self.withServer { server, tap in
            let shell = try ToolShell("nats-sub $U \(flags) -v -n 4 x", url: server.url)
            try await shell.waitForErrors()
            for payload in ["a", "b\n", "", "c"] { try await tap.publish("x", payload) }
            let result = try await shell.result()
            #expect(result.output == expected)
            #expect(result.status == 0)
        }
    }

    @Test("raw output says nothing on standard error unless asked to")
    func rawIsSilent() async throws {
        try await self.withServer { server, _ in
            let silent = try await ToolShell.run("nats-sub $U -r x --max-time 300ms", url: server.url)
            #expect(silent.errors == "")
            #expect(silent.status == 0)
            let quiet = try await ToolShell.run("nats-sub $U --quiet x --max-time 300ms", url: server.url)
            #expect(quiet.errors == "")
        }
    }

    @Test(
        "D14 --wait and --max-time end it; with --count too few messages are status 3",
        arguments: ServerUnderTest.both
    )
    func limits(kind: ServerUnderTest) async throws {
        try await self.withServer(kind) { server, tap in
            // On a machine that stands still for five seconds the wait is over before the messages are there: that says
            // nothing about the tool, so one of ten rounds has to see them all.
            var haveSeenAll = false
            for _ in 1...10 where !haveSeenAll {
                let counted = try ToolShell("nats-sub $U x -n 5 --wait 5s", url: server.url)
                let uncounted = try ToolShell("nats-sub $U x --wait 5s", url: server.url)
                for shell in [counted, uncounted] { try await shell.waitForErrors() }
                for number in 1...3 { try await tap.publish("x", "\(number)") }
                haveSeenAll = true
                for (shell, status) in [(counted, 3), (uncounted, 0)] {
                    let result = try await shell.result()
                    #expect(result.status == status)
                    #expect(result.duration >= .seconds(5))
                    if result.output.split(separator: "\n").count != 3 { haveSeenAll = false }
                }
            }
            #expect(haveSeenAll)
            let timed = try await ToolShell.run("nats-sub $U x -n 5 --max-time 300ms", url: server.url)
            #expect(timed.status == 3)
            #expect(timed.duration >= .milliseconds(300))
        }
    }

    @Test("D11 a message is seen while the tool waits for more", arguments: ServerUnderTest.both)
    func latency(kind: ServerUnderTest) async throws {
        try await self.withServer(kind) { server, tap in
            let shell = try ToolShell("nats-sub $U -r -v x -n 2 | cat", url: server.url)
            try await shell.waitForErrors()
            try await tap.publish("x", "one")
            try await eventually("the line") { shell.output == "one\n" }
            try await tap.publish("x", "two")
            #expect(try await shell.result().output == "one\ntwo\n")
        }
    }

    @Test("D10 ends when its reader does, without a further message", arguments: ServerUnderTest.both)
    func readerGone(kind: ServerUnderTest) async throws {
        try await self.withServer(kind) { server, tap in
            let shell = try ToolShell("(nats-sub $U x; echo $? >status) | head -n 1", url: server.url)
            try await shell.waitForErrors()
            try await tap.publish("x", "one")
            let result = try await shell.result()
            #expect(result.output == "[#1] Received on [x]: 'one'\n")
            #expect(result.errors == "Listening on [x]\n")
            #expect(shell.file("status") == "141\n")
        }
    }

    @Test("D22 closed standard descriptors do not crash it", arguments: ServerUnderTest.both)
    func closedDescriptors(kind: ServerUnderTest) async throws {
        try await self.withServer(kind) { server, _ in
            let publisher = "(sleep 0.1; while [ ! -e done ]; do nats-pub -q $U x one; sleep 0.1; done) &"
            for (redirection, status) in [("<&-", 0), (">&-", 1), ("2>&-", 0), ("<&- >&- 2>&-", 1)] {
                let result = try await ToolShell.run(
                    "\(publisher) nats-sub $U -n 1 x \(redirection); status=$?; touch done; wait; exit $status",
                    url: server.url
                )
                #expect(result.status == status, "\(redirection)")
                if redirection == ">&-" { #expect(result.errors.hasSuffix("standard output: Bad file descriptor\n")) }
            }
        }
    }

    @Test("messages that its reader does not take in time are dropped, and that is said")
    func slowConsumer() async throws {
        try await self.withServer { server, tap in
            let shell = try ToolShell(
                """
                mkfifo pipe; (while [ ! -e go ]; do sleep 0.02; done; cat >received) <pipe &
                exec nats-sub $U -r -v x >pipe
                """,
                url: server.url
            )
            try await shell.waitForErrors()
            let megabyte = String(repeating: "x", count: 1_000_000)
            for _ in 0..<80 { try await tap.publish("x", megabyte) }
            try await shell.waitForErrors("Slow consumer on [x]")
            try shell.write("", to: "go")
            shell.signal(15)
            let result = try await shell.result()
            #expect(result.exit == .signaled(15))
            let report = try #require(
                result.errors.firstMatch(of: #/nats: slow consumer, (\d+) messages dropped on \[x\]\n/#)
            )
            let dropped = try #require(Int(report.1))
            try await eventually("the reader's end") { shell.file("received").count == (80 - dropped) * 1_000_001 }
        }
    }

    @Test("a full disk is an error with a reason")
    func fullDisk() async throws {
        try await self.withServer { server, tap in
            let shell = try ToolShell("[ -e /dev/full ] || exit 77; nats-sub $U x >/dev/full", url: server.url)
            try await shell.waitForErrors()
            try await tap.publish("x", "one")
            let result = try await shell.result()
            #expect(result.errors == "Listening on [x]\nnats: standard output: No space left on device\n")
            #expect(result.status == 1)
        }
    }

    @Test(
        "D15 a signal ends it by that signal, after everything that was queued is printed",
        arguments: [2, 15, 1],
        ServerUnderTest.both
    )
    func signals(number: Int32, kind: ServerUnderTest) async throws {
        try await self.withServer(kind) { server, tap in
            let shell = try ToolShell("exec nats-sub $U -r -v x", url: server.url)
            try await shell.waitForErrors()
            try await tap.publishNumbers("x", 10_000)
            shell.signal(number)
            let result = try await shell.result()
            #expect(result.exit == .signaled(Int(number)))
            #expect(result.output == (1...10_000).map { "\($0)\n" }.joined())
        }
    }

    @Test("D15 a second signal ends it at once, even if its output is stuck", arguments: ServerUnderTest.both)
    func secondSignal(kind: ServerUnderTest) async throws {
        try await self.withServer(kind) { server, tap in
            let shell = try ToolShell(
                "mkfifo pipe; exec 3<>pipe; exec nats-sub $U -r -v x >pipe",
                url: server.url
            )
            try await shell.waitForErrors()
            // More than a pipe takes.
            for _ in 0..<4 { try await tap.publish("x", String(repeating: "x", count: 500_000)) }
            shell.signal(2)
            try await shell.waitForErrors("Draining...")
            shell.signal(2)
            #expect(try await shell.result().exit == .signaled(2))
        }
    }

    #if os(Linux)
    @Test("D15 one interrupt of the terminal's process group ends the shell's loop", arguments: ServerUnderTest.both)
    func loop(kind: ServerUnderTest) async throws {
        try await self.withServer(kind) { server, _ in
            let shell = try ToolShell(
                "setsid -w bash -c 'echo $$ >group; while :; do nats-sub $U x; done; echo not reached'; echo $?",
                url: server.url
            )
            try await shell.waitForErrors()
            let kill = try await ToolShell.run("kill -INT -\(shell.file("group"))")
            #expect(kill.status == 0)
            #expect(try await shell.result().output == "130\n")
        }
    }
    #endif

    @Test("D16 a queue group shares the messages", arguments: ServerUnderTest.both)
    func queueGroup(kind: ServerUnderTest) async throws {
        try await self.withServer(kind) { server, tap in
            let shells = try (0..<2).map { _ in
                try ToolShell("exec nats-sub $U -r -v -q g x", url: server.url)
            }
            for shell in shells { try await shell.waitForErrors() }
            try await tap.publishNumbers("x", 1000)
            var seen: [Int] = []
            for shell in shells {
                shell.signal(15)
                seen += try await shell.result().output.split(separator: "\n").compactMap { Int($0) }
            }
            #expect(seen.sorted() == Array(1...1000))
        }
    }

    @Test("D17 a restarted server is found again, with subscriptions and queue group", arguments: ServerUnderTest.both)
    func restart(kind: ServerUnderTest) async throws {
        let port = try ReservedPort()
        defer { port.release() }
        let configuration = ServerConfiguration(port: port.port)
        let first = try await kind.start(configuration)
        let shell = try ToolShell("nats-sub $U -q g x -n 2", url: port.url)
        try await shell.waitForErrors()
        try await WireTap(port: port.port, subject: "unused").publish("x", "before")
        try await eventually("the first line") { shell.output.contains("before") }
        await first.stop()
        try await shell.waitForErrors("Disconnected")
        let second = try await kind.start(configuration)
        try await shell.waitForErrors("Reconnected")
        try await WireTap(port: port.port, subject: "unused").publish("x", "after")
        let result = try await shell.result()
        #expect(
            result.errors == """
                Listening on [x], queue group [g]
                Disconnected due to:EOF, will attempt reconnects for 10m
                Reconnected [\(port.url)]

                """
        )
        #expect(result.output.contains("[#2] Received on [x] Queue[g]"))
        #expect(result.status == 0)
        await second.stop()
    }

    @Test("without attempts to connect again, a lost connection ends it")
    func noReconnects() async throws {
        let server = try await ServerUnderTest.ours.start()
        let shell = try ToolShell("nats-sub $U --max-reconnects 0 x", url: server.url)
        try await shell.waitForErrors()
        await server.stop()
        let result = try await shell.result()
        #expect(result.errors.hasPrefix("Listening on [x]\n"))
        #expect(!result.errors.contains("will attempt"))
        #expect(result.status == 1)
    }

    @Test("D8 a refused subscription is status 1, and it is never listening", arguments: ServerUnderTest.both)
    func permissions(kind: ServerUnderTest) async throws {
        var configuration = ServerConfiguration(users: [.init(name: "u", password: "p")], authTimeout: .seconds(60))
        configuration.defaultPermissions = .init(subscribe: .init(deny: ["secret.>"]))
        try await kind.withServer(configuration) { server in
            let result = try await ToolShell.run("nats-sub $U --user u --password p secret.a", url: server.url)
            #expect(result.status == 1)
            #expect(
                result.errors
                    == "nats: permissions violation: Permissions Violation for Subscription to \"secret.a\"\n"
            )
        }
    }

    @Test(
        "what is wrong with the command line is status 2",
        arguments: [
            "nats-sub", "nats-sub -zz x", "nats-sub --stream s x", "nats-sub -n 0 x", "nats-sub --wait x x",
            "nats-sub -F %z x", "nats-sub -N -0 x", "nats-sub -I a..b x", "nats-sub -D '\\q' x",
        ]
    )
    func usage(script: String) async throws {
        let result = try await ToolShell.run(script)
        #expect(result.status == 2)
        #expect(result.output == "")
        #expect(result.errors.hasPrefix("nats: "))
        #expect(result.errors.contains("nats-sub [flags] <subject>..."))
    }

    @Test("a malformed subject is status 1")
    func badSubject() async throws {
        try await self.withServer { server, _ in
            for subject in ["a..b", "a b", ""] {
                let result = try await ToolShell.run("nats-sub $U '\(subject)'", url: server.url)
                #expect(result.status == 1)
                #expect(result.errors.hasPrefix("nats: "))
            }
        }
    }

    @Test("D11 lines go through the tools unharmed, a million of them in the long run", arguments: ServerUnderTest.both)
    func manyLines(kind: ServerUnderTest) async throws {
        let count = TestDependencies.runsLongTests ? 1_000_000 : 50_000
        try await self.withServer(kind) { server, _ in
            let shell = try ToolShell(
                """
                seq 1 \(count) | awk '{printf "%099d\\n", $1}' >lines
                nats-sub $U -r -v -n \(count) x | cat >received &
                while ! grep -q Listening errors; do sleep 0.05; done
                nats-pub $U -l x <lines && wait && cmp lines received
                """,
                url: server.url
            )
            #expect(try await shell.result(timeout: .seconds(120)).status == 0)
        }
    }
}
