import NATSText
import NATSWire

/// Flags, environment and context, the one that wins first.
///
/// Each field is of the first that has it; credentials are of one kind, that of the first that has any.
struct ConnectionSources: Sendable {
    private let sources: [ConnectionSource]

    init(_ sources: [ConnectionSource]) {
        self.sources = sources
    }

    private func first(_ field: ConnectionField) -> (value: String, origin: ConnectionSource.Origin)? {
        for source in self.sources {
            if let value = source.values[field] { return (value, source.origin) }
        }
        return nil
    }

    // MARK: Who and where

    func serversAndCredentials(
        environment: (String) -> String?
    ) throws -> (servers: [String], credentials: ConnectionCredentials) {
        let list = self.first(.server)
        var servers = ConnectionSettings.urls(list?.value ?? ConnectionSettings.defaultServer)
        if servers.isEmpty, let (text, origin) = list {
            throw origin.failure("no server in \(GoString.quoted(ConnectionSettings.redacted(text)))")
        }
        guard let (kind, rank) = try self.credentialKind() else { return (servers, .none) }
        if let ofServers = self.sources.firstIndex(where: { $0.values[.server] != nil }), rank < ofServers {
            // A flag beats what the environment's URL carries, and so on.
            servers = servers.map(ConnectionSettings.withoutUserInfo)
        }
        return (servers, try self.credentials(kind, environment: environment))
    }

    /// The field that says of what kind the credentials are, and the position of who says it.
    private func credentialKind() throws -> (kind: ConnectionField, rank: Int)? {
        for (rank, source) in self.sources.enumerated() {
            // A password in the environment may wait for a user that is named elsewhere; one among the flags is meant now.
            let isFlags = source.origin == .flags
            var kinds: [ConnectionField] = []
            for (kind, companion) in [
                (ConnectionField.user, ConnectionField.password), (.token, nil), (.creds, nil), (.nkey, nil),
                (.jwt, .seed),
            ] as [(ConnectionField, ConnectionField?)] {
                let hasCompanion = isFlags && companion.map { source.values[$0] != nil } == true
                if source.values[kind] != nil || hasCompanion { kinds.append(kind) }
            }
            guard let kind = kinds.first else { continue }
            guard kinds.count == 1 else {
                let names = kinds.map { source.origin.name(of: $0) }
                throw source.origin.failure("\(names[0]) and \(Self.lastWord(names[1])) exclude each other")
            }
            return (kind, rank)
        }
        return nil
    }

    private func credentials(
        _ kind: ConnectionField,
        environment: (String) -> String?
    ) throws -> ConnectionCredentials {
        func secret(_ field: ConnectionField) throws -> SecretValue? {
            guard let (value, origin) = self.first(field) else { return nil }
            return try SecretValue(parsing: value, field, of: origin, environment: environment)
        }
        switch kind {
        case .token:
            if let token = self.first(.token)?.value { return .token(token) }
        case .creds:
            if let creds = try secret(.creds) { return .creds(creds) }
        case .nkey:
            if let nkey = try secret(.nkey) { return .nkey(nkey) }
        case .jwt:
            guard let jwt = try secret(.jwt) else { throw UsageError("--seed needs --jwt") }
            return .jwt(jwt, seed: try secret(.seed))
        default:
            guard let user = self.first(.user)?.value else { throw UsageError("--password needs --user") }
            // natscli: a user without a password is a token.
            guard let password = self.first(.password)?.value else { return .token(user) }
            return .userPassword(user: user, password: password)
        }
        return .none
    }

    // MARK: How

    func tls(_ options: ConnectionOptions, home: String?) throws -> ConnectionSettings.TLS {
        var tls = ConnectionSettings.TLS()
        tls.isRequired = options.tls
        tls.handshakeFirst = options.tlsfirst || self.sources.contains { $0.handshakeFirst }
        tls.skipsVerification = options.tlsInsecure
        tls.serverName = options.tlsName
        tls.certificate = self.first(.certificate).map { ToolFile.expanded($0.value, home: home) }
        tls.privateKey = self.first(.privateKey).map { ToolFile.expanded($0.value, home: home) }
        tls.authorities = self.first(.authorities).map { ToolFile.expanded($0.value, home: home) }
        for (field, other) in [(ConnectionField.certificate, ConnectionField.privateKey), (.privateKey, .certificate)] {
            guard let (_, origin) = self.first(field), self.first(other) == nil else { continue }
            throw origin.failure("\(origin.name(of: field)) needs \(Self.lastWord(origin.name(of: other)))")
        }
        return tls
    }

    func proxy() throws -> ProxyAddress? {
        guard let (text, origin) = self.first(.socksProxy) else { return nil }
        guard let proxy = ProxyAddress(parsing: text) else {
            let form = "socks5://[user:password@]host[:port]"
            throw origin.failure("\(origin.name(of: .socksProxy)) is not of the form \(form)")
        }
        return proxy
    }

    func inboxPrefix() throws -> String? {
        guard let (prefix, origin) = self.first(.inboxPrefix) else { return nil }
        let isSubject = Array(prefix.utf8).withUnsafeBytes { SubjectGrammar.isValidPublishSubject($0) }
        guard isSubject else {
            let name = origin.name(of: .inboxPrefix)
            throw origin.failure("\(name): \(GoString.quoted(prefix)) is not a subject without wildcards")
        }
        return prefix
    }

    /// The field alone where the name says whose it is.
    private static func lastWord(_ name: String) -> String {
        name.split(separator: " ").last.map(String.init) ?? name
    }
}
