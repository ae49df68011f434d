package import ArgumentParser
package import NATSCommandSupport

/// The command line of nats-bench.
package struct BenchOptions: ToolOptions {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "nats-bench",
            abstract: "Measure messages per second, and the latency of requests.",
            usage: "nats-bench [flags] <subject>",
            discussion: """
                Every client has a connection of its own. A publisher's clock runs from its first message until the \
                server has confirmed the last one, a subscriber's from its first message to its last. The report goes \
                to standard output. A client that did not get every message is named on standard error.

                Exit status: 0 success, 1 failure or lost messages, 2 usage, 3 --max-time passed or no reply, \
                4 no responders, 130/143/129 by signal, after a report of what was done.
                """,
            version: ToolVersion.line(tool: "nats-bench")
        )
    }

    @Argument(help: "Subject of the messages.")
    package var subject: String

    @OptionGroup(title: "What is measured")
    package var load: BenchLoadOptions

    @OptionGroup(title: "Messages")
    package var content: BenchContentOptions

    @OptionGroup(title: "Report")
    package var output: BenchOutputOptions

    @OptionGroup(title: "Connection")
    package var connection: ConnectionOptions

    package init() {}
}
