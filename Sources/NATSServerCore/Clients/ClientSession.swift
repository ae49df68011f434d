import NATSAuth
import NATSText
internal import NATSWire
import NIOCore

/// What a client connection has negotiated, and what its CONNECT and PING lead to.
///
/// Performs no I/O and reads no clock.
struct ClientSession {
    enum ConnectAction: Equatable {
        /// Accepted. `dropSubscriptions`: it was not the first CONNECT (nats-server 2.15 client.go processConnect).
        case accept(dropSubscriptions: Bool)
        /// Nothing is to be done with what follows until ``passwordChecked(_:)`` has the result of this.
        case verify(PasswordCheck, dropSubscriptions: Bool)
        /// Nothing is to be done with what follows until ``calloutEnded(_:)`` has the answer of the service.
        case callOut(CalloutRules, dropSubscriptions: Bool)
        case refuseCredentials
        /// The same as ``verify(_:dropSubscriptions:)``, until ``accountLookedUp(_:)``.
        case lookUpAccount(String, dropSubscriptions: Bool)
        case refuseProtocol
        case refuseNoResponders
    }

    private struct AfterCallout {
        var isFirst: Bool
        /// Whether the client has begun without CONNECT, so that nothing but the outcome is to be told.
        var isWithoutConnect = false
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
    /// What the client may do once it has been accepted; everything if `nil`.
    private(set) var permissions: ClientPermissions? {
        didSet { self.publishTag = self.permissions?.publishTag ?? 0 }
    }
    private var publishTag: UInt64 = 0
    /// The account of the client; `$G` if `nil`.
    private(set) var account: Account?
    /// The user, if it is a JWT that says who that is.
    private(set) var user: JWTUser?
    /// The IP address of the client.
    var host = ""
    /// How long the client may stay, in nanoseconds, if that is not for ``user`` to say; as long as it likes if `nil`.
    private(set) var remaining: Int64?
    /// Why credentials were refused.
    private(set) var refusal = Authenticator.Refusal()
    /// What the client has to sign; empty if nobody signs.
    let nonce: String
    /// The certificate that says who the client is, if that is not for CONNECT to say.
    var certificateLookup: CertificateLookup?
    private var authenticator: Authenticator
    private let serverSupportsHeaders: Bool
    /// Credentials that came with a WebSocket request, on such a connection.
    var cookies: WebSocketCookies?
    /// Whether the client is in the same process.
    var isInProcess = false
    private var connectionType: ConnectionType {
        self.cookies != nil ? .webSocket : self.isInProcess ? .inProcess : .standard
    }
    /// What ``passwordChecked(_:)`` goes on with.
    private var afterCheck: (grant: Authenticator.Grant, isFirst: Bool)?
    /// Whether it was for the first CONNECT, while ``accountLookedUp(_:)`` is waited for.
    private var lookUpIsForFirst: Bool?
    /// What ``calloutEnded(_:)`` goes on with.
    private var afterCallout: AfterCallout?
    /// The service of the user's account, if that has one.
    private var claimedCallout: CalloutRules?
    /// The user about whom it is asked, if the server itself would let it in.
    private(set) var askedUser: JWTUser?

    init(authenticator: Authenticator, nonce: String = "", serverSupportsHeaders: Bool) {
        self.authenticator = authenticator
        self.nonce = nonce
        self.awaitsConnect = authenticator.isRequired
        self.serverSupportsHeaders = serverSupportsHeaders
    }

    /// The service that may have to be asked, or was.
    var callout: CalloutRules? { self.claimedCallout ?? self.authenticator.callout }
    /// Whether credentials are wanted, though somebody may be somebody without.
    var requiresCredentials: Bool { self.authenticator.isRequired }
    /// What the first INFO says about credentials.
    var isAnnounced: Bool { self.authenticator.isAnnounced }
    /// Time for the authentication.
    var authenticationTimeout: TimeAmount { TimeAmount(self.authenticator.timeout) }

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
        if let cookies = self.cookies { self.payload.complete(with: cookies) }
        // Without operators there are no JWTs (nats-server client.go processConnect).
        if self.authenticator.operators == nil { self.payload.jwt = "" }
        return self.decide(isFirst: isFirst)
    }

    private mutating func decide(isFirst: Bool, lookedUp: OperatorMode.LookUp? = nil) -> ConnectAction {
        self.refusal = Authenticator.Refusal()
        self.afterCheck = nil
        self.lookUpIsForFirst = nil
        self.afterCallout = nil
        self.claimedCallout = nil
        self.askedUser = nil
        let decision = self.authenticator.decide(
            &self.payload,
            nonce: self.nonce,
            type: self.connectionType,
            host: self.host,
            lookup: &self.certificateLookup,
            lookedUp: lookedUp
        )
        switch decision {
        case .accept(let grant):
            return self.decided(grant, isFirst: isFirst)
        case .verify(let check, let grant):
            self.afterCheck = (grant, isFirst)
            return .verify(check, dropSubscriptions: !isFirst)
        case .lookUp(let name):
            self.lookUpIsForFirst = isFirst
            return .lookUpAccount(name, dropSubscriptions: !isFirst)
        case .refuse(let refusal):
            self.refusal = refusal
            self.claimedCallout = refusal.callout
            return self.decided(nil, isFirst: isFirst)
        case .callOut(let callout, let own):
            self.claimedCallout = callout
            self.afterCallout = AfterCallout(isFirst: isFirst)
            switch own {
            case .success(let grant):
                self.take(grant)
                self.askedUser = grant.user
            case .failure(let refusal): self.refusal = refusal
            }
            return .callOut(callout, dropSubscriptions: !isFirst)
        }
    }

    /// Whether ``accountLookedUp(_:)`` is waited for.
    var isLookingUpAccount: Bool { self.lookUpIsForFirst != nil }

    /// The account that a CONNECT needs was found or not.
    mutating func accountLookedUp(_ outcome: OperatorMode.LookUp) -> ConnectAction {
        guard let isFirst = self.lookUpIsForFirst else { return .refuseCredentials }
        return self.decide(isFirst: isFirst, lookedUp: outcome)
    }

    /// The server knows what it thinks itself, `nil` if the credentials are wrong: that counts unless a service is to be asked.
    private mutating func decided(_ grant: Authenticator.Grant?, isFirst: Bool) -> ConnectAction {
        let account = grant.map(\.account) ?? self.account
        if let callout = self.authenticator.callout,
            callout.decides(about: self.payload.calloutUser, of: account?.name ?? Account.globalName)
        {
            self.afterCallout = AfterCallout(isFirst: isFirst)
            return .callOut(callout, dropSubscriptions: !isFirst)
        }
        guard let grant else { return .refuseCredentials }
        return self.authenticated(grant, isFirst: isFirst)
    }

    /// What the search for the certificate's user has to say to the log since the last call.
    mutating func takeCertificateNotes() -> (notes: [String], ignoredUser: String?) {
        guard let lookup = self.certificateLookup else { return ([], nil) }
        self.certificateLookup = CertificateLookup(certificate: lookup.certificate)
        return (lookup.notes, lookup.ignoredUser)
    }

    /// Whether ``passwordChecked(_:)`` or ``calloutEnded(_:)`` is waited for.
    var isBeingChecked: Bool { self.afterCheck != nil || self.afterCallout != nil }

    /// Whether ``calloutEnded(_:)`` is waited for about a client that has begun without CONNECT.
    var isBeginningWithoutConnect: Bool { self.afterCallout?.isWithoutConnect ?? false }

    /// The configuration has been reloaded while a CONNECT was being checked: it is looked at again.
    mutating func reloadedDuringCheck(_ authenticator: Authenticator) -> ConnectAction {
        self.authenticator = authenticator
        if self.isBeginningWithoutConnect {
            self.afterCallout = nil
            return self.beganWithoutConnect()
        }
        return self.decide(
            isFirst: self.afterCheck?.isFirst ?? self.afterCallout?.isFirst ?? self.lookUpIsForFirst ?? false
        )
    }

    /// The check that a CONNECT needed has come to an end.
    mutating func passwordChecked(_ isRight: Bool) -> ConnectAction {
        guard let afterCheck = self.afterCheck.take() else { return .refuseCredentials }
        return self.decided(isRight ? afterCheck.grant : nil, isFirst: afterCheck.isFirst)
    }

    /// A service has been asked; `nil` if it does not want the client, or has not said anything that can be used.
    mutating func calloutEnded(_ grant: Authenticator.Grant?) -> ConnectAction {
        guard let afterCallout = self.afterCallout.take(), let grant else { return .refuseCredentials }
        self.take(over: grant.name)
        return self.authenticated(grant, isFirst: afterCallout.isFirst)
    }

    /// The service, asked again after a reload, still wants the client.
    mutating func calledOutAgain(_ grant: Authenticator.Grant) {
        self.take(over: grant.name)
        self.permissions = grant.permissions
        self.user = grant.user
        self.remaining = grant.remaining
    }

    /// Why the server itself would refuse the client, the first time that it is asked.
    mutating func takeRefusalReason() -> String? { self.refusal.reason.take() }

    /// The client is refused by another authority.
    mutating func refused(_ reason: ClosedReason) { self.refusal = Authenticator.Refusal(closes: reason) }

    private mutating func take(over user: String?) {
        // Of whom was asked about the JWT does not count any more (nats-server auth_callout.go).
        if self.claimedCallout != nil { self.payload.jwt = "" }
        guard let user else { return }
        self.payload.user = user
        self.payload.nkey = ""
        self.payload.authToken = ""
    }

    private mutating func authenticated(_ grant: Authenticator.Grant, isFirst: Bool) -> ConnectAction {
        self.awaitsConnect = false
        self.take(grant)
        guard !self.payload.newAccount, self.payload.account.isEmpty else { return .refuseCredentials }
        guard self.payload.proto == 0 || self.payload.proto == 1 else { return .refuseProtocol }
        guard !self.payload.noResponders || self.headers else { return .refuseNoResponders }
        return .accept(dropSubscriptions: !isFirst)
    }

    private mutating func take(_ grant: Authenticator.Grant) {
        self.permissions = grant.permissions
        self.account = grant.account
        self.user = grant.user
        self.remaining = grant.remaining
    }

    /// The client begins with something else than CONNECT though it should not.
    ///
    /// - Returns: what it leads to: acceptance if it may, because it is somebody without credentials.
    mutating func beganWithoutConnect() -> ConnectAction {
        guard
            case .accept(let grant)? = self.authenticator.decideWithoutConnect(
                &self.payload,
                nonce: self.nonce,
                type: self.connectionType,
                lookup: &self.certificateLookup
            )
        else { return .refuseCredentials }
        self.connectReceived = true
        let action = self.decided(grant, isFirst: true)
        self.afterCallout?.isWithoutConnect = true
        return action
    }

    /// The configuration has been reloaded; from now on its users count.
    ///
    /// - Returns: what becomes of the connection. With `keep`, the permissions have been taken over already.
    mutating func reloaded(_ authenticator: Authenticator) -> Authenticator.ReloadEffect {
        self.authenticator = authenticator
        if let operators = authenticator.operators, let user = self.user, let account = self.account {
            guard !user.isOfCallout else { return self.askAgain(in: account) }
            guard let refusal = operators.objection(toUsersOf: account) else {
                return .keep(Authenticator.Grant(permissions: self.permissions, account: account, user: user))
            }
            self.refusal = refusal
            return .refuse(refusal)
        }
        let effect = authenticator.reloadEffect(
            on: self.payload,
            nonce: self.nonce,
            type: self.connectionType,
            host: self.host,
            lookup: self.certificateLookup,
            account: self.account
        )
        switch effect {
        case .keep(let grant), .verify(_, let grant):
            self.permissions = grant.permissions
            self.user = grant.user
        case .refuse(let refusal): self.refusal = refusal
        case .close, .callOut: break
        }
        return effect
    }

    /// Somebody whom a service has named comes again, with what is left of its CONNECT: its JWT is not (nats-server
    /// auth_callout.go processClientOrLeafCallout).
    private mutating func askAgain(in account: Account) -> Authenticator.ReloadEffect {
        self.refusal = Authenticator.Refusal()
        self.askedUser = nil
        self.claimedCallout = nil
        let decision = self.authenticator.decide(
            &self.payload,
            nonce: self.nonce,
            type: self.connectionType,
            host: self.host,
            lookup: &self.certificateLookup
        )
        switch decision {
        case .callOut(let callout, let own):
            self.claimedCallout = callout
            switch own {
            case .success(let grant): self.askedUser = grant.user
            case .failure(let refusal): self.refusal = refusal
            }
            return .callOut(callout)
        case .accept(let grant):
            guard grant.account === account else { return .close }
            self.permissions = grant.permissions
            self.user = grant.user
            return .keep(grant)
        case .refuse(let refusal):
            self.refusal = refusal
            self.claimedCallout = refusal.callout
            return .refuse(refusal)
        case .verify, .lookUp:
            // The account of the sentinel is gone.
            return .close
        }
    }

    /// The account gives its users other permissions.
    mutating func replacePermissions(_ permissions: ClientPermissions?) { self.permissions = permissions }

    mutating func receivedPing() -> PingAction {
        guard self.connectReceived, !self.firstPongSent else { return .pong }
        self.firstPongSent = true
        return self.payload.proto >= 1 ? .pongAndInfo : .pong
    }

    /// Whether the client wants to know by INFO what changes (nats-server route.go sendAsyncInfoToClients).
    var takesInfo: Bool { self.firstPongSent && self.payload.proto >= 1 }

    /// How the log names the user; secrets are not shown.
    var userLabel: String? {
        if !self.payload.nkey.isEmpty { return "Nkey \(Self.quoted(self.payload.nkey))" }
        if !self.payload.user.isEmpty { return "User \(Self.quoted(self.payload.user))" }
        if !self.payload.jwt.isEmpty { return self.user.map { "JWT User \(Self.quoted($0.publicKey))" } }
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
        if let user = self.shortUserLabel { suffix += " - \(Self.quoted("\(self.accountLabel)/\(user)"))" }
        return suffix
    }

    /// What rate-limited lines about a client end in: ` - Account:$G - user:a` (nats-server client.go RateLimitErrorf).
    var rateLimitedSuffix: (account: String, user: String) {
        guard self.connectReceived else { return ("", "") }
        let user = self.shortUserLabel.map { " - \(GoString.harmless($0.utf8))" }
        return (" - Account:\(self.accountLabel)", user ?? "")
    }

    /// nats-server client.go getAuthUserLabel.
    private var shortUserLabel: String? {
        if !self.payload.nkey.isEmpty { return "nkey:\(self.payload.nkey)" }
        if !self.payload.user.isEmpty { return "user:\(self.payload.user)" }
        if !self.payload.jwt.isEmpty { return self.user.map { "jwt:\($0.publicKey)" } }
        return self.payload.authToken.isEmpty ? nil : "token"
    }

    private static func quoted(_ text: String) -> String { GoString.quoted(Array(text.utf8)) }
}

extension ConnectPayload {
    /// By which name an authorization service's own users are told from others; tokens are none.
    var calloutUser: String { self.nkey.isEmpty ? self.user : self.nkey }

    /// Who the client says it is (nats-server client.go getRawAuthUser, but for tokens, which are shown to nobody).
    ///
    /// - Parameter verified: Who it is by its JWT, if that is known.
    /// - Returns: the name or public key; empty if it says nothing.
    func rawUser(_ verified: JWTUser?) -> String {
        if !self.nkey.isEmpty { return self.nkey }
        if !self.user.isEmpty { return self.user }
        if !self.jwt.isEmpty { return verified?.publicKey ?? "" }
        return self.authToken.isEmpty ? "" : "[REDACTED]"
    }
}

extension ClientSession {
    /// What matters for the messages that the client publishes.
    struct PublisherTraits {
        /// Verbose or pedantic: each message has to be answered or checked.
        let needsAttention: Bool
        let awaitsConnect: Bool
        let echo: Bool
        let noResponders: Bool
        /// See ``ClientPermissions/publishTag``.
        let publishTag: UInt64
    }

    var publisherTraits: PublisherTraits {
        PublisherTraits(
            needsAttention: self.verbose || self.pedantic,
            awaitsConnect: self.awaitsConnect,
            echo: self.echo,
            noResponders: self.noResponders,
            publishTag: self.publishTag
        )
    }
}
