extension Flag {
    /// Every flag of the official server 2.15.1.
    ///
    /// To support one, move it up and give it a setting and a help text.
    static let all: [Flag] =
        [
            .supported(
                ["a", "addr", "net"],
                .string,
                .host,
                .server,
                "host",
                "Listen on this address (default: 0.0.0.0)"
            ),
            .supported(
                ["p", "port"],
                .integer,
                .port,
                .server,
                "port",
                "Client port (default: 4222, -1: any free port)"
            ),
            .supported(
                ["n", "name", "server_name"],
                .string,
                .serverName,
                .server,
                "name",
                "Server name (default: its id)"
            ),
            .supported(["P", "pid"], .string, .pidFile, .server, "file", "Write the process id to this file"),

            .supported(
                ["l", "log"],
                .string,
                .logFile,
                .logging,
                "file",
                "Append log lines to this file, not to stderr"
            ),
            .supported(
                ["T", "logtime"],
                .boolean,
                .logTime,
                .logging,
                nil,
                "Log lines carry the time (default: true)"
            ),
            .supported(["D", "debug"], .boolean, .debug, .logging, nil, "Log what helps to find faults"),
            .supported(["V", "trace"], .boolean, .trace, .logging, nil, "Log each protocol operation"),
            .supported(["DV"], .boolean, .debugAndTrace, .logging, nil, "Both of these"),

            .supported(["user"], .string, .user, .authorization, "user", "User that clients must give"),
            .supported(["pass"], .string, .password, .authorization, "password", "Password that clients must give"),
            .supported(["auth"], .string, .token, .authorization, "token", "Token that clients must give"),

            .supported(["h", "help"], .boolean, .help, .common, nil, "Show this text"),
            .supported(["v", "version"], .boolean, .version, .common, nil, "Show the version that clients see"),
        ] + Self.notYet

    private static let notYet: [Flag] = [
        .unsupported(.integer, "m", "http_port"),
        .unsupported(.integer, "ms", "https_port"),
        .unsupported(.string, "c", "config"),
        .unsupported(.boolean, "t"),
        .unsupported(.string, "sl", "signal"),
        .unsupported(.string, "client_advertise"),
        .unsupported(.string, "ports_file_dir"),

        .unsupported(.boolean, "logtime_utc"),
        .unsupported(.boolean, "s", "syslog"),
        .unsupported(.string, "r", "remote_syslog"),
        .unsupported(.boolean, "VV"),
        .unsupported(.boolean, "DVV"),
        .unsupported(.integer, "log_size_limit"),
        .unsupported(.integer, "max_traced_msg_len"),

        .unsupported(.boolean, "js", "jetstream"),
        .unsupported(.string, "sd", "store_dir"),

        .unsupported(.boolean, "tls"),
        .unsupported(.boolean, "tlsverify"),
        .unsupported(.string, "tlscert"),
        .unsupported(.string, "tlskey"),
        .unsupported(.string, "tlscacert"),

        .unsupported(.string, "routes"),
        .unsupported(.string, "cluster", "cluster_listen"),
        .unsupported(.string, "cluster_name"),
        .unsupported(.string, "cluster_advertise"),
        .unsupported(.boolean, "no_advertise"),
        .unsupported(.integer, "connect_retries"),
        .unsupported(.integer, "profile"),
        .unsupported(.boolean, "help_tls"),
    ]
}
