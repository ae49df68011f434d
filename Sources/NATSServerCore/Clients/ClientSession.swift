internal import NATSWire

/// What a client connection has negotiated, and what its CONNECT and PING lead to.
///
/// Performs no I/O and reads no clock.
struct ClientSession {
    enum ConnectAction: Equatable {
        /// Accepted. `dropSubscriptions`: it was not the first CONNECT (nats-server 2.15 client.go processConnect).
        case accept(dropSubscriptions: Bool)
        case refuseCredentials
        case refuseProtocol
        case refuseNoResponders
    }

    enum PingAction: Equatable {
        case pong
        /// The first PING after CONNECT: the INFO with `connect_info` follows the PONG.
        case pongAndInfo
    }

    private(set) var payload = ConnectPayload()
    private(set) var connectReceived = false
    /// Nothing but a CONNECT is accepted while this is set.
    private(set) var awaitsConnect: Bool
    private(set) var headers = false
    private var firstPongSent = false
    private let policy: AuthenticationPolicy
    private let serverSupportsHeaders: Bool

    init(policy: AuthenticationPolicy, serverSupportsHeaders: Bool) {
        self.policy = policy
        self.awaitsConnect = policy.isRequired
        self.serverSupportsHeaders = serverSupportsHeaders
    }

    var verbose: Bool { self.payload.verbose }
    var pedantic: Bool { self.payload.pedantic }
    var echo: Bool { self.payload.echo }
    var noResponders: Bool { self.payload.noResponders }
    /// A CONNECT line arrived.
    ///
    /// Keys that a further CONNECT lacks keep their values.
    mutating func receivedConnect(_ json: UnsafeRawBufferPointer) throws(JSONError) -> ConnectAction {
        try self.payload.merge(JSONValue.parse(json))
        let isFirst = !self.connectReceived
        self.connectReceived = true
        self.headers = self.serverSupportsHeaders && self.payload.headers
        guard self.policy.accepts(self.payload) else { return .refuseCredentials }
        self.awaitsConnect = false
        guard !self.payload.newAccount, self.payload.account.isEmpty else { return .refuseCredentials }
        guard self.payload.proto == 0 || self.payload.proto == 1 else { return .refuseProtocol }
        guard !self.payload.noResponders || self.headers else { return .refuseNoResponders }
        return .accept(dropSubscriptions: !isFirst)
    }

    mutating func receivedPing() -> PingAction {
        guard self.connectReceived, !self.firstPongSent else { return .pong }
        self.firstPongSent = true
        return self.payload.proto >= 1 ? .pongAndInfo : .pong
    }

    /// How the log names the user; secrets are not shown.
    var userLabel: String? {
        if !self.payload.nkey.isEmpty { return "Nkey \(Self.quoted(self.payload.nkey))" }
        if !self.payload.user.isEmpty { return "User \(Self.quoted(self.payload.user))" }
        if !self.payload.authToken.isEmpty { return "Token \"[REDACTED]\"" }
        return nil
    }

    /// What follows the address in the log once a CONNECT has been accepted: ` - "v1.0:swift:name" - "$G/user:a"`.
    var logSuffix: String {
        var parts: [String] = []
        if !self.payload.version.isEmpty { parts.append("v\(self.payload.version)") }
        if !self.payload.lang.isEmpty { parts.append(self.payload.lang) }
        if !self.payload.name.isEmpty { parts.append(self.payload.name) }
        var suffix = parts.isEmpty ? "" : " - \(Self.quoted(parts.joined(separator: ":")))"
        if !self.payload.user.isEmpty {
            suffix += " - \(Self.quoted("\(Server.globalAccount)/user:\(self.payload.user)"))"
        } else if !self.payload.authToken.isEmpty {
            suffix += " - \(Self.quoted("\(Server.globalAccount)/token"))"
        }
        return suffix
    }

    private static func quoted(_ text: String) -> String { ProtocolText.quoted(Array(text.utf8)) }
}

extension ClientSession {
    /// What matters for the messages that the client publishes.
    struct PublisherTraits {
        /// Verbose or pedantic: each message has to be answered or checked.
        let needsAttention: Bool
        let awaitsConnect: Bool
        let echo: Bool
        let noResponders: Bool
    }

    var publisherTraits: PublisherTraits {
        PublisherTraits(
            needsAttention: self.verbose || self.pedantic,
            awaitsConnect: self.awaitsConnect,
            echo: self.echo,
            noResponders: self.noResponders
        )
    }
}
