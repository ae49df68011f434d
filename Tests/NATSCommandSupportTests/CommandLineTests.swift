import NATSCommandSupport
import Testing

@Suite("Command lines")
struct CommandLineTests {
    private func publish(_ arguments: String..., posix: Bool = false) throws -> PublishOptions {
        let request = PublishOptions.request(arguments, flags: CommandFlag.publish, isPOSIX: posix)
        guard case .run(let options) = request else { throw UsageError("\(request)") }
        return options
    }

    @Test("nats-pub: operands and flags in any order")
    func publish() throws {
        let options = try self.publish("foo", "x", "-n", "3", "-reply=r", "-H", "a: b ", "-s", "u")
        #expect(options.subject == "foo")
        #expect(options.message == "x")
        #expect(options.payload.count == 3)
        #expect(options.reply == "r")
        #expect(options.payload.header == [HeaderArgument(parsing: "a:b")])
        #expect(options.connection.server == "u")
    }

    @Test("nats-pub: a message may be empty or look like a flag")
    func oddMessages() throws {
        #expect(try self.publish("foo", "").message == "")
        #expect(try self.publish("foo", "-5").message == "-5")
        #expect(try self.publish("foo", "--", "--count").message == "--count")
        #expect(try self.publish("foo", "-").message == "-")
    }

    @Test("nats-pub: where the payload comes from")
    func sources() throws {
        func source(_ options: PublishOptions) throws(UsageError) -> PayloadOptions.Source {
            try options.source()
        }
        func input(_ mode: InputMode) -> PayloadOptions.Source { .input(RecordRules(mode: mode), [.descriptor(0)]) }
        #expect(try source(self.publish("t")) == input(.endOfFile))
        #expect(try source(self.publish("-l", "t")) == input(.newline))
        #expect(try source(self.publish("-0", "t")) == input(.null))
        #expect(try source(self.publish("--send-on", "null", "t")) == input(.null))
        #expect(try source(self.publish("--send-on=newline", "-l", "t")) == input(.newline))
        #expect(try source(self.publish("t", "m")) == .argument("m"))
        #expect(try source(self.publish("-e", "t")) == .argument(""))
        #expect(throws: UsageError.self) { try source(self.publish("-l", "-0", "t")) }
        #expect(throws: UsageError.self) { try source(self.publish("-l", "t", "m")) }
        #expect(throws: UsageError.self) { try source(self.publish("-e", "t", "m")) }
        #expect(throws: UsageError.self) { try source(self.publish("-e", "-l", "t")) }
        #expect(try source(self.publish("--json")) == input(.json))
        #expect(try source(self.publish("--send-on", "json", "t")) == input(.json))
        #expect(try source(self.publish("-D", "\\r\\x0a", "t")) == input(.delimited([13, 10])))
        var rules = RecordRules(mode: .newline)
        rules.stripsCarriageReturn = true
        rules.skipsEmpty = true
        rules.skipsLarge = true
        #expect(
            try source(self.publish("-l", "--crlf", "--skip-empty", "--skip-large", "-f", "x", "-f", "-", "t"))
                == .input(rules, [.file("x"), .descriptor(0)])
        )
        for arguments in [
            ["--json", "-l", "t"], ["-D", ",", "-0", "t"], ["-f", "x", "t", "m"], ["-f", "x", "-e", "t"],
            ["--crlf", "t"], ["--crlf", "-0", "t"], ["--skip-empty", "t", "m"], ["--tee", "t", "m"],
            ["--skip-large", "t", "m"], ["--json", "t", "m"],
        ] {
            let request = PublishOptions.request(arguments, flags: CommandFlag.publish)
            guard case .run(let options) = request else {
                Issue.record("\(arguments)")
                continue
            }
            #expect(throws: UsageError.self, "\(arguments)") { try options.source() }
        }
    }

    @Test(
        "nats-pub: refused with usage",
        arguments: [
            [], ["a", "b", "c"], ["-zz", "a"], ["--count", "0", "a"], ["--count", "x", "a"], ["--sleep", "x", "a"],
            ["--send-on", "x", "a"], ["-D", "", "a"], ["-D", "\\q", "a"], ["--rate", "0", "a"], ["--rate", "nan", "a"],
            ["--flush-every", "-1", "a"], ["--templates", "--no-templates", "a"], ["-l"], ["-H", "nocolon", "a"],
            ["-H", "a b:c", "a"],
            ["--atomic", "a", "b"], ["--msg-id", "a", "b", "c"], ["-J", "--msg-id", "", "b", "c"],
            ["--expect-last-seq", "1", "b", "c"], ["-J", "--reply", "r", "b", "c"], ["--creds=", "a"],
            ["--context", "", "a"], ["--nkey", "a"],
        ]
    )
    func refusals(arguments: [String]) {
        guard case .refuse(let text) = PublishOptions.request(arguments, flags: CommandFlag.publish) else {
            Issue.record("accepted \(arguments)")
            return
        }
        #expect(text.hasPrefix("nats: "))
        #expect(text.contains("nats-pub [flags] <subject> [<msg>]"))
    }

    @Test("a flag that is not implemented is named")
    func unsupported() {
        let request = SubscribeOptions.request(["--stream", "S", "a"], flags: CommandFlag.subscribe)
        guard case .refuse(let text) = request else {
            Issue.record("accepted")
            return
        }
        #expect(text.hasPrefix("nats: flag not supported yet: --stream\n"))
    }

    @Test("help, version and completion script go to standard output")
    func builtIns() {
        for arguments in [
            ["--help"], ["-h"], ["foo", "-help"], ["--version"], ["--generate-completion-script", "bash"],
        ] {
            guard case .print(let text) = PublishOptions.request(arguments, flags: CommandFlag.publish) else {
                Issue.record("\(arguments)")
                continue
            }
            #expect(text.hasSuffix("\n"))
            if arguments == ["--version"] { #expect(text == "nats-pub \(ToolVersion.current)\n") }
        }
    }

    @Test("nats-sub: several subjects, formats")
    func subscribe() throws {
        let request = SubscribeOptions.request(
            ["a", "b.>", "-q", "g", "-r", "--wait", "1s"],
            flags: CommandFlag.subscribe
        )
        guard case .run(let options) = request else {
            Issue.record("\(request)")
            return
        }
        #expect(options.subjects == ["a", "b.>"])
        #expect(options.queue == "g")
        #expect(try options.output.messageFormat(text: .received, pretty: .pretty) == .payload(.lines))
        #expect(options.wait?.duration == .seconds(1))
    }

    private func subscribe(_ arguments: [String]) throws -> SubscribeOptions {
        let request = SubscribeOptions.request(arguments, flags: CommandFlag.subscribe)
        guard case .run(let options) = request else { throw UsageError("\(request)") }
        return options
    }

    @Test(
        "how messages are printed",
        arguments: [
            ("", .received), ("--output text", .received), ("--output nats", .pretty), ("-r", .payload(.lines)),
            ("--output raw", .payload(.lines)), ("-N", .payload(.verbatim)), ("-r -N", .payload(.verbatim)),
            ("--output raw -0", .payload(.nulTerminated)), ("--output null", .payload(.nulTerminated)),
            ("-D \\t|", .payload(.delimited([9, 0x7C]))), ("--json", .json(embedsPayload: false)),
            ("--output=json", .json(embedsPayload: false)), ("--json-payload", .json(embedsPayload: true)),
            ("--json --json-payload --output json", .json(embedsPayload: true)),
        ] as [(String, MessageFormatter.Format)]
    )
    func formats(flags: String, expected: MessageFormatter.Format) throws {
        let options = try self.subscribe(flags.split(separator: " ").map(String.init) + ["a"])
        #expect(try options.output.messageFormat(text: .received, pretty: .pretty) == expected)
    }

    @Test(
        "nats-sub: refused with usage",
        arguments: [
            "", "-r --json a", "-F %s -r a", "-N -0 a", "-N -D x a", "--output null -D x a", "--output nats -r a",
            "--output x a", "--subjects-only --headers-only a", "--subjects-only -r a", "--headers -r a", "-t -d a",
            "--headers --json a", "-d --json a", "--time-format unix --json a", "--time-format x a", "-n 0 a",
            "--pending-limit 0 a", "--color red a", "--durable d a", "--all a", "--last a", "--new a", "--since 1s a",
        ]
    )
    func subscribeRefusals(line: String) {
        let arguments = line.split(separator: " ").map(String.init)
        guard case .refuse(let text) = SubscribeOptions.request(arguments, flags: CommandFlag.subscribe) else {
            Issue.record("accepted \(line)")
            return
        }
        #expect(text.hasPrefix("nats: "))
        #expect(text.contains("nats-sub [flags] <subject>..."))
    }

    @Test("nats-sub: what stands before a message")
    func stamps() throws {
        func stamp(_ flags: String, _ format: MessageFormatter.Format = .received) throws -> String {
            let options = try self.subscribe(flags.split(separator: " ").map(String.init) + ["a"])
            var stamp = options.display.stamp(for: format)
            let bytes = stamp.render(nanoseconds: 5_000_000_000, elapsed: .seconds(2))
            return String(decoding: bytes, as: UTF8.self)
        }
        #expect(try stamp("") == "")
        #expect(try stamp("-d") == "2s ")
        #expect(try stamp("-d", .pretty) == " @ 2s")
        #expect(try stamp("--time-format unix") == "5 ")
        #expect(try stamp("-t --time-format unixms") == "5000 ")
        #expect(try stamp("-t").contains("/"))
        #expect(try stamp("-t", .pretty).hasSuffix(":05.000000"))
    }

    @Test(
        "nats-sub: attempts to connect again",
        arguments: [
            ([], ", will attempt reconnects for 10m"), (["--max-reconnects=5"], ", will attempt reconnects for 5s"),
            (["--max-reconnects", "-1"], ", will attempt reconnects for ever"), (["--max-reconnects", "0"], ""),
        ] as [([String], String)]
    )
    func reconnects(arguments: [String], announcement: String) {
        let request = SubscribeOptions.request(arguments + ["a"], flags: CommandFlag.subscribe)
        guard case .run(let options) = request else {
            Issue.record("\(request)")
            return
        }
        let reconnect = ToolConnection.Reconnect(maximumAttempts: options.maxReconnects)
        #expect(reconnect.announcement == announcement)
    }

    @Test("how long cleaning up after a signal may take", arguments: [([], 5), (["--drain-timeout", "1m"], 60)])
    func drainTimeout(flags: [String], seconds: Int) {
        let request = PublishOptions.request(flags + ["a"], flags: CommandFlag.publish)
        guard case .run(let options) = request else {
            Issue.record("\(request)")
            return
        }
        #expect(options.connection.drainTimeout.duration == .seconds(seconds))
    }

    @Test("nats-req: extra operands are refused, and ignored under POSIXLY_CORRECT")
    func requestOperands() {
        let arguments = ["a", "b", "c"]
        guard case .refuse = RequestOptions.request(arguments, flags: CommandFlag.request) else {
            Issue.record("accepted")
            return
        }
        let posix = RequestOptions.request(arguments, flags: CommandFlag.request, isPOSIX: true, operandsUnderPOSIX: 2)
        guard case .run(let options) = posix else {
            Issue.record("refused")
            return
        }
        #expect(options.message == "b")
        #expect(options.wantedReplies == 1)
        #expect(options.replyTimeout.duration == .milliseconds(300))
    }

    @Test("exit statuses are the documented numbers")
    func exitStatuses() {
        let codes: [(ToolStatus, Int32)] = [
            (.success, 0), (.failure, 1), (.usage, 2), (.timeout, 3), (.noResponders, 4), (.signal(2), 130),
            (.signal(15), 143), (.signal(1), 129), (.brokenPipe, 141),
        ]
        for (status, code) in codes { #expect(status.code == code) }
    }
}
