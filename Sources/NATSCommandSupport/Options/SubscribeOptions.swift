package import ArgumentParser
import NATSText
import NATSWire

/// The command line of nats-sub.
package struct SubscribeOptions: ToolOptions {
    private static let maxReconnects = 600

    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "nats-sub",
            abstract: "Subscribe to subjects and print what arrives.",
            usage: "nats-sub [flags] <subject>...",
            discussion: """
                `Listening on [subject]` on standard error says that every subscription is confirmed by the server. Messages of one <subject> keep their order.

                Exit status: 0 success, 1 failure or messages lost, 2 usage, 3 fewer messages than --count, 130/143/129 by signal.
                """,
            version: ToolVersion.line(tool: "nats-sub")
        )
    }

    @Argument(help: ArgumentHelp("Subjects; `*` and `>` are wildcards.", valueName: "subject"))
    package var subjects: [String] = []

    @OptionGroup(title: "Output")
    package var output: OutputOptions

    @OptionGroup(title: "What is shown")
    package var display: DisplayOptions

    @Option(name: [.long, .customShort("q")], help: ArgumentHelp("Queue group of every subject.", valueName: "group"))
    package var queue: String?

    @Flag(name: [.long, .customShort("i")], help: "Subscribe to a new inbox, and say first which.")
    package var inbox = false

    @Option(
        name: [.long, .customShort("I")],
        help: ArgumentHelp("Neither show nor count messages on this subject; may be repeated.", valueName: "subject")
    )
    package var ignoreSubject: [String] = []

    @Option(name: [.long, .customShort("n")], help: ArgumentHelp("End after so many messages.", valueName: "n"))
    package var count: Int?

    @Option(help: ArgumentHelp("End after so long without a message.", valueName: "duration"))
    package var wait: DurationArgument?

    @Option(help: ArgumentHelp("End after so long in all.", valueName: "duration"))
    package var maxTime: DurationArgument?

    @Flag(help: "Receive nothing that this connection published.")
    package var noEcho = false

    @Option(
        help: ArgumentHelp(
            "Messages of a subject that may wait to be printed; what comes beyond is dropped (default: 500000, and 64 MiB).",
            valueName: "n"
        )
    )
    package var pendingLimit: Int?

    @Flag(help: "Dropped messages are no failure.")
    package var lossy = false

    @Option(
        help: ArgumentHelp(
            "Attempts to connect again, one each second; -1: for ever, 0: none.",
            valueName: "n"
        )
    )
    package var maxReconnects = SubscribeOptions.maxReconnects

    @Flag(help: "Nothing on standard error but errors.")
    package var quiet = false

    @OptionGroup(title: "Connection")
    package var connection: ConnectionOptions

    package init() {}

    package init(_ values: inout FlagValues) throws {
        self.subjects = values.remainingOperands()
        self.output = try OutputOptions(&values)
        self.display = try DisplayOptions(&values)
        self.queue = try values.value("queue")
        self.inbox = values.isSet("inbox")
        self.ignoreSubject = try values.values("ignore-subject")
        self.count = try values.value("count")
        self.wait = try values.value("wait")
        self.maxTime = try values.value("max-time")
        self.noEcho = values.isSet("no-echo")
        self.pendingLimit = try values.value("pending-limit")
        self.lossy = values.isSet("lossy")
        self.maxReconnects = try values.value("max-reconnects") ?? Self.maxReconnects
        self.quiet = values.isSet("quiet")
        self.connection = try ConnectionOptions(&values)
    }

    package mutating func validate() throws {
        guard !self.subjects.isEmpty || self.inbox else {
            throw ValidationError("missing expected argument '<subject>...'")
        }
        if let count = self.count, count < 1 { throw ValidationError("--count must be at least 1") }
        if let limit = self.pendingLimit, limit < 1 { throw ValidationError("--pending-limit must be at least 1") }
        for pattern in self.ignoreSubject {
            let isValid = Array(pattern.utf8).withUnsafeBytes { SubjectGrammar.isValidSubscription($0) }
            guard isValid else {
                throw ValidationError("--ignore-subject \(GoString.quoted(pattern)) is not a subject")
            }
        }
        try self.display.check(against: self.output)
    }
}
