extension CommandFlag {
    /// Flags of nats-rply.
    package static let reply: [CommandFlag] =
        Self.common + [
            .value("queue", "q"),
            .boolean("timestamp", "t"),
            .repeated("header", "H"),
            .value("count", "n"),
            .value("sleep"),
            .value("max-reconnects"),
            .boolean("quiet"),
            .value("command"),
        ]
}
