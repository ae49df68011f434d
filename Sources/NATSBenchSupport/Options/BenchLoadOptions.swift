package import ArgumentParser
package import NATSCommandSupport

/// Who sends how much, and how often it is done.
package struct BenchLoadOptions: ParsableArguments {
    @Option(
        name: [.customLong("pubs"), .customLong("np")],
        help: ArgumentHelp("Publishers (default: 1).", valueName: "n")
    )
    package var pubs: Int?

    @Option(
        name: [.customLong("subs"), .customLong("ns")],
        help: ArgumentHelp("Subscribers; each waits for all messages (default: 0).", valueName: "n")
    )
    package var subs: Int?

    @Option(
        name: [.customLong("msgs"), .customShort("n")],
        help: ArgumentHelp("Messages, divided over the publishers (default: 100000).", valueName: "n")
    )
    package var msgs: Int?

    @Option(
        help: ArgumentHelp(
            """
            What clients do: pub, sub, pubsub, req (requests, one after the other), rply (answer requests), \
            js-pub (publish to a stream, one acknowledgement after the other).
            """
        )
    )
    package var mode: BenchMode?

    @Option(help: ArgumentHelp("Clients of --mode (default: 1).", valueName: "n"))
    package var clients: Int?

    @Option(
        help: ArgumentHelp(
            "Queue group of subscribers and responders (responders: NATS-RPLY-22).",
            valueName: "group"
        )
    )
    package var queue: String?

    @Option(help: ArgumentHelp("Pause of each client after each message.", valueName: "duration"))
    package var sleep: DurationArgument?

    @Option(help: ArgumentHelp("Messages per second of all senders together, at most.", valueName: "n"))
    package var throughput: Int?

    @Option(help: ArgumentHelp("Send for so long, and only --msgs if that is given too.", valueName: "duration"))
    package var duration: DurationArgument?

    @Option(help: ArgumentHelp("Messages before the measured ones (default: 0).", valueName: "n"))
    package var warmup: Int?

    @Option(
        help: ArgumentHelp("Measure so often and report the median run (default: 1, with --versus 5).", valueName: "n")
    )
    package var runs: Int?

    @Option(
        help: ArgumentHelp("Another server: measured by turns with the first, and compared.", valueName: "url")
    )
    package var versus: String?

    @Option(help: ArgumentHelp("End after so long in all, with status 3.", valueName: "duration"))
    package var maxTime: DurationArgument?

    package init() {}
}
