import NATSTestServer
import NATSTestSupport
import NATSWire
import Testing

@Suite("nats-bench", .timeLimit(.minutes(3)))
struct BenchProgramTests {
    private static let rate = #"[\d,]+ msgs/sec ~ \d+\.\d\d [KMG]?B/sec"#

    @Test(
        "D23 report and CSV have the shapes of the Go tool's",
        arguments: ServerUnderTest.both
    )
    func shapes(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let shell = try ToolShell("nats-bench $U -n 1000 -np 2 -ns 1 -ms 16 -csv c.csv s", url: server.url)
            let result = try await shell.result()
            #expect(result.status == 0)
            #expect(result.errors == "Starting benchmark [msgs=1000, msgsize=16, pubs=2, subs=1]\n")
            let rate = Self.rate
            let report = try Regex(
                """
                NATS Pub/Sub stats: \(rate)
                 Pub stats: \(rate)
                  \\[1\\] \(rate) \\(500 msgs\\)
                  \\[2\\] \(rate) \\(500 msgs\\)
                  min [\\d,]+ \\| avg [\\d,]+ \\| max [\\d,]+ \\| stddev [\\d,]+ msgs
                 Sub stats: \(rate)
                Saved metric data in csv file c\\.csv

                """
            )
            #expect(result.output.wholeMatch(of: report) != nil, "\(result.output)")
            let lines = shell.file("c.csv").split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count == 5)
            #expect(lines.first == "#RunID,ClientID,MsgCount,MsgBytes,MsgsPerSec,BytesPerSec,DurationSecs")
            #expect(lines.last == "")
            let row = #/[0-9A-Za-z]{22},([SP]\d),(\d+),(\d+),\d+,\d+\.\d{6},\d+\.\d{6}/#
            let rows = lines.dropFirst().dropLast().map { $0.wholeMatch(of: row) }
            #expect(
                rows.map { $0.map { "\($0.1) \($0.2) \($0.3)" } } == ["S0 1000 16000", "P0 500 8000", "P1 500 8000"]
            )
        }
    }

    @Test("one kind of clients: one line")
    func oneLine() async throws {
        try await NATSTestServer.withServer { server in
            let result = try await ToolShell.run("nats-bench $U -n 100 -ms 0 s", url: server.clientURL)
            #expect(result.output.wholeMatch(of: try Regex("Pub stats: \(Self.rate)\n")) != nil, "\(result.output)")
            #expect(result.status == 0)
        }
    }

    @Test("no messages, no clients, unknown flags, no server")
    func refusals() async throws {
        let none = try await ToolShell.run("nats-bench -n 0 s")
        #expect(none.errors == "Number of messages should be greater than zero.\n")
        #expect(none.status == 1)
        let nobody = try await ToolShell.run("nats-bench -np 0 s")
        #expect(nobody.output == "No publisher or subscribers. Nothing to report.\n")
        #expect(nobody.status == 0)
        #expect(try await ToolShell.run("nats-bench -zz s").status == 2)
        #expect(try await ToolShell.run("nats-bench").status == 2)
        let dead = try await ToolShell.run("nats-bench -s nats://127.0.0.1:1 s")
        #expect(dead.errors == "nats: no servers available for connection\n")
        #expect(dead.status == 1)
    }

    @Test(
        "--max-time ends a subscriber that nobody sends to: status 3, and who misses what",
        arguments: ["", "--queue g"]
    )
    func maximumTime(flags: String) async throws {
        try await NATSTestServer.withServer { server in
            let result = try await ToolShell.run(
                "nats-bench $U -np 0 -ns 1 -n 100 --max-time 5s \(flags) s",
                url: server.clientURL
            )
            #expect(result.status == 3)
            #expect(result.errors.hasSuffix(flags.isEmpty ? "\nsub 1: 0 of 100\n" : "\nsubs together: 0 of 100\n"))
            #expect(result.output == "Sub stats: 0 msgs/sec ~ 0.00 B/sec\n")
        }
    }

    @Test("SIGINT: a report of what was done, then the signal", arguments: ServerUnderTest.both)
    func signal(kind: ServerUnderTest) async throws {
        try await kind.withServer { server in
            let tap = try await WireTap(port: server.port, subject: "answers")
            let shell = try ToolShell("exec nats-bench $U --mode rply -n 1000 -ms 5 --json s", url: server.url)
            try await shell.waitForErrors("Starting benchmark")
            for _ in 0..<3 { try await tap.publish("s", reply: "answers", "12345") }
            // What it has answered it has counted.
            _ = try await tap.messages(atLeast: 3)
            shell.signal(2)
            let result = try await shell.result()
            #expect(result.exit == .signaled(2))
            let document = try JSONValue.parse(Array(result.output.utf8))
            #expect(document["servers"]?[0]?["receivers"]?["msgs"] == .number("3"), "\(result.output)")
            #expect(!result.errors.contains("of 1000"))
        }
    }

    @Test("a signal in the warm-up: nothing was measured, which is said")
    func signalInWarmUp() async throws {
        try await ServerUnderTest.ours.withServer { server in
            let tap = try await WireTap(port: server.port, subject: "s")
            let shell = try ToolShell(
                "exec nats-bench $U --mode pub --warmup 1000000 --throughput 1000 -n 10 s",
                url: server.url
            )
            _ = try await tap.messages(atLeast: 1)
            shell.signal(2)
            let result = try await shell.result()
            #expect(result.exit == .signaled(2))
            #expect(result.output.isEmpty)
            #expect(result.errors.hasSuffix("\nEnded in the warm-up: nothing was measured.\n"), "\(result.errors)")
        }
    }

    @Test("--max-time is for connecting too")
    func maximumTimeOfConnecting() async throws {
        let peer = try ScriptedServer()
        let result = try await ToolShell.run("nats-bench $U --max-time 300ms -n 10 s", url: peer.url)
        #expect(result.status == 3)
        #expect(result.errors == "nats: timeout: not everybody was connected within --max-time\n")
        #expect(result.output.isEmpty)
    }

    @Test("a server's name has no control over the terminal")
    func hostileName() async throws {
        var options = NATSTestServer.Options()
        options.serverName = "a\u{1B}[2Jb"
        try await NATSTestServer.withServer(options) { server in
            let result = try await ToolShell.run(
                "nats-bench $U --versus $URL -n 10 s",
                url: server.clientURL,
                environment: ["URL": server.clientURL]
            )
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.output.contains("(a\\x1b[2Jb, ") && !result.output.contains("\u{1B}"), "\(result.output)")
        }
    }

    @Test("a lost message is reported with status 1")
    func lost() async throws {
        // Deny one subject of two to the subscriber's interest: it never gets what the publisher sends there.
        var options = NATSTestServer.Options()
        options.defaultPermissions = .init(
            subscribe: .init(allow: ["s.*"], deny: ["s.1"])
        )
        options.users = [.init(name: "u", password: "p")]
        try await NATSTestServer.withServer(options) { server in
            let result = try await ToolShell.run(
                "nats-bench $U -n 10 -np 1 -ns 1 --multisubject --multisubjectmax 2 --timeout 5s s",
                url: server.clientURL(user: "u", password: "p")
            )
            #expect(result.errors.hasSuffix("\nsub 1: 5 of 10\n"), "\(result.errors)")
            #expect(result.status == 1)
            #expect(result.output.hasPrefix("NATS Pub/Sub stats: "))
        }
    }

    @Test("requests with a responder of the bench: rates and percentiles", arguments: ServerUnderTest.available)
    func requests(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let result = try await ToolShell.run(
                """
                nats-bench $U --mode rply --clients 2 -n 50 -ms 5 s >answers 2>listening &
                until grep -q Starting listening; do sleep 0.05; done
                nats-bench $U --mode req --clients 2 -n 50 -ms 7 s || exit
                wait
                """,
                url: server.url
            )
            #expect(result.status == 0)
            let latencies = ["min", "avg", "max", "P50", "P90", "P99", "P99\\.9"]
                .map { " ~ \($0): \\d+us" }.joined()
            let expected = try Regex(
                """
                Req stats: \(Self.rate)\(latencies)
                 \\[1\\] \(Self.rate) \\(25 msgs\\)\(latencies)
                 \\[2\\] \(Self.rate) \\(25 msgs\\)\(latencies)
                 min [\\d,]+ \\| avg [\\d,]+ \\| max [\\d,]+ \\| stddev [\\d,]+ msgs

                """
            )
            #expect(result.output.wholeMatch(of: expected) != nil, "\(result.output)")
        }
    }

    @Test("nobody answers: status 4")
    func noResponders() async throws {
        try await NATSTestServer.withServer { server in
            let result = try await ToolShell.run("nats-bench $U --mode req -n 5 --quiet s", url: server.clientURL)
            #expect(result.errors == "nats: no responders available for request\n")
            #expect(result.status == 4)
        }
    }

    @Test("a permission violation is fatal")
    func permissions() async throws {
        var options = NATSTestServer.Options()
        options.users = [.init(name: "u", password: "p")]
        options.defaultPermissions = .init(publish: .init(deny: ["s"]))
        try await NATSTestServer.withServer(options) { server in
            let result = try await ToolShell.run(
                "nats-bench $U -n 5 --quiet s",
                url: server.clientURL(user: "u", password: "p")
            )
            #expect(result.errors == "nats: permissions violation: Permissions Violation for Publish to \"s\"\n")
            #expect(result.status == 1)
        }
    }

    @Test("messages have the payload, headers and subjects that were asked for")
    func content() async throws {
        try await NATSTestServer.withServer { server in
            let shell = try ToolShell(
                """
                nats-sub $U -v -n 3 -F '%t|%s|%h\\n' 's.*' >got 2>notes &
                until grep -q Listening notes; do sleep 0.05; done
                nats-bench $U --mode pub -n 3 --payload file -H 'A: 1' -H 'A: 2' --multisubject --multisubjectmax 2 s
                wait
                """,
                url: server.clientURL,
                files: ["file": "from a file"]
            )
            #expect(try await shell.result().status == 0)
            let line = "|from a file|A: 1, A: 2\n"
            #expect(shell.file("got") == "s.0\(line)s.1\(line)s.0\(line)")
        }
    }

    @Test("--json: one object with configuration, server, clients and latencies")
    func json() async throws {
        try await NATSTestServer.withServer { server in
            let result = try await ToolShell.run(
                "nats-bench $U -n 100 -np 2 -ns 1 -ms 16 --runs 3 --warmup 10 --json --quiet s",
                url: server.clientURL
            )
            #expect(result.status == 0)
            #expect(result.output.hasSuffix("}\n"))
            #expect(result.output.filter { $0 == "\n" }.count == 1)
            let members = try JSONValue.parse(Array(result.output.utf8))
            #expect(members["tool"] == .string("nats-bench"))
            #expect(members["config"]?["pubs"] == .number("2"))
            #expect(members["config"]?["runs"] == .number("3"))
            let side = members["servers"]?[0]
            #expect(side?["server_version"] == .string("2.15.1"))
            #expect(side?["run_rates"]?.elements?.count == 3)
            #expect(side?["senders"]?["msgs"] == .number("100"))
            #expect(side?["senders"]?["clients"]?.elements?.count == 2)
            #expect(side?["receivers"]?["clients"]?[0]?["bytes"] == .number("1600"))
        }
    }

    @Test("--versus: both servers by turns, and the ratio")
    func versus() async throws {
        try await NATSTestServer.withServer { first in
            try await NATSTestServer.withServer { second in
                let result = try await ToolShell.run(
                    "nats-bench $U --versus \(second.clientURL) --runs 3 -n 100 s",
                    url: first.clientURL
                )
                #expect(result.status == 0)
                let runs = result.errors.matches(of: #/Run (\d\.\d): [\d,]+ msgs\/sec\n/#).map { String($0.1) }
                #expect(runs == ["1.1", "1.2", "2.1", "2.2", "3.1", "3.2"])
                let expected = try Regex(
                    """
                    nats://127\\.0\\.0\\.1:\(first.port) \\([^)]+\\), median of 3:
                    Pub stats: \(Self.rate)
                    nats://127\\.0\\.0\\.1:\(second.port) \\([^)]+\\), median of 3:
                    Pub stats: \(Self.rate)
                    Ratio: \\d+\\.\\d\\d \\(first server's rate to the second's\\)

                    """
                )
                #expect(result.output.wholeMatch(of: expected) != nil, "\(result.output)")
            }
        }
    }

    @Test("--duration before all of -n is sent is no loss; counts that overflow are refused")
    func durationAndCount() async throws {
        try await NATSTestServer.withServer { server in
            let result = try await ToolShell.run("nats-bench $U --duration 100ms -n 100000000 s", url: server.clientURL)
            #expect(result.status == 0, "\(result.errors)")
            let huge = try await ToolShell.run(
                "nats-bench $U --mode sub --clients 2 -n 9223372036854775807 s",
                url: server.clientURL
            )
            #expect(huge.status == 2)
        }
    }

    @Test("--duration ends by the clock; what was sent is received")
    func duration() async throws {
        try await NATSTestServer.withServer { server in
            let result = try await ToolShell.run(
                "nats-bench $U --mode pubsub --duration 200ms --throughput 1000 s",
                url: server.clientURL
            )
            #expect(result.status == 0)
            #expect(result.output.hasPrefix("NATS Pub/Sub stats: "))
            #expect(result.errors == "Starting benchmark [msgs=unlimited, msgsize=128, pubs=1, subs=1]\n")
        }
    }

    @Test("members of a queue group share the messages")
    func queue() async throws {
        try await NATSTestServer.withServer { server in
            let shell = try ToolShell("nats-bench $U -n 300 -np 1 -ns 3 --queue g -csv c s", url: server.clientURL)
            #expect(try await shell.result().status == 0)
            let counts = shell.file("c").split(separator: "\n").filter { $0.contains(",S") }
                .compactMap { Int($0.split(separator: ",")[2]) }
            #expect(counts.count == 3)
            #expect(counts.reduce(0, +) == 300)
        }
    }

    @Test(
        "js-pub publishes to a stream and waits for each acknowledgement",
        .enabled(if: ServerUnderTest.available.contains(.official))
    )
    func streamPublish() async throws {
        let storage = try TemporaryDirectory()
        let server = try await OfficialServer.start(
            configurationText: "\njetstream { store_dir: \"\(storage.path)\" }\n"
        )
        let url = "nats://127.0.0.1:\(server.port)"
        do {
            let nobody = try await ToolShell.run("nats-bench $U --mode js-pub -n 5 --quiet s", url: url)
            #expect(nobody.errors == "nats: no stream takes messages of [s]\n")
            #expect(nobody.status == 4)
            let result = try await ToolShell.run(
                """
                nats-req $U --quiet -r '$JS.API.STREAM.CREATE.B' '{"name":"B","subjects":["s"],"storage":"memory"}' >created
                nats-bench $U --mode js-pub --clients 2 -n 20 s || exit
                nats-req $U --quiet -r '$JS.API.STREAM.INFO.B' '' | grep -o '"messages":[0-9]*'
                """,
                url: url
            )
            #expect(result.errors == "Starting benchmark [msgs=20, msgsize=128, js-pubs=2]\n")
            #expect(result.output.hasPrefix("JS Pub stats: "))
            #expect(result.output.hasSuffix("\n\"messages\":20\n"), "\(result.output)")
            #expect(result.status == 0)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    @Test("js-pub without JetStream: a clear error")
    func withoutJetStream() async throws {
        try await NATSTestServer.withServer { server in
            let result = try await ToolShell.run("nats-bench $U --mode js-pub -n 5 --quiet s", url: server.clientURL)
            #expect(result.errors == "nats: JetStream is not enabled on the server \(server.clientURL)\n")
            #expect(result.status == 4)
        }
    }
}

extension JSONValue {
    fileprivate subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    fileprivate subscript(index: Int) -> JSONValue? {
        guard let elements = self.elements, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    fileprivate var elements: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }
}
