// The flags of each tool. What is listed with `later` belongs to the tools' specification, is not implemented, and is
// refused by name: neither mistaken for an operand nor parsed and ignored.

extension CommandFlag {
    /// Flags of every tool.
    static let common: [CommandFlag] =
        [
            .value("server", "s"),
            .value("user"),
            .value("password"),
            .value("password-file"),
            .value("token"),
            .value("creds"),
            .value("nkey"),
            .value("jwt"),
            .value("seed"),
            .value("tlscert"),
            .value("tlskey"),
            .value("tlscacert", "tlsca"),
            .boolean("tls"),
            .boolean("tlsfirst", "tls-first"),
            .boolean("tls-insecure"),
            .value("tls-name"),
            .value("context"),
            .boolean("no-context"),
            .value("timeout"),
            .value("drain-timeout"),
            .value("connection-name"),
            .value("inbox-prefix"),
            .value("socks-proxy"),
            .value("color"),
            .boolean("trace"),
            .boolean("verbose", "v"),
            CommandFlag("version", kind: .builtIn),
            CommandFlag("help", "h", kind: .builtIn),
            CommandFlag("generate-completion-script", kind: .builtInValue),
            CommandFlag("experimental-dump-help", kind: .builtIn),
        ]

    /// Where the payload comes from, in nats-pub and nats-req.
    private static let payload: [CommandFlag] =
        [
            .repeated("header", "H"),
            .value("send-on"),
            .boolean("lines", "l"),
            .boolean("empty", "e"),
            .boolean("force-stdin"),
            .value("count", "n"),
            .repeated("file", "f"),
            .boolean("skip-empty"),
            .boolean("crlf"),
            .boolean("skip-large"),
            .boolean("templates"),
            .boolean("no-templates"),
        ]

    /// How received messages are printed, in nats-sub and nats-req.
    private static let output: [CommandFlag] =
        [
            .boolean("raw", "r"),
            .boolean("no-newline", "N"),
            .boolean("print0", "0"),
            .value("format", "F"),
            .value("delimiter", "D"),
            .value("output"),
            .boolean("json"),
            .boolean("json-payload"),
        ]

    /// Flags of nats-pub.
    package static let publish: [CommandFlag] =
        Self.common + Self.payload
        + [
            .value("reply"),
            .value("sleep"),
            .boolean("null", "0"),
            .boolean("quiet", "q"),
            .boolean("json"),
            .value("delimiter", "D"),
            .value("rate"),
            .value("flush-every"),
            .boolean("tee"),
            .boolean("jetstream", "J"),
            .value("msg-id"),
            .value("expect-last-seq"),
            .optionalValue("retry", default: RetryInterval.text),
        ]
        + .later(
            """
            atomic
            """
        )

    /// Flags of nats-sub.
    package static let subscribe: [CommandFlag] =
        Self.common + Self.output
        + [
            .boolean("timestamp", "t"),
            .boolean("delta-time", "d"),
            .value("time-format"),
            .boolean("headers"),
            .boolean("headers-only"),
            .boolean("subjects-only"),
            .boolean("match-replies"),
            .value("translate"),
            .value("dump"),
            .boolean("report-subjects"),
            .value("report-top"),
            .repeated("ignore-subject", "I"),
            .boolean("inbox", "i"),
            .boolean("no-echo"),
            .value("pending-limit"),
            .boolean("lossy"),
            .value("queue", "q"),
            .value("count", "n"),
            .value("wait"),
            .value("max-time"),
            .value("max-reconnects"),
            .boolean("quiet"),
        ]
        + .later(
            """
            stream durable all new last since last-per-subject start-sequence \
            terminate-at-end T direct ack
            """
        )

    /// Flags of nats-req.
    package static let request: [CommandFlag] =
        Self.common + Self.payload + Self.output
        + [
            .value("replies"),
            .value("reply-timeout"),
            .boolean("wait-for-empty"),
            .value("concurrency"),
            .optionalValue("retry-no-responders", default: RetryLimit.unlimited),
            .value("fail-if-header"),
            .boolean("keep-going"),
            .optionalValue("retry", default: RetryInterval.text),
            .boolean("quiet"),
        ]
}

extension [CommandFlag] {
    fileprivate static func later(_ names: String) -> [CommandFlag] {
        names.split(separator: " ").map(String.init).map { CommandFlag($0, kind: .value, isSupported: false) }
    }
}
