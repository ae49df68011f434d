package import ArgumentParser

/// The command line of nats-pub.
package struct PublishOptions: ParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "nats-pub",
            abstract: "Publish messages to a subject.",
            usage: "nats-pub [flags] <subject> [<msg>]",
            discussion: """
                Without <msg> the payload is read from standard input: all of it as one message, or with --lines, \
                --null or --send-on one message per record, sent as it arrives. With <msg> standard input is not read.

                Exit status: 0 success, 1 failure, 2 usage, 130/143/129 by signal.
                """,
            version: ToolVersion.line(tool: "nats-pub")
        )
    }

    @Argument(help: "Subject to publish to.")
    package var subject: String

    @Argument(help: ArgumentHelp("Payload.", valueName: "msg"))
    package var message: String?

    @OptionGroup(title: "Payload")
    package var payload: PayloadOptions

    @Flag(name: [.long, .customShort("0")], help: "One message per NUL-terminated record (--send-on null).")
    package var null = false

    @Option(help: ArgumentHelp("Reply subject.", valueName: "subject"))
    package var reply: String?

    @Option(help: ArgumentHelp("Pause between messages.", valueName: "duration"))
    package var sleep: DurationArgument?

    @Flag(name: [.long, .customShort("q")], help: "Nothing on standard error but errors.")
    package var quiet = false

    @OptionGroup(title: "Connection")
    package var connection: ConnectionOptions

    package init() {}
}
