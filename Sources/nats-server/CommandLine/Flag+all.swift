extension Flag {
    /// Every flag of the official server 2.15.1.
    static let all: [Flag] =
        Self.server + Self.logging + Self.jetStream + Self.authorization + Self.tls + Self.cluster + Self.common

    private static let server: [Flag] = [
        Flag(["a", "addr", "net"], .string, .host, .server, "host", "Listen on this address (default: 0.0.0.0)"),
        Flag(["p", "port"], .integer, .port, .server, "port", "Client port (default: 4222, -1: any free port)"),
        Flag(["n", "name", "server_name"], .string, .serverName, .server, "name", "Server name (default: its id)"),
        Flag(["P", "pid"], .string, .pidFile, .server, "file", "Write the process id to this file"),
        Flag(["m", "http_port"], .integer, .httpPort, .server, "port", "Serve monitoring on this port (-1: any)"),
        Flag(["ms", "https_port"], .integer, .httpsPort, .server, "port", "The same with TLS"),
        Flag(["c", "config"], .string, .configFile, .server, "file", "Read this configuration; flags win over it"),
        Flag(["t"], .boolean, .test, .server, nil, "Check the configuration, print its digest, and exit"),
        Flag(
            ["sl", "signal"],
            .string,
            .signal,
            .server,
            "command[=target]",
            "Tell a running server: reload, reopen, ldm, quit, term, stop; the target is a process id (may end in *) "
                + "or a pid file"
        ),
        Flag(
            ["client_advertise"],
            .string,
            .clientAdvertise,
            .server,
            "host[:port]",
            "Address that clients are told, instead of the real one"
        ),
        Flag(
            ["ports_file_dir"],
            .string,
            .portsFileDirectory,
            .server,
            "dir",
            "Write the ports in use to <program>_<pid>.ports there"
        ),
    ]

    private static let logging: [Flag] = [
        Flag(["l", "log"], .string, .logFile, .logging, "file", "Append log lines to this file, not to stderr"),
        Flag(["T", "logtime"], .boolean, .logTime, .logging, nil, "Log lines carry the time (default: true)"),
        Flag(["logtime_utc"], .boolean, .logTimeUTC, .logging, nil, "That time is UTC, not local"),
        Flag(["s", "syslog"], .boolean, .syslog, .logging, nil, "Log to the syslog of this machine"),
        Flag(
            ["r", "remote_syslog"],
            .string,
            .remoteSyslog,
            .logging,
            "url",
            "Log to this syslog: udp://host:port, tcp://host:port, unix:///path"
        ),
        Flag(["D", "debug"], .boolean, .debug, .logging, nil, "Log what helps to find faults"),
        Flag(["V", "trace"], .boolean, .trace, .logging, nil, "Log each protocol operation"),
        Flag(["VV"], .boolean, .verboseTrace, .logging, nil, "Those of the system account too"),
        Flag(["DV"], .boolean, .debugAndTrace, .logging, nil, "Both -D and -V"),
        Flag(["DVV"], .boolean, .debugAndVerboseTrace, .logging, nil, "Both -D and -VV"),
        Flag(
            ["log_size_limit"],
            .integer,
            .logSizeLimit,
            .logging,
            "bytes",
            "Begin a new log file beyond this size (default: never)"
        ),
        Flag(
            ["max_traced_msg_len"],
            .integer,
            .maxTracedMessageLength,
            .logging,
            "bytes",
            "Of each payload, trace so much (default: all)"
        ),
    ]

    private static let jetStream: [Flag] = [
        Flag(["js", "jetstream"], .boolean, .jetStream, .jetStream, nil, "Switch JetStream on"),
        Flag(["sd", "store_dir"], .string, .storeDirectory, .jetStream, "dir", "Keep streams there"),
    ]

    private static let authorization: [Flag] = [
        Flag(["user"], .string, .user, .authorization, "user", "User that clients must give"),
        Flag(["pass"], .string, .password, .authorization, "password", "Password that clients must give"),
        Flag(["auth"], .string, .token, .authorization, "token", "Token that clients must give"),
    ]

    private static let tls: [Flag] = [
        Flag(["tls"], .boolean, .tls, .tls, nil, "Clients must use TLS"),
        Flag(["tlscert"], .string, .tlsCertificate, .tls, "file", "Certificate of the server"),
        Flag(["tlskey"], .string, .tlsKey, .tls, "file", "Its private key"),
        Flag(["tlsverify"], .boolean, .tlsVerify, .tls, nil, "Clients must use TLS and show a certificate"),
        Flag(["tlscacert"], .string, .tlsAuthority, .tls, "file", "Certificates that sign those of clients"),
    ]

    private static let cluster: [Flag] = [
        Flag(["routes"], .string, .routes, .cluster, "url,url", "Connect to these servers of the cluster"),
        Flag(
            ["cluster", "cluster_listen"],
            .string,
            .cluster,
            .cluster,
            "url",
            "Listen for other servers, such as nats://0.0.0.0:6222"
        ),
        Flag(["cluster_name"], .string, .clusterName, .cluster, "name", "Name of the cluster (default: generated)"),
        Flag(
            ["cluster_advertise"],
            .string,
            .clusterAdvertise,
            .cluster,
            "host[:port]",
            "Address that other servers are told"
        ),
        Flag(["no_advertise"], .boolean, .noAdvertise, .cluster, nil, "Do not tell clients about other servers"),
        Flag(
            ["connect_retries"],
            .integer,
            .connectRetries,
            .cluster,
            "number",
            "Attempts to reach a server heard of from others"
        ),
        Flag(["profile"], .integer, .profile, .profiling, "port", "Serve profiles on this port"),
    ]

    private static let common: [Flag] = [
        Flag(["h", "help"], .boolean, .help, .common, nil, "Show this text"),
        Flag(["v", "version"], .boolean, .version, .common, nil, "Show the version that clients see"),
        Flag(["help_tls"], .boolean, .helpTLS, .common, nil, "Show how TLS is configured"),
    ]
}
