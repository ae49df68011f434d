package import ArgumentParser

/// The flags of nats-top that say who connects: those of the other tools, whose names are free here.
package struct TopSystemOptions: ParsableArguments {
    @Flag(help: "Ask by requests on $SYS, with what the environment or the selected context says.")
    package var sys = false

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

    @Option(help: ArgumentHelp("Name of the connection, as the server lists it.", valueName: "name"))
    package var connectionName: String?

    @Option(help: ArgumentHelp("Beginning of reply subjects (default: _INBOX).", valueName: "subject"))
    package var inboxPrefix: String?

    @Option(
        help: ArgumentHelp("SOCKS 5 proxy, socks5://[user:password@]host[:port] (NATS_SOCKS_PROXY).", valueName: "url")
    )
    package var socksProxy: String?

    package init() {}

    /// Whether one of them was given.
    var isUsed: Bool {
        let texts = [
            self.user, self.password, self.passwordFile, self.token, self.creds, self.nkey, self.jwt, self.seed,
            self.tlscert, self.tlskey, self.tlscacert, self.tlsName, self.context, self.connectionName,
            self.inboxPrefix,
            self.socksProxy,
        ]
        return texts.contains { $0 != nil } || self.sys || self.tls || self.tlsfirst || self.tlsInsecure
            || self.noContext
    }
}

extension TopOptions {
    /// The servers of `-s`, one by one.
    package var servers: [String] {
        self.server.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    }

    /// Whether pages are asked for by requests on `$SYS`.
    ///
    /// A URL of a client's port, or a flag for connecting, says so; the environment alone does not.
    package var asksSystemAccount: Bool {
        self.system.isUsed
            || self.servers.contains { server in
                ["nats://", "tls://", "ws://", "wss://"].contains { server.lowercased().hasPrefix($0) }
            }
    }

    /// Whether a flag of HTTPS was given.
    package var usesFilesOfHTTPS: Bool {
        self.cert != nil || self.key != nil || self.cacert != nil || self.insecure
    }

    /// The same flags as the other tools have them.
    package var connectionOptions: ConnectionOptions {
        get throws {
            var options = try ConnectionOptions.parse([])
            let system = self.system
            options.server = self.server.isEmpty ? nil : self.server.joined(separator: ",")
            options.user = system.user
            options.password = system.password
            options.passwordFile = system.passwordFile
            options.token = system.token
            options.creds = system.creds
            options.nkey = system.nkey
            options.jwt = system.jwt
            options.seed = system.seed
            options.tlscert = system.tlscert
            options.tlskey = system.tlskey
            options.tlscacert = system.tlscacert
            options.tls = system.tls
            options.tlsfirst = system.tlsfirst
            options.tlsInsecure = system.tlsInsecure
            options.tlsName = system.tlsName
            options.context = system.context
            options.noContext = system.noContext
            options.connectionName = system.connectionName
            options.inboxPrefix = system.inboxPrefix
            options.socksProxy = system.socksProxy
            options.timeout = self.timeout
            return options
        }
    }
}
