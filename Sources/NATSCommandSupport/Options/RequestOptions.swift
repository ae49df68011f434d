package import ArgumentParser

/// The command line of nats-req.
package struct RequestOptions: ToolOptions {
    private static let replyTimeout = DurationArgument(.milliseconds(300))

    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "nats-req",
            abstract: "Send a request and print the reply.",
            usage: "nats-req [flags] <subject> [<msg>]",
            discussion: """
                Without <msg> the payload is read from standard input or files: all of it as one request, or with \
                --lines or --send-on one request per record.

                Exit status: 0 success, 1 failure, 2 usage, 3 timeout, 4 no responders, 5 --fail-if-header, 130/143/129 by signal.
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

    @Option(
        help: ArgumentHelp(
            "Replies to wait for (default: 1; all with --wait-for-empty); 0: all until the timeout.",
            valueName: "n"
        )
    )
    package var replies: Int?

    @Option(
        help: ArgumentHelp("Largest gap after the first reply if more than one is expected.", valueName: "duration")
    )
    package var replyTimeout = RequestOptions.replyTimeout

    @Flag(help: "An empty reply says that there are no more, and is not printed.")
    package var waitForEmpty = false

    @Option(
        help: ArgumentHelp(
            "Requests under way at a time; their replies are printed in the order of the requests.",
            valueName: "n"
        )
    )
    package var concurrency = 1

    @Option(
        help: ArgumentHelp(
            "Without responders wait 250ms and try again: so often (--retry-no-responders=5), or until the timeout.",
            valueName: "n"
        )
    )
    package var retryNoResponders: RetryLimit?

    @Option(
        help: ArgumentHelp(
            "Fail with status 5 if a reply has this header, such as Nats-Service-Error.",
            valueName: "name"
        )
    )
    package var failIfHeader: String?

    @Flag(help: "Go on after a request that failed; the status is the worst, 1 over 5 over 4 over 3.")
    package var keepGoing = false

    @Option(help: RetryInterval.help)
    package var retry: DurationArgument?

    @Flag(help: "Nothing on standard error but errors.")
    package var quiet = false

    @OptionGroup(title: "Connection")
    package var connection: ConnectionOptions

    package init() {}

    package init(_ values: inout FlagValues) throws {
        guard let subject = values.operand() else { throw FlagValues.Unread() }
        self.subject = subject
        self.message = values.operand()
        self.payload = try PayloadOptions(&values)
        self.output = try OutputOptions(&values)
        self.replies = try values.value("replies")
        self.replyTimeout = try values.value("reply-timeout") ?? Self.replyTimeout
        self.waitForEmpty = values.isSet("wait-for-empty")
        self.concurrency = try values.value("concurrency") ?? 1
        self.retryNoResponders = try values.value("retry-no-responders")
        self.retry = try values.value("retry")
        self.failIfHeader = try values.value("fail-if-header")
        self.keepGoing = values.isSet("keep-going")
        self.quiet = values.isSet("quiet")
        self.connection = try ConnectionOptions(&values)
    }

    package mutating func validate() throws {
        try RetryInterval.check(self.retry)
        if let replies = self.replies, replies < 0 { throw ValidationError("--replies must not be negative") }
        if self.concurrency < 1 { throw ValidationError("--concurrency must be at least 1") }
        guard self.concurrency == 1 || self.hasSingleReply else {
            throw ValidationError("--concurrency needs requests of one reply each")
        }
    }

    /// Replies to wait for; 0 for all.
    package var wantedReplies: Int {
        self.replies ?? (self.waitForEmpty ? 0 : 1)
    }

    /// The first reply is all that is waited for.
    package var hasSingleReply: Bool {
        self.wantedReplies == 1 && !self.waitForEmpty
    }
}
