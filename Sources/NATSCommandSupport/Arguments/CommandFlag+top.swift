extension CommandFlag {
    /// Flags of nats-top: those of the original, each with a long name.
    package static let top: [CommandFlag] =
        [
            .value("server", "s"),
            .value("port", "m"),
            .value("https-port", "ms"),
            .value("connections", "n"),
            .value("delay", "d"),
            .value("refreshes", "r"),
            .value("sort"),
            .boolean("lookup"),
            .value("output", "o"),
            .value("delimiter", "l"),
            .boolean("raw", "b"),
            .boolean("display-subscriptions-column", "u"),
            .value("cert"),
            .value("key"),
            .value("cacert"),
            .boolean("insecure", "k"),
            .boolean("batch"),
            .boolean("json"),
            .value("record"),
            .value("replay"),
            .value("view"),
            .value("filter"),
            .value("columns"),
            .value("color"),
            .value("timeout"),
            CommandFlag("version", "v", kind: .builtIn),
            CommandFlag("help", "h", kind: .builtIn),
            CommandFlag("generate-completion-script", kind: .builtInValue),
            CommandFlag("experimental-dump-help", kind: .builtIn),
        ]
        // The server's answers to requests on `$SYS`, where no monitoring port is open.
        + ["user", "password", "password-file", "token", "creds", "nkey", "context"].map {
            CommandFlag($0, kind: .value, isSupported: false)
        }
}
