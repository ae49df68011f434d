package import ArgumentParser

/// The command line of nats-rply.
package struct ReplyOptions: ToolOptions {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "nats-rply",
            abstract: "Answer requests.",
            usage: "nats-rply [flags] <subject> [<response>]",
            discussion: """
                Every request is answered with <response>, or with what --command makes of it. `Listening on [subject]` on \
                standard error says that the server has confirmed the subscription. Requests are printed on standard \
                output.

                Exit status: 0 success, 1 failure, 2 usage, 130/143/129 by signal.
                """,
            version: ToolVersion.line(tool: "nats-rply")
        )
    }

    @Argument(help: "Subject of the requests; `*` and `>` are wildcards.")
    package var subject: String

    @Argument(help: "Payload of the replies.")
    package var response: String?

    @Option(name: [.long, .customShort("q")], help: ArgumentHelp("Queue group.", valueName: "group"))
    package var queue = "NATS-RPLY-22"

    @Flag(name: [.long, .customShort("t")], help: "Local time before each request.")
    package var timestamp = false

    @Option(
        name: [.long, .customShort("H")],
        parsing: .singleValue,
        help: ArgumentHelp("Header of each reply; may be repeated.", valueName: "name:value")
    )
    package var header: [HeaderArgument] = []

    @Option(name: [.long, .customShort("n")], help: ArgumentHelp("End after so many requests.", valueName: "n"))
    package var count: Int?

    @Option(
        help: ArgumentHelp(
            """
            Answer with what this command of the shell prints; it gets the payload on standard input, with NATS_SUBJECT \
            and NATS_REPLY in its environment. If it fails the answer has the header Nats-Service-Error.
            """,
            valueName: "command"
        )
    )
    package var command: String?

    @Option(help: ArgumentHelp("Pause before each reply.", valueName: "duration"))
    package var sleep: DurationArgument?

    @Option(
        help: ArgumentHelp("Attempts to connect again, one each second; -1: for ever, 0: none.", valueName: "n")
    )
    package var maxReconnects: Int = 600

    @Flag(help: "Nothing on standard error but errors.")
    package var quiet = false

    @OptionGroup(title: "Connection")
    package var connection: ConnectionOptions

    package init() {}

    package mutating func validate() throws {
        if let count = self.count, count < 1 { throw ValidationError("--count must be at least 1") }
        if self.command == nil, self.response == nil { throw ValidationError("Missing expected argument '<response>'") }
        if self.command != nil, self.response != nil { throw ValidationError("a response and --command") }
    }
}
