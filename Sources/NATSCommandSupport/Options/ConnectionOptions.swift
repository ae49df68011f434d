package import ArgumentParser

/// The flags of every tool.
package struct ConnectionOptions: ParsableArguments {
    private static let drainTimeout = DurationArgument(ToolProcess.drainTimeout)

    @Option(
        name: [.long, .customShort("s")],
        help: ArgumentHelp("Server URLs, separated by commas (NATS_URL).", valueName: "urls")
    )
    package var server: String?

    @Option(help: ArgumentHelp("User name; without a password it is a token (NATS_USER).", valueName: "name"))
    package var user: String?

    @Option(help: ArgumentHelp("Password (NATS_PASSWORD; not visible to other users there).", valueName: "password"))
    package var password: String?

    @Option(help: ArgumentHelp("File with the password.", valueName: "file"), completion: .file())
    package var passwordFile: String?

    @Option(help: ArgumentHelp("Authentication token (NATS_TOKEN).", valueName: "token"))
    package var token: String?

    @Option(
        help: ArgumentHelp(
            "Creds file: a user's JWT and seed (NATS_CREDS); also file://, env://NAME or data:;base64,.",
            valueName: "file"
        ),
        completion: .file()
    )
    package var creds: String?

    @Option(
        help: ArgumentHelp("File with the seed of a user's nkey (NATS_NKEY); or as --creds.", valueName: "file"),
        completion: .file()
    )
    package var nkey: String?

    @Option(
        help: ArgumentHelp("File with a user's JWT, or the JWT (NATS_JWT); or as --creds.", valueName: "file"),
        completion: .file()
    )
    package var jwt: String?

    @Option(
        help: ArgumentHelp("File with the seed that signs for --jwt (NATS_SEED); or as --creds.", valueName: "file"),
        completion: .file()
    )
    package var seed: String?

    @Option(
        help: ArgumentHelp("Certificate of this client, PEM (NATS_CERT).", valueName: "file"),
        completion: .file()
    )
    package var tlscert: String?

    @Option(
        help: ArgumentHelp("Private key of the certificate, PEM (NATS_KEY).", valueName: "file"),
        completion: .file()
    )
    package var tlskey: String?

    @Option(
        name: [.customLong("tlscacert"), .customLong("tlsca")],
        help: ArgumentHelp("Authorities trusted in the place of the system's, PEM (NATS_CA).", valueName: "file"),
        completion: .file()
    )
    package var tlscacert: String?

    @Flag(help: "Connect by TLS or not at all.")
    package var tls = false

    @Flag(
        name: [.customLong("tlsfirst"), .customLong("tls-first")],
        help: "TLS handshake before the server says anything; for servers with handshake_first."
    )
    package var tlsfirst = false

    @Flag(help: "Do not check the server's certificate: anybody can pose as the server.")
    package var tlsInsecure = false

    @Option(help: ArgumentHelp("Name that the server's certificate must be for.", valueName: "name"))
    package var tlsName: String?

    @Option(
        help: ArgumentHelp(
            "Context of the nats command, by name or as a .json file (NATS_CONTEXT).",
            valueName: "name"
        )
    )
    package var context: String?

    @Flag(help: "No context, not even the selected one.")
    package var noContext = false

    @Option(
        help: ArgumentHelp("Limit for connecting and for a reply (NATS_TIMEOUT; default: 2s).", valueName: "duration")
    )
    package var timeout: DurationArgument?

    @Option(help: ArgumentHelp("Limit for cleaning up after a signal.", valueName: "duration"))
    package var drainTimeout = ConnectionOptions.drainTimeout

    @Option(help: ArgumentHelp("Name of the connection, as the server lists it.", valueName: "name"))
    package var connectionName: String?

    @Option(help: ArgumentHelp("Beginning of reply subjects (default: _INBOX).", valueName: "subject"))
    package var inboxPrefix: String?

    @Option(
        help: ArgumentHelp("SOCKS 5 proxy, socks5://[user:password@]host[:port] (NATS_SOCKS_PROXY).", valueName: "url")
    )
    package var socksProxy: String?

    @Option(
        help: ArgumentHelp(
            "Colors in what people read; auto: on a terminal, unless NO_COLOR is set or TERM is dumb.",
            valueName: "auto|always|never"
        )
    )
    package var color: ColorChoice = .auto

    @Flag(help: "Print the lines of the protocol on standard error, without payloads and secrets.")
    package var trace = false

    @Flag(name: [.long, .customShort("v")], help: "Say more on standard error.")
    package var verbose = false

    package init() {}

    package init(_ values: inout FlagValues) throws(FlagValues.Unread) {
        self.server = try values.value("server")
        self.user = try values.value("user")
        self.password = try values.value("password")
        self.passwordFile = try values.value("password-file")
        self.token = try values.value("token")
        self.creds = try values.value("creds")
        self.nkey = try values.value("nkey")
        self.jwt = try values.value("jwt")
        self.seed = try values.value("seed")
        self.tlscert = try values.value("tlscert")
        self.tlskey = try values.value("tlskey")
        self.tlscacert = try values.value("tlscacert")
        self.tls = values.isSet("tls")
        self.tlsfirst = values.isSet("tlsfirst")
        self.tlsInsecure = values.isSet("tls-insecure")
        self.tlsName = try values.value("tls-name")
        self.context = try values.value("context")
        self.noContext = values.isSet("no-context")
        self.timeout = try values.value("timeout")
        self.drainTimeout = try values.value("drain-timeout") ?? Self.drainTimeout
        self.connectionName = try values.value("connection-name")
        self.inboxPrefix = try values.value("inbox-prefix")
        self.socksProxy = try values.value("socks-proxy")
        self.color = try values.value("color") ?? .auto
        self.trace = values.isSet("trace")
        self.verbose = values.isSet("verbose")
    }
}
