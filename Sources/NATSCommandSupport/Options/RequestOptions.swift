package import ArgumentParser

/// The command line of nats-req.
package struct RequestOptions: ParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "nats-req",
            abstract: "Send a request and print the reply.",
            usage: "nats-req [flags] <subject> [<msg>]",
            discussion: """
                Without <msg> the payload is read from standard input: all of it as one request, or with --lines or \
                --send-on one request per record.

                Exit status: 0 success, 1 failure, 2 usage, 3 timeout, 4 no responders, 130/143/129 by signal.
                """,
            version: ToolVersion.line(tool: "nats-req")
        )
    }

    @Argument(help: "Subject to send the request to.")
    package var subject: String

    @Argument(help: ArgumentHelp("Payload.", valueName: "msg"))
    package var message: String?

    @OptionGroup(title: "Payload")
    package var payload: PayloadOptions

    @OptionGroup(title: "Output")
    package var output: OutputOptions

    @Option(help: ArgumentHelp("Replies to wait for; 0: all until the timeout.", valueName: "n"))
    package var replies: Int = 1

    @Option(
        help: ArgumentHelp("Largest gap after the first reply if more than one is expected.", valueName: "duration")
    )
    package var replyTimeout = DurationArgument(.milliseconds(300))

    @Flag(help: "Nothing on standard error but errors.")
    package var quiet = false

    @OptionGroup(title: "Connection")
    package var connection: ConnectionOptions

    package init() {}

    package mutating func validate() throws {
        if self.replies < 0 { throw ValidationError("--replies must not be negative") }
    }
}
