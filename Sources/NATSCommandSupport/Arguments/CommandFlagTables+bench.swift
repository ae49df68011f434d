extension CommandFlag {
    /// Flags of nats-bench.
    package static let bench: [CommandFlag] =
        Self.common + [
            .value("pubs", "np"),
            .value("subs", "ns"),
            .value("msgs", "n"),
            .value("size", "ms"),
            .value("csv"),
            .value("mode"),
            .value("clients"),
            .value("payload"),
            .boolean("random"),
            .repeated("header", "H"),
            .value("sleep"),
            .value("throughput"),
            .value("duration"),
            .boolean("multisubject"),
            .value("multisubjectmax"),
            .boolean("multisubjectrandomize"),
            .value("queue"),
            .value("warmup"),
            .value("runs"),
            .value("versus"),
            .value("max-time"),
            .boolean("json"),
            .boolean("no-progress"),
            .boolean("quiet"),
        ]
}
