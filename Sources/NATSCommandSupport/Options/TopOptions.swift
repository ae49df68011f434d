package import ArgumentParser

/// The command line of nats-top.
package struct TopOptions: ToolOptions {
    /// When the screen has colours.
    package enum Color: String, Sendable, ExpressibleByArgument, CaseIterable {
        case auto
        case always
        case never
    }

    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "nats-top",
            abstract: "Watch a NATS server: its load, traffic and connections.",
            usage: "nats-top [flags]",
            discussion: """
                Asks the monitoring port of the server (`-m 8222` of nats-server) again and again. Keys: `?` shows them, `q` quits.

                Several servers: -s a,b or -s twice. The first one that answers is shown; the view `cluster` has a row for each \
                of them and for those that they have routes to, which are looked for at the same port. Enter shows another one.

                Where no monitoring port is open: -s nats://host:port, or any of the flags that say who connects (--creds, \
                --user, --context, … or --sys for what the environment and the selected context say) asks by requests on \
                `$SYS`, which is allowed to users of the system account. All servers of the cluster answer them.

                Without a terminal: --batch, --json, or -o for the first snapshot.

                Exit status: 0 success, 1 failure (the server does not answer at the start), 2 usage, 130/143/129 by signal.
                """,
            version: ToolVersion.line(tool: "nats-top")
        )
    }

    @Option(
        name: [.long, .customShort("s")],
        help: ArgumentHelp(
            "Server to watch (default: 127.0.0.1): host, host:port, or the URL of its monitoring pages (then port 80 or 443 "
                + "unless given); or nats://host:port for requests on $SYS. Several: with commas, or more than once.",
            valueName: "host"
        )
    )
    package var server: [String] = []

    @Option(
        name: [.long, .customShort("m")],
        help: ArgumentHelp("Monitoring port (default: 8222).", valueName: "port")
    )
    package var port: Int?

    @Option(
        name: [.long, .customLong("ms", withSingleDash: true)],
        help: ArgumentHelp("Monitoring port of HTTPS, which is then used.", valueName: "port")
    )
    package var httpsPort: Int?

    @Option(
        name: [.long, .customShort("n")],
        help: ArgumentHelp("Connections to ask for, at most 65536.", valueName: "n")
    )
    package var connections = 1024

    @Option(
        name: [.long, .customShort("d")],
        help: ArgumentHelp("Time between refreshes: seconds (0.5), or 500ms.", valueName: "duration")
    )
    package var delay = DurationArgument(.seconds(1))

    @Option(
        name: [.long, .customShort("r")],
        help: ArgumentHelp("End after so many refreshes; 0 and less: never.", valueName: "n")
    )
    package var refreshes: Int?

    @Option(
        help: ArgumentHelp(
            "Column to sort by (default: cid): cid, subs, pending, msgs_to, msgs_from, bytes_to, bytes_from, idle, last, start, "
                + "uptime, rtt, name, …, or another column of the view; -name: largest first, +name: smallest first.",
            valueName: "column"
        )
    )
    package var sort: String?

    @Flag(help: "Names of hosts in the place of addresses.")
    package var lookup = false

    @Option(
        name: [.long, .customShort("o")],
        help: ArgumentHelp("Write the first snapshot to a file, or - for standard output, and end.", valueName: "file"),
        completion: .file()
    )
    package var output: String?

    @Option(
        name: [.long, .customShort("l")],
        help: ArgumentHelp("With -o: fields with this text between them, in the place of a grid.", valueName: "text")
    )
    package var delimiter: String?

    @Flag(name: [.long, .customShort("b")], help: "Plain numbers, without K, M and G.")
    package var raw = false

    @Flag(name: [.long, .customShort("u")], help: "Show the column of subscriptions.")
    package var displaySubscriptionsColumn = false

    @Option(help: ArgumentHelp("Certificate of this client for HTTPS, PEM.", valueName: "file"), completion: .file())
    package var cert: String?

    @Option(help: ArgumentHelp("Private key of the certificate, PEM.", valueName: "file"), completion: .file())
    package var key: String?

    @Option(
        help: ArgumentHelp("Authorities trusted in the place of the system's, PEM.", valueName: "file"),
        completion: .file()
    )
    package var cacert: String?

    @Flag(name: [.long, .customShort("k")], help: "Do not check the server's certificate.")
    package var insecure = false

    @Flag(help: "Print a snapshot at each refresh, with the time before it, and no control codes.")
    package var batch = false

    @Flag(help: "Print each snapshot as one line of JSON.")
    package var json = false

    @Option(
        help: ArgumentHelp("Write all answers to a file, for --replay.", valueName: "file"),
        completion: .file()
    )
    package var record: String?

    @Option(
        help: ArgumentHelp("Show what --record wrote, in the place of a server.", valueName: "file"),
        completion: .file()
    )
    package var replay: String?

    @Option(
        help: ArgumentHelp(
            "View to begin with: connections, closed, routes, accounts, server, jetstream, graphs, cluster.",
            valueName: "view"
        )
    )
    package var view = "connections"

    @Option(
        help: ArgumentHelp(
            "Rows to show: words, each may begin with name: subject: account: user: ip: cid: kind: lang: reason: and !; "
                + "account:=APP is exactly that one.",
            valueName: "words"
        )
    )
    package var filter = ""

    @Option(
        help: ArgumentHelp("Columns and their order: host,cid,name; or changes: +account,-lang.", valueName: "list")
    )
    package var columns: String?

    @Option(help: ArgumentHelp("auto, always or never; auto heeds NO_COLOR.", valueName: "when"))
    package var color = Color.auto

    @Option(help: ArgumentHelp("Limit for the answer to one request.", valueName: "duration"))
    package var timeout = DurationArgument(.seconds(5))

    @OptionGroup
    package var system: TopSystemOptions

    package init() {}

    /// Snapshots go to a file or to standard output; there is no screen.
    package var isBatch: Bool { self.batch || self.json || self.output != nil }

    package mutating func validate() throws {
        func refuse(_ text: String) throws { throw ValidationError(text) }
        if !(1...65_536).contains(self.connections) { try refuse("-n must be from 1 to 65536") }
        if self.delay.duration < .milliseconds(100) || self.delay.duration > .seconds(86_400) {
            try refuse("-d must be from 0.1 seconds to a day")
        }
        if self.timeout.duration < .milliseconds(10) || self.timeout.duration > .seconds(3600) {
            try refuse("--timeout must be from 10ms to an hour")
        }
        if self.delimiter != nil, self.output == nil { try refuse("-l needs -o") }
        if self.delimiter != nil, self.json { try refuse("-l and --json exclude each other") }
        if (self.cert == nil) != (self.key == nil) { try refuse("-cert and -key need each other") }
        if self.asksSystemAccount {
            if self.port != nil || self.httpsPort != nil {
                try refuse("-m and -ms are for monitoring ports: requests on $SYS go to -s host:port")
            }
            if self.usesFilesOfHTTPS {
                try refuse(
                    "-cert, -key, -cacert and -k are for https: use --tlscert, --tlskey, --tlscacert, --tls-insecure"
                )
            }
        }
        if self.replay != nil {
            if self.record != nil { try refuse("--record and --replay exclude each other") }
            if self.lookup { try refuse("--lookup and --replay exclude each other") }
        }
    }
}
