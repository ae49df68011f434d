package import ArgumentParser

/// The command line of nats-pub.
package struct PublishOptions: ToolOptions {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "nats-pub",
            abstract: "Publish messages to a subject.",
            usage: "nats-pub [flags] <subject> [<msg>]",
            discussion: """
                Without <msg> the payload is read from standard input or files: all of it as one message, or with \
                --lines, --null, --delimiter, --json or --send-on one message per record, sent as it arrives. With \
                <msg> standard input is not read. With --json <subject> is needed only for lines that name none.

                Exit status: 0 success, 1 failure, 2 usage, 3 timeout and 4 no responders with --jetstream, \
                130/143/129 by signal.
                """,
            version: ToolVersion.line(tool: "nats-pub")
        )
    }

    @Argument(help: "Subject to publish to.")
    package var subject: String?

    @Argument(help: ArgumentHelp("Payload.", valueName: "msg"))
    package var message: String?

    @OptionGroup(title: "Payload")
    package var payload: PayloadOptions

    @Flag(name: [.long, .customShort("0")], help: "One message per NUL-terminated record (--send-on null).")
    package var null = false

    @Option(
        name: [.long, .customShort("D")],
        help: ArgumentHelp(
            "One message per record that ends so; with the escapes \\n \\r \\t \\0 \\e \\\\ \\xNN.",
            valueName: "string"
        )
    )
    package var delimiter: EscapedBytes?

    @Flag(help: "One message per line that is a JSON object (--send-on json).")
    package var json = false

    @Option(help: ArgumentHelp("Reply subject.", valueName: "subject"))
    package var reply: String?

    @Option(help: ArgumentHelp("Pause between messages.", valueName: "duration"))
    package var sleep: DurationArgument?

    @Option(help: ArgumentHelp("At most so many messages a second.", valueName: "n"))
    package var rate: Double?

    @Option(help: ArgumentHelp("Have the server confirm after every n messages, not only at the end.", valueName: "n"))
    package var flushEvery: Int?

    @Flag(help: "Copy the records of the input to standard output.")
    package var tee = false

    @Flag(name: [.long, .customShort("J")], help: "Wait until JetStream says that it has stored each message.")
    package var jetstream = false

    @Option(
        help: ArgumentHelp(
            "With --jetstream: Nats-Msg-Id, by which JetStream knows a message that it already has.",
            valueName: "id"
        )
    )
    package var msgId: String?

    @Option(
        help: ArgumentHelp(
            """
            With --jetstream: store only if this is the stream's last sequence; of several messages each is to come \
            right behind the one before.
            """,
            valueName: "n"
        )
    )
    package var expectLastSeq: UInt64?

    @Option(help: RetryInterval.help)
    package var retry: DurationArgument?

    @Flag(name: [.long, .customShort("q")], help: "Nothing on standard error but errors.")
    package var quiet = false

    @OptionGroup(title: "Connection")
    package var connection: ConnectionOptions

    package init() {}

    package init(_ values: inout FlagValues) throws {
        self.subject = values.operand()
        self.message = values.operand()
        self.payload = try PayloadOptions(&values)
        self.null = values.isSet("null")
        self.delimiter = try values.value("delimiter")
        self.json = values.isSet("json")
        self.reply = try values.value("reply")
        self.sleep = try values.value("sleep")
        self.rate = try values.value("rate")
        self.flushEvery = try values.value("flush-every")
        self.tee = values.isSet("tee")
        self.jetstream = values.isSet("jetstream")
        self.msgId = try values.value("msg-id")
        self.expectLastSeq = try values.value("expect-last-seq")
        self.retry = try values.value("retry")
        self.quiet = values.isSet("quiet")
        self.connection = try ConnectionOptions(&values)
    }

    package mutating func validate() throws {
        try RetryInterval.check(self.retry)
        if let rate = self.rate, !(rate > 0 && rate.isFinite) {
            throw ValidationError("--rate must be greater than zero")
        }
        if let flushEvery = self.flushEvery, flushEvery < 0 {
            throw ValidationError("--flush-every must not be negative")
        }
        if let delimiter = self.delimiter, delimiter.bytes.isEmpty {
            throw ValidationError("--delimiter must not be empty")
        }
        if !self.jetstream {
            if self.msgId != nil { throw ValidationError("--msg-id needs --jetstream") }
            if self.expectLastSeq != nil { throw ValidationError("--expect-last-seq needs --jetstream") }
        } else if self.reply != nil {
            throw ValidationError("--jetstream needs the reply subject for itself")
        }
        if let id = self.msgId, id.isEmpty || id.utf8.contains(where: { $0 == 0x0A || $0 == 0x0D }) {
            throw ValidationError("--msg-id cannot be empty or have line ends")
        }
        guard self.subject != nil || self.json || self.payload.sendOn == .json else {
            throw ValidationError("Missing expected argument '<subject>'")
        }
    }

    /// Where payloads come from.
    ///
    /// - Throws: `UsageError` for flags that contradict each other.
    package func source() throws(UsageError) -> PayloadOptions.Source {
        var modes: [InputMode] = []
        if self.null { modes.append(.null) }
        if self.json { modes.append(.json) }
        if let delimiter = self.delimiter { modes.append(.delimited(delimiter.bytes)) }
        let source = try self.payload.source(message: self.message, others: modes)
        if self.tee, case .argument = source { throw UsageError("--tee without input") }
        return source
    }
}
