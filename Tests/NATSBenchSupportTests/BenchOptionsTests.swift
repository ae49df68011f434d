import NATSBenchSupport
import NATSCommandSupport
import Testing

@Suite("Command line of nats-bench")
struct BenchOptionsTests {
    private func options(_ arguments: [String]) throws -> BenchOptions {
        let request = BenchOptions.request(arguments, flags: CommandFlag.bench)
        guard case .run(let options) = request else { throw UsageError("\(request)") }
        return options
    }

    private func plan(_ arguments: String) throws -> BenchPlan {
        try BenchPlan(self.options(arguments.split(separator: " ").map(String.init) + ["s"]))
    }

    @Test("the Go tool's flags, as it spells them")
    func goFlags() throws {
        let options = try self.options(
            ["-s", "u", "-np", "2", "-ns=3", "-n", "1000", "-ms", "16", "-csv", "c.csv", "-tls", "foo"]
        )
        #expect(options.subject == "foo")
        #expect(options.load.pubs == 2)
        #expect(options.load.subs == 3)
        #expect(options.load.msgs == 1000)
        #expect(options.content.size?.bytes == 16)
        #expect(options.output.csv == "c.csv")
        #expect(options.connection.server == "u")
        #expect(options.connection.tls)
        let plan = try BenchPlan(options)
        #expect(plan.announcement(size: 16) == "Starting benchmark [msgs=1000, msgsize=16, pubs=2, subs=3]")
    }

    @Test("defaults are the Go tool's")
    func defaults() throws {
        let plan = try self.plan("")
        #expect(plan.senders == 1)
        #expect(plan.receivers == 0)
        #expect(plan.messages == 100_000)
        #expect(BenchContentOptions.defaultSize == 128)
        #expect(plan.runs == 1)
    }

    @Test("modes")
    func modes() throws {
        #expect(try self.plan("--mode pub --clients 3").senders == 3)
        #expect(try self.plan("--mode sub --clients 3").receivers == 3)
        #expect(try self.plan("--mode sub").senders == 0)
        let both = try self.plan("--mode pubsub --clients 3 --subs 2")
        #expect(both.senders == 3)
        #expect(both.receivers == 2)
        let request = try self.plan("--mode req --clients 2 -n 10")
        #expect(request.senderRole == .requestor)
        #expect(request.announcement(size: 5) == "Starting benchmark [msgs=10, msgsize=5, reqs=2]")
        let responder = try self.plan("--mode rply")
        #expect(responder.queue == "NATS-RPLY-22")
        #expect(responder.messages == nil)
        #expect(responder.announcement(size: 5) == "Starting benchmark [msgs=unlimited, msgsize=5, rplys=1]")
        #expect(try self.plan("--mode js-pub").senderRole == .streamPublisher)
        #expect(try self.plan("--duration 1s").messages == nil)
        #expect(try self.plan("--duration 1s -n 5").messages == 5)
        #expect(try self.plan("--versus nats://b").runs == 5)
    }

    @Test(
        "what contradicts itself is refused",
        arguments: [
            "--clients 2", "--mode pub --subs 1", "--mode sub --pubs 1", "--mode req --subs 1", "--np -1",
            "--mode pub --clients 0", "--queue g", "--mode sub --throughput 5", "--mode sub --sleep 1s",
            "--mode sub --runs 2", "--mode sub --versus u", "--sleep 1s --throughput 5", "--throughput 0",
            "--duration 0s", "--warmup -1", "--runs 0", "--payload f --size 5", "--payload f --random",
            "--mode sub --payload f", "--mode sub --random", "--mode sub -H a:b", "--multisubjectmax 5",
            "--multisubjectrandomize", "--multisubject --multisubjectmax 0 --multisubjectrandomize",
            "--size 65MB", "--mode rply --warmup 5", "--np 100001",
        ]
    )
    func refusals(arguments: String) {
        #expect(throws: UsageError.self) { try self.plan(arguments) }
    }

    @Test("malformed values are refused", arguments: ["--size x", "--size -1", "--mode x", "-n x", "--zz"])
    func malformed(arguments: String) {
        let words = arguments.split(separator: " ").map(String.init) + ["s"]
        guard case .refuse(let text) = BenchOptions.request(words, flags: CommandFlag.bench) else {
            Issue.record("accepted")
            return
        }
        #expect(text.contains("nats-bench [flags] <subject>"))
    }

    @Test("no subject, or two, are refused")
    func operands() {
        for arguments in [[], ["a", "b"]] {
            guard case .refuse = BenchOptions.request(arguments, flags: CommandFlag.bench) else {
                Issue.record("accepted")
                continue
            }
        }
    }

    @Test("every flag stands in the help, with each of its names")
    func help() {
        guard case .print(let help) = BenchOptions.request(["--help"], flags: CommandFlag.bench) else {
            Issue.record("no help")
            return
        }
        let words = Set(help.split { " ,\n/()[]".contains($0) }.map(String.init))
        for flag in CommandFlag.bench where flag.isSupported && flag.kind != .builtIn && flag.kind != .builtInValue {
            for name in flag.names {
                #expect(words.contains((name.count == 1 ? "-" : "--") + name), "\(name)")
            }
        }
    }

    @Test(
        "sizes",
        arguments: [
            ("128", 128), ("128B", 128), ("1KB", 1024), ("1KiB", 1024), ("2k", 2048), ("1MB", 1_048_576),
            ("0", 0), ("", nil), ("KB", nil), ("1.5KB", nil), ("1XB", nil), ("-1", nil),
            ("99999999999999999999", nil), ("9223372036854775807GB", nil),
        ] as [(String, Int?)]
    )
    func sizes(text: String, bytes: Int?) {
        #expect(SizeArgument(parsing: text)?.bytes == bytes)
    }
}
