package import ArgumentParser
import NATSWire

/// Where the payload comes from, in nats-pub and nats-req.
package struct PayloadOptions: ParsableArguments {
    @Option(
        name: [.long, .customShort("H")],
        parsing: .singleValue,
        help: ArgumentHelp("Header of each message; may be repeated.", valueName: "name:value")
    )
    package var header: [HeaderArgument] = []

    @Option(
        help: """
            How standard input or a file is cut into messages: not at all, at line ends, at NUL bytes, or a JSON object \
            per line with subject, reply, headers and data, data_base64 or payload (as nats-sub --json prints it).
            """
    )
    package var sendOn: SendOn?

    @Flag(name: [.long, .customShort("l")], help: "One message per line of input (--send-on newline).")
    package var lines = false

    @Option(
        name: [.long, .customShort("f")],
        parsing: .singleValue,
        help: ArgumentHelp(
            "Read this file in the place of standard input; may be repeated; - is standard input.",
            valueName: "file"
        ),
        completion: .file()
    )
    package var file: [String] = []

    @Flag(help: "Drop empty records of the input.")
    package var skipEmpty = false

    @Flag(help: "Lines of input end with CR and LF: drop both.")
    package var crlf = false

    @Flag(help: "Report records that are larger than the server takes, and go on.")
    package var skipLarge = false

    @Flag(name: [.long, .customShort("e")], help: "No payload, and standard input is not read.")
    package var empty = false

    @Flag(help: "Read standard input even if it is a terminal.")
    package var forceStdin = false

    @Option(
        name: [.long, .customShort("n")],
        help: ArgumentHelp("Send so many times; with records of input, stop after so many.", valueName: "n")
    )
    package var count: Int?

    @Flag(
        help: """
            Fill in {{Count}} {{TimeStamp}} {{Unix}} {{UnixNano}} {{Time}} {{ID}} {{Random min max}} in input too; in \
            subject, message and headers of the command line they always are.
            """
    )
    package var templates = false

    @Flag(help: "Fill in nothing.")
    package var noTemplates = false

    package init() {}

    package init(_ values: inout FlagValues) throws {
        self.header = try values.values("header")
        self.sendOn = try values.value("send-on")
        self.lines = values.isSet("lines")
        self.file = try values.values("file")
        self.skipEmpty = values.isSet("skip-empty")
        self.crlf = values.isSet("crlf")
        self.skipLarge = values.isSet("skip-large")
        self.empty = values.isSet("empty")
        self.forceStdin = values.isSet("force-stdin")
        self.count = try values.value("count")
        self.templates = values.isSet("templates")
        self.noTemplates = values.isSet("no-templates")
        try self.validate()
    }

    package mutating func validate() throws {
        if let count = self.count, count < 1 { throw ValidationError("--count must be at least 1") }
        if self.templates, self.noTemplates {
            throw ValidationError("--templates and --no-templates exclude each other")
        }
    }

    /// What a message is made of.
    package enum Source: Sendable, Equatable {
        case argument(String)
        case input(RecordRules, [InputSource])

        /// Input is cut into records.
        package var hasRecords: Bool {
            if case .input(let rules, _) = self { rules.mode != .endOfFile } else { false }
        }

        /// Records are JSON messages.
        package var isJSON: Bool {
            if case .input(let rules, _) = self { rules.mode == .json } else { false }
        }
    }

    /// Decides between the message operand, ``empty`` and input.
    ///
    /// - Parameters:
    ///   - message: The operand after the subject.
    ///   - others: What other flags of the tool say of how input is cut.
    /// - Returns: The source.
    /// - Throws: `UsageError` for flags that contradict each other.
    package func source(message: String?, others: [InputMode] = []) throws(UsageError) -> Source {
        var modes = others
        if let sendOn = self.sendOn { modes.append(sendOn.mode) }
        if self.lines { modes.append(.newline) }
        guard Set(modes).count <= 1 else {
            throw UsageError("more than one way to cut input into messages")
        }
        let readsInput = !modes.isEmpty || !self.file.isEmpty || self.skipEmpty || self.crlf || self.skipLarge
        if self.empty {
            guard message == nil else { throw UsageError("a message and --empty") }
            guard !readsInput else { throw UsageError("--empty reads no input") }
            return .argument("")
        }
        if let message {
            guard !readsInput else { throw UsageError("a message was given, so no input is read") }
            return .argument(message)
        }
        var rules = RecordRules(mode: modes.first ?? .endOfFile)
        rules.skipsEmpty = self.skipEmpty
        rules.skipsLarge = self.skipLarge
        if self.crlf {
            guard rules.mode == .newline else { throw UsageError("--crlf needs --lines") }
            rules.stripsCarriageReturn = true
        }
        return .input(rules, self.file.isEmpty ? [.descriptor(0)] : self.file.map { InputSource(argument: $0) })
    }

    /// What makes messages of payloads.
    ///
    /// - Parameters:
    ///   - subject: The operand.
    ///   - reply: Of every message.
    ///   - source: Where the payloads come from.
    ///   - messageID: `Nats-Msg-Id` of every message.
    /// - Returns: The composer.
    package func composer(
        subject: String?,
        reply: String?,
        source: Source,
        messageID: String? = nil
    ) -> MessageComposer {
        let isArgument = if case .argument = source { true } else { false }
        var headers = self.headers
        if let messageID { headers.set(name: "Nats-Msg-Id", value: messageID) }
        return MessageComposer(
            subject: subject,
            reply: reply,
            headers: headers,
            expands: !self.noTemplates,
            expandsPayloads: isArgument ? !self.noTemplates : self.templates,
            readsJSON: source.isJSON
        )
    }
}
