import NATSTestSupport
import Testing

@Suite("nats-top without a screen")
struct BatchProgramTests {
    private static let header =
        "SUBS    PENDING     MSGS_TO     MSGS_FROM   BYTES_TO    BYTES_FROM  LANG     VERSION  UPTIME   "

    private func withServer(
        _ server: ServerUnderTest,
        _ body: (RunningServer, Int) async throws -> Void
    ) async throws {
        var configuration = ServerConfiguration()
        configuration.monitoring = true
        try await server.withServer(configuration) { server in
            try await body(server, try #require(server.monitoringPort))
        }
    }

    /// Connections by name, with so many subscriptions each.
    private func connect(_ server: RunningServer, _ names: [(String, Int)]) async throws -> [RawConnection] {
        var connections: [RawConnection] = []
        for (name, count) in names {
            let connection = try await server.connect(options: #"{"name":"\#(name)","lang":"test","version":"1.2"}"#)
            for number in 0..<count { await connection.send("SUB \(name).\(number) \(number + 1)\r\n") }
            await connection.send("PING\r\n")
            _ = try await connection.read(until: "PONG\r\n")
            connections.append(connection)
        }
        return connections
    }

    @Test("-o - prints the grid of the original and ends", arguments: ServerUnderTest.available)
    func grid(server: ServerUnderTest) async throws {
        try await self.withServer(server) { server, port in
            let connections = try await self.connect(server, [("alpha", 1), ("beta-consumer", 3)])
            let result = try await TopRun.run("-m \(port) -o -")
            #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
            let lines = result.lines
            try #require(lines.count == 12)
            #expect(lines[0].hasPrefix("NATS server version 2.15.1 (uptime: ") && lines[0].hasSuffix(") "))
            #expect(lines[1].hasPrefix("Server: "))
            #expect(lines[2].hasPrefix("  ID:   N"))
            #expect(lines[3].hasPrefix("  Load: CPU:  ") && lines[3].contains("  Slow Consumers: 0"))
            #expect(lines[4].hasPrefix("  In:   Msgs: ") && lines[4].contains("  Msgs/Sec: 0.0  Bytes/Sec: 0"))
            #expect(lines[5].hasPrefix("  Out:  Msgs: "))
            #expect(lines[6] == "")
            #expect(lines[7] == "Connections Polled: 2")
            #expect(lines[8].hasPrefix("  HOST ") && lines[8].contains(" NAME            \(Self.header)LAST_ACTIVITY"))
            #expect(lines[9].hasPrefix("  127.0.0.1:") && lines[9].contains("  alpha           1       0  "))
            #expect(lines[10].contains("  beta-consumer   3       0  ") && lines[10].contains(" +0000 UTC"))
            #expect(lines[10].contains("  test     1.2      "))
            #expect(!result.output.contains("\u{1B}"))
            #expect(lines[11] == "")
            for connection in connections { connection.close() }
        }
    }

    @Test("-n 1 -sort subs shows the connection with the most subscriptions", arguments: ServerUnderTest.available)
    func mostSubscriptions(server: ServerUnderTest) async throws {
        try await self.withServer(server) { server, port in
            let connections = try await self.connect(server, [("few", 1), ("many", 4), ("none", 0)])
            let result = try await TopRun.run("-s 127.0.0.1 -m \(port) -n 1 -d 1 -sort subs -u -o -")
            #expect(result.lines[7] == "Connections Polled: 1 of 3" || result.lines[7] == "Connections Polled: 1")
            #expect(result.lines[8].hasSuffix("SUBSCRIPTIONS"))
            #expect(result.lines[9].contains("  many "))
            let subjects = (0..<4).map { "many.\($0)" }
            #expect(subjects.allSatisfy { result.lines[9].contains($0) }, "\(result.lines[9])")
            for connection in connections { connection.close() }
        }
    }

    @Test("-o with -l writes fields with the delimiter between them to a file", arguments: ServerUnderTest.available)
    func delimited(server: ServerUnderTest) async throws {
        try await self.withServer(server) { server, port in
            let connections = try await self.connect(server, [("alpha", 2)])
            let run = try TopRun("-m \(port) -o out.csv -l ';' -b -u")
            let result = try await run.result()
            #expect(result.status == 0 && result.output.isEmpty && result.errors.isEmpty)
            let lines = run.file("out.csv").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            try #require(lines.count == 10)
            #expect(lines[0].hasPrefix("NATS server version;2.15.1;(uptime: "))
            #expect(lines[1] == "Server:")
            #expect(lines[2].hasPrefix("Load:;CPU:;") && lines[2].hasSuffix(";Slow Consumers:;0"))
            #expect(lines[3].hasPrefix("In:;Msgs:;"))
            #expect(lines[6] == "Connections Polled:;1")
            #expect(
                lines[7] == "HOST;CID;NAME;SUBS;PENDING;MSGS_TO;MSGS_FROM;BYTES_TO;BYTES_FROM;LANG;VERSION;UPTIME;"
                    + "LAST_ACTIVITY;SUBSCRIPTIONS"
            )
            #expect(lines[8].contains(";alpha;2;0;0;0;0;0;test;1.2;"))
            #expect(lines[8].contains("alpha.0") && lines[8].contains("alpha.1"))
            for connection in connections { connection.close() }
        }
    }

    @Test("a recording is shown again as it was", arguments: ServerUnderTest.available)
    func recording(server: ServerUnderTest) async throws {
        try await self.withServer(server) { server, port in
            let connections = try await self.connect(server, [("alpha", 2)])
            let run = try TopRun("-m \(port) --json -r 3 -d 0.1 --record rounds")
            let live = try await run.result()
            #expect(live.status == 0 && live.errors.isEmpty, "\(live.errors)")
            let shown = try await TopRun.run("--replay '\(run.path)/rounds' --json")
            #expect(shown.status == 0 && shown.errors.isEmpty, "\(shown.errors)")
            // All but the time at the beginning of each line, which is the server's here.
            func rows(_ text: String) -> [Substring] {
                text.split(separator: "\n").compactMap { line in
                    line.firstRange(of: #""rows":"#).map { line[$0.lowerBound...] }
                }
            }
            #expect(rows(live.output).count == 3)
            #expect(rows(shown.output).count == 3)
            #expect(shown.output.split(separator: "\n").allSatisfy { $0.contains(#""name":"alpha""#) })
            #expect(shown.output.contains(#""state":"up""#))
            let log = try await TopRun.run("--replay '\(run.path)/rounds' --batch -r 2")
            #expect(log.lines.filter { $0.hasSuffix("Z up") }.count == 2)
            for connection in connections { connection.close() }
        }
    }

    @Test("--batch goes on until a signal, by which it dies")
    func signals() async throws {
        try await self.withServer(.ours) { _, port in
            for (number, status) in [(Int32(2), 130), (15, 143), (1, 129)] {
                let run = try TopRun("-m \(port) --batch -d 0.1")
                try await eventually("two snapshots, in \(run.output) \(run.errors)") {
                    run.output.split(separator: "\n").filter { $0.hasSuffix("Z up") }.count >= 2
                }
                run.signal(number)
                #expect(try await run.result().status == status)
            }
        }
    }

    @Test("nohup: a hang-up that is ignored stays so")
    func hangUp() async throws {
        try await self.withServer(.ours) { _, port in
            let run = try TopRun("-m \(port) --batch -d 0.1", before: "trap '' HUP; ")
            func count() -> Int { run.output.split(separator: "\n").count { $0.hasSuffix("Z up") } }
            try await eventually("a snapshot, in \(run.output) \(run.errors)") { count() >= 1 }
            run.signal(1)
            let before = count()
            try await eventually("further snapshots") { count() >= before + 3 }
            run.signal(15)
            #expect(try await run.result().status == 143)
        }
    }

    @Test("who reads nothing does not keep it alive after a signal")
    func stuckPipe() async throws {
        let connections = (1...1000).map { Fixture.connection($0, name: "client", fields: #""in_msgs":1"#) }
        let server = try BadServer([
            .answer(Fixture.varz()), .answer(Fixture.connz(connections)), .answer(Fixture.varz()),
        ])
        let top = "\"$TOP\" -m \(server.port) --json -d 0.1 --record rounds"
        let reader = "while [ ! -s status ]; do sleep 0.1; done"
        let run = try TopRun(
            "--version >/dev/null | { (\(top) & echo $! >pid; wait $!; echo $? >status) | { \(reader); }; }"
        )
        try await eventually("a round that is about to be printed, in \(run.errors)") { !run.file("rounds").isEmpty }
        try await run.signal("TERM", file: "pid")
        try await eventually("the end") { run.file("status") == "143\n" }
        _ = try await run.result()
    }

    @Test("names of hosts are waited for, but not for ever")
    func lookUp() async throws {
        let unknown = (1...1000).map { number in
            Fixture.connection(number, ip: "192.0.2.\(number % 250 + 1)", fields: #""in_msgs":1"#)
        }
        let local = Fixture.connection(1001, name: "local", fields: #""in_msgs":1"#)
        let server = try BadServer([.answer(Fixture.varz()), .answer(Fixture.connz(unknown + [local]))])
        let result = try await TopRun.run("-m \(server.port) --lookup -o -")
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(result.lines.contains("Connections Polled: 1001"))
        #expect(result.lines.count { $0.contains(" +0000 UTC") } == 1001)
    }

    @Test("the end of who reads the output is the end of --batch, and no error")
    func brokenPipe() async throws {
        try await self.withServer(.ours) { _, port in
            // The shell tells the status of a pipe's last program only.
            let run = try TopRun(
                "--version >/dev/null | { (\"$TOP\" -m \(port) --json -d 0.1; echo $? >status) | head -n 1; }"
            )
            let result = try await run.result()
            try await eventually("nats-top dies of SIGPIPE") { run.file("status") == "141\n" }
            #expect(result.status == 0 && result.errors.isEmpty)
            #expect(result.output.hasPrefix("{\"time\":"))
            #expect(result.lines.count == 2)
        }
    }

    @Test("other views are printed too", arguments: ServerUnderTest.available)
    func views(server: ServerUnderTest) async throws {
        try await self.withServer(server) { server, port in
            let gone = try await server.connect(options: #"{"name":"gone"}"#)
            gone.close()
            try await eventually("a closed connection") {
                let result = try await TopRun.run("-m \(port) --view closed -o -")
                return result.output.contains("Connections Closed: 1") && result.output.contains("Client Closed")
            }
            let cluster = try await TopRun.run("-m \(port) --view cluster --batch -r 2 -d 0.1")
            #expect(cluster.lines.count { $0 == "Servers: 1" } == 2, "\(cluster.output) \(cluster.errors)")
            #expect(
                cluster.lines.count { $0.contains("  up  ") && $0.contains("  2.15.1  ") } == 2,
                "\(cluster.output)"
            )
            let accounts = try await TopRun.run("-m \(port) --view accounts --json -r 1")
            #expect(accounts.output.contains(#""account":"$G""#), "\(accounts.output) \(accounts.errors)")
        }
    }

    // MARK: What is refused

    @Test(
        "bad options end it with 2 and a clear line before anything else",
        arguments: [
            ("-zz", "flag provided but not defined: -zz"),
            ("-sort foo -o -", "invalid option to sort by: foo"),
            ("-m 0 -o -", "invalid monitoring port"),
            ("-m x -o -", "'x'"),
            ("-n 0 -o -", "-n must be from 1 to 65536"),
            ("-d 0 -o -", "-d must be from 0.1 seconds to a day"),
            ("-l ';'", "-l needs -o"),
            ("-s a,,b -o -", "invalid server: "),
            ("-s a,ftp://b -o -", "not the address of a monitoring port: ftp://…"),
            ("-s nats://127.0.0.1:4222 -m 8222 -o -", "-m and -ms are for monitoring ports"),
            ("--user u --password p -k -o -", "-cert, -key, -cacert and -k are for https: use --tlscert"),
            ("--creds x --user y -o -", "--creds"),
            ("--context 'a b/c' -o -", "invalid context name"),
            ("-k -o -", "-cert, -key, -cacert and -k are for https"),
            ("-ms 1 -cert x -o -", "-cert and -key need each other"),
            ("--view nothing -o -", "invalid view: nothing"),
            ("--view graphs --batch", "the view graphs is for the screen only"),
            ("--columns host,foo -o -", "invalid column: foo"),
            ("operand", "Unexpected argument 'operand'"),
            ("", "no terminal: use --batch, --json or -o"),
        ]
    )
    func refused(arguments: String, text: String) async throws {
        let result = try await TopRun.run(arguments)
        #expect(result.status == 2)
        #expect(result.output.isEmpty)
        #expect(result.errors.hasPrefix("nats-top: "), "\(result.errors)")
        #expect(result.errors.contains(text), "\(result.errors)")
    }

    @Test("--help and --version go to standard output")
    func help() async throws {
        let help = try await TopRun.run("--help")
        #expect(help.status == 0 && help.errors.isEmpty)
        for flag in ["-s", "-m", "-ms", "-n", "-d", "-r", "-o", "-l", "-b", "-u", "-k"] + [
            "--sort", "--lookup", "--cert", "--key", "--cacert", "--batch", "--json", "--record", "--replay",
        ] {
            #expect(help.output.contains("\(flag)"), "\(flag)")
        }
        #expect(try await TopRun.run("-v").output.hasPrefix("nats-top 0."))
    }
}
