package import ArgumentParser

/// The command line of nats-sub.
package struct SubscribeOptions: ParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "nats-sub",
            abstract: "Subscribe to subjects and print what arrives.",
            usage: "nats-sub [flags] <subject>...",
            discussion: """
                `Listening on [subject]` on standard error says that every subscription is confirmed by the server. Messages of one <subject> keep their order.

                Exit status: 0 success, 1 failure, 2 usage, 3 fewer messages than --count, 130/143/129 by signal.
                """,
            version: ToolVersion.line(tool: "nats-sub")
        )
    }

    @Argument(help: ArgumentHelp("Subjects; `*` and `>` are wildcards.", valueName: "subject"))
    package var subjects: [String]

    @OptionGroup(title: "Output")
    package var output: OutputOptions

    @Flag(name: [.long, .customShort("t")], help: "Local time before each message.")
    package var timestamp = false

    @Option(name: [.long, .customShort("q")], help: ArgumentHelp("Queue group of every subject.", valueName: "group"))
    package var queue: String?

    @Option(name: [.long, .customShort("n")], help: ArgumentHelp("End after so many messages.", valueName: "n"))
    package var count: Int?

    @Option(help: ArgumentHelp("End after so long without a message.", valueName: "duration"))
    package var wait: DurationArgument?

    @Option(help: ArgumentHelp("End after so long in all.", valueName: "duration"))
    package var maxTime: DurationArgument?

    @Option(
        help: ArgumentHelp(
            "Attempts to connect again, one each second; -1: for ever, 0: none.",
            valueName: "n"
        )
    )
    package var maxReconnects: Int = 600

    @Flag(help: "Nothing on standard error but errors.")
    package var quiet = false

    @OptionGroup(title: "Connection")
    package var connection: ConnectionOptions

    package init() {}

    package mutating func validate() throws {
        if let count = self.count, count < 1 { throw ValidationError("--count must be at least 1") }
    }
}
