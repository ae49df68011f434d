internal import NATSAuth
internal import NATSWire

/// Decides who may connect, and with which permissions; made anew when the configuration is reloaded.
///
/// Performs no I/O; what takes long (bcrypt) it asks for.
final class Authenticator: Sendable {
    /// What somebody who is let in gets.
    struct Grant {
        /// Everything if `nil`.
        var permissions: ClientPermissions?
        /// `$G` if `nil`.
        var account: Account?
        /// Who it is, if a JWT says so.
        var user: JWTUser?
        /// What the client is called from now on; as it calls itself if `nil`.
        var name: String?
        /// How long the client may stay, in nanoseconds, if that is not for ``user`` to say; as long as it likes if `nil`.
        var remaining: Int64?
    }

    enum Decision {
        case accept(Grant)
        /// The password is right if this check says so.
        case verify(PasswordCheck, Grant)
        case refuse(Refusal)
        /// The service of the user's account is asked, whatever the server itself thinks: whom it would let in, as what, or
        /// why nobody.
        case callOut(CalloutRules, Result<Grant, Refusal>)
        /// First the account has to be looked for, by its public key.
        case lookUp(String)
    }

    /// Why a client is refused, as far as anybody is told.
    struct Refusal: Error, Equatable, Sendable {
        /// For the debug log.
        var reason: String?
        /// Whether the log shows the reason as an error.
        var isError = false
        /// What the connection is closed for.
        var closes = ClosedReason.authenticationFailure
        /// The service that decides about others of the user's account.
        var callout: CalloutRules?

        /// nats-server errors.go ErrAuthProxyRequired.
        static let proxyRequired = Refusal(reason: "proxy connection required", closes: .proxyRequired)
    }

    private struct Entry: Sendable {
        var password = ""
        var grant: Grant
        var types: Set<ConnectionType>
        var proxyRequired: Bool

        func allows(_ type: ConnectionType) -> Bool { self.types.isEmpty || self.types.contains(type) }
    }

    let timeout: Duration
    /// Credentials are wanted.
    let isRequired: Bool
    /// INFO carries a nonce to sign.
    let sendsNonce: Bool
    private let username: String
    private let password: String
    private let token: String
    private let noAuthUser: String
    /// The `no_auth_user` is one that the server has made up.
    private let isImplied: Bool
    private let proxyRequired: Bool
    /// Whom a service is asked about, if there is one.
    let callout: CalloutRules?
    /// What those get who are no particular user.
    private let plainGrant: Grant
    private let users: [String: Entry]
    private let nkeys: [String: Entry]
    /// Users with equal permissions share them, also over reloads.
    private let permissions: [PermissionOptions: ClientPermissions]
    private let nextPermissionID: UInt64
    /// The operators whose accounts count, if accounts are JWTs.
    let operators: OperatorMode?

    /// - Parameters:
    ///   - options: Valid options.
    ///   - hash: The key of hash tables.
    ///   - previous: What the server had before.
    ///   - accounts: The accounts that users may belong to, by name.
    ///   - operators: The operators whose accounts count, if accounts are JWTs.
    init(
        _ options: AuthorizationOptions,
        hash: SubjectHash,
        previous: Authenticator? = nil,
        accounts: [String: Account] = [:],
        operators: OperatorMode? = nil
    ) {
        self.operators = operators
        var made: [PermissionOptions: ClientPermissions] = [:]
        var nextID = previous?.nextPermissionID ?? 1
        let callout = options.callout.map(CalloutRules.init)
        func permissions(_ own: PermissionOptions?, _ account: String?) -> ClientPermissions? {
            var wanted = own ?? (account == nil ? options.defaultPermissions : nil)
            if let callout { wanted = callout.permissions(wanted, in: account) }
            guard let options = wanted else { return nil }
            if let known = made[options] { return known }
            if let known = previous?.permissions[options] {
                made[options] = known
                return known
            }
            let permissions = ClientPermissions(options, id: nextID, hash: hash)
            nextID += 1
            made[options] = permissions
            return permissions
        }
        func grant(_ own: PermissionOptions?, _ account: String?) -> Grant {
            Grant(permissions: permissions(own, account), account: account.flatMap { accounts[$0] })
        }
        var users: [String: Entry] = [:]
        for user in options.users ?? [] {
            users[user.name] = Entry(
                password: user.password,
                grant: grant(user.permissions, user.account),
                types: user.allowedConnectionTypes,
                proxyRequired: user.proxyRequired
            )
        }
        var nkeys: [String: Entry] = [:]
        for user in options.nkeys ?? [] {
            nkeys[user.nkey] = Entry(
                grant: grant(user.permissions, user.account),
                types: user.allowedConnectionTypes,
                proxyRequired: user.proxyRequired
            )
        }
        self.callout = callout
        self.plainGrant =
            callout.map { $0.permissions(nil, in: nil) }.flatMap { $0 }
            .map { Grant(permissions: permissions($0, nil)) } ?? Grant()
        self.users = users
        self.nkeys = nkeys
        self.permissions = made
        self.nextPermissionID = nextID
        self.username = options.username ?? ""
        self.password = options.password ?? ""
        self.token = options.token ?? ""
        self.noAuthUser = options.noAuthUser ?? ""
        self.isImplied = options.impliedUser != nil && options.impliedUser == options.noAuthUser
        self.proxyRequired = options.proxyRequired
        self.timeout = options.timeout
        self.sendsNonce = options.alwaysEnableNonce || !nkeys.isEmpty || operators != nil
        // nats-server auth.go configureAuthorization
        self.isRequired =
            operators != nil || options.users != nil || options.nkeys != nil || !self.username.isEmpty
            || !self.token.isEmpty || callout?.isWithinProcess == true
    }

    /// The same users under other rules, for a listener that has its own.
    private init(
        _ other: Authenticator,
        timeout: Duration,
        isRequired: Bool,
        username: String,
        password: String,
        token: String,
        noAuthUser: String
    ) {
        self.operators = other.operators
        self.timeout = timeout
        self.isRequired = isRequired
        self.sendsNonce = other.sendsNonce
        self.username = username
        self.password = password
        self.token = token
        self.noAuthUser = noAuthUser
        self.isImplied = other.isImplied && noAuthUser == other.noAuthUser
        self.proxyRequired = other.proxyRequired
        self.callout = other.callout
        self.plainGrant = other.plainGrant
        self.users = other.users
        self.nkeys = other.nkeys
        self.permissions = other.permissions
        self.nextPermissionID = other.nextPermissionID
    }

    /// With another time for the authentication.
    func replacing(timeout: Duration) -> Authenticator {
        Authenticator(
            self,
            timeout: timeout,
            isRequired: self.isRequired,
            username: self.username,
            password: self.password,
            token: self.token,
            noAuthUser: self.noAuthUser
        )
    }

    /// With another user or token, and another `no_auth_user`; credentials are wanted then.
    func replacing(username: String, password: String, token: String, noAuthUser: String) -> Authenticator {
        Authenticator(
            self,
            timeout: self.timeout,
            isRequired: true,
            username: username,
            password: password,
            token: token,
            noAuthUser: noAuthUser
        )
    }

    /// Whether there is a user with a name or an nkey.
    func hasUser(_ name: String) -> Bool { self.users[name] != nil || self.nkeys[name] != nil }

    /// What the first INFO says; clients need no credentials where they are somebody without.
    var isAnnounced: Bool { self.isRequired && (self.noAuthUser.isEmpty || self.isImplied) }

    /// Decides about a CONNECT (nats-server auth.go processClientOrLeafAuthentication).
    ///
    /// - Parameters:
    ///   - connect: What the client says; becomes the `no_auth_user` if it has no credentials.
    ///   - nonce: What the client had to sign.
    ///   - type: How it is connected.
    ///   - host: The IP address that it comes from.
    ///   - lookup: The certificate that says who it is (`verify_and_map`); `nil` if CONNECT does.
    ///   - lookedUp: What a look for the account has led to, if it was needed.
    /// - Returns: the decision, or what it depends on.
    func decide(
        _ connect: inout ConnectPayload,
        nonce: String,
        type: ConnectionType,
        host: String = "",
        lookup: inout CertificateLookup?,
        lookedUp: OperatorMode.LookUp? = nil
    ) -> Decision {
        guard self.isRequired else { return .accept(self.plainGrant) }
        if let operators = self.operators {
            let candidate = OperatorMode.Candidate(host: host, type: type, nonce: nonce)
            return operators.decide(&connect, candidate, lookedUp: lookedUp)
        }
        let isAnonymous = connect.user.isEmpty && connect.password.isEmpty && connect.authToken.isEmpty
        if !self.nkeys.isEmpty {
            if isAnonymous, connect.nkey.isEmpty, !self.noAuthUser.isEmpty, self.nkeys[self.noAuthUser] != nil {
                connect.nkey = self.noAuthUser
            }
            if !connect.nkey.isEmpty {
                guard let entry = self.nkeys[connect.nkey], entry.allows(type) else { return .refuse(Refusal()) }
                guard !entry.proxyRequired else { return .refuse(.proxyRequired) }
                return self.decide(entry, signedBy: connect, nonce)
            }
        }
        if !self.users.isEmpty, let certificate = lookup.map(\.certificate) {
            return self.decide(&connect, certificate, type, &lookup)
        }
        if !self.users.isEmpty {
            if isAnonymous, !self.noAuthUser.isEmpty, let entry = self.users[self.noAuthUser] {
                connect.user = self.noAuthUser
                connect.password = entry.password
            }
            if !connect.user.isEmpty {
                guard let entry = self.users[connect.user], entry.allows(type) else { return .refuse(Refusal()) }
                guard !entry.proxyRequired else { return .refuse(.proxyRequired) }
                return self.compare(entry.password, connect.password, entry.grant)
            }
        }
        guard !self.proxyRequired else { return .refuse(.proxyRequired) }
        if !self.token.isEmpty { return self.compare(self.token, connect.authToken, self.plainGrant) }
        guard !self.username.isEmpty else { return .refuse(Refusal()) }
        // A plain password is looked at in any case: the time taken must not tell which one was wrong. A hash is not,
        // since whoever knows no name shall not make the server compute hashes.
        let isUser = ConstantTime.areEqual(self.username.utf8, connect.user.utf8)
        switch self.compare(self.password, connect.password, self.plainGrant) {
        case .accept(let grant) where isUser: return .accept(grant)
        case .verify(let check, let grant) where isUser: return .verify(check, grant)
        case .accept, .verify, .refuse, .callOut, .lookUp: return .refuse(Refusal())
        }
    }

    /// Decides about a CONNECT where no certificate says who the client is.
    func decide(_ connect: inout ConnectPayload, nonce: String, type: ConnectionType) -> Decision {
        var none: CertificateLookup?
        return self.decide(&connect, nonce: nonce, type: type, lookup: &none)
    }

    /// The user is the one that the certificate names, though a password of that user has to be given too.
    private func decide(
        _ connect: inout ConnectPayload,
        _ certificate: ClientCertificate?,
        _ type: ConnectionType,
        _ lookup: inout CertificateLookup?
    ) -> Decision {
        var search = CertificateUser(
            isUser: { self.users[$0]?.allows(type) ?? false },
            users: { self.users.filter { $0.value.allows(type) }.map(\.key) }
        )
        let name = search.find(certificate)
        lookup?.notes += search.notes
        guard let name, let entry = self.users[name] else { return .refuse(Refusal()) }
        guard !entry.proxyRequired else { return .refuse(.proxyRequired) }
        lookup?.ignoredUser = connect.user.isEmpty ? nil : connect.user
        connect.user = name
        return self.compare(entry.password, connect.password, entry.grant)
    }

    /// Decides about a client that begins with something else than CONNECT (nats-server parser.go OP_START).
    ///
    /// - Returns: `nil` if there is nobody that it could be.
    func decideWithoutConnect(
        _ connect: inout ConnectPayload,
        nonce: String,
        type: ConnectionType,
        lookup: inout CertificateLookup?
    ) -> Decision? {
        guard !self.noAuthUser.isEmpty, let entry = self.users[self.noAuthUser], entry.allows(type),
            !entry.proxyRequired
        else { return nil }
        return self.decide(&connect, nonce: nonce, type: type, lookup: &lookup)
    }

    /// The same where no certificate says who the client is.
    func decideWithoutConnect(_ connect: inout ConnectPayload, nonce: String, type: ConnectionType) -> Decision? {
        var none: CertificateLookup?
        return self.decideWithoutConnect(&connect, nonce: nonce, type: type, lookup: &none)
    }

    /// What becomes of an authenticated connection under this configuration.
    enum ReloadEffect {
        /// Its user is no more: it is closed without a word.
        case close
        /// Its credentials are wrong now.
        case refuse(Refusal)
        /// It stays, with these permissions.
        case keep(Grant)
        /// It stays, with these permissions, if the check succeeds.
        case verify(PasswordCheck, Grant)
        /// It stays if the authorization service says so.
        case callOut(CalloutRules)
    }

    /// Decides about a connection that was there before a reload (nats-server reload.go reloadAuthorization and
    /// clientHasMovedToDifferentAccount).
    ///
    /// Whoever would be in another account now has to connect again.
    ///
    /// Unlike the official server, which closes every client that has named a user unless there is a list of users, a
    /// client whose credentials are still right stays.
    func reloadEffect(
        on connect: ConnectPayload,
        nonce: String,
        type: ConnectionType,
        host: String = "",
        lookup: CertificateLookup? = nil,
        account: Account? = nil
    ) -> ReloadEffect {
        if let callout = self.callout,
            callout.decides(about: connect.calloutUser, of: account?.name ?? Account.globalName)
        {
            // nats-server reload.go clientHasMovedToDifferentAccount: also whoever is not in the configuration.
            let entry = connect.nkey.isEmpty ? self.users[connect.user] : self.nkeys[connect.nkey]
            guard connect.nkey.isEmpty && connect.user.isEmpty || entry.map({ $0.grant.account === account }) ?? false
            else { return .close }
            return .callOut(callout)
        }
        guard self.isRequired else { return account == nil ? .keep(self.plainGrant) : .close }
        var connect = connect
        var lookup = lookup
        if self.operators != nil {
            switch self.decide(&connect, nonce: nonce, type: type, host: host, lookup: &lookup) {
            case .accept(let grant): return grant.account === account ? .keep(grant) : .close
            case .refuse(let refusal): return .refuse(refusal)
            // The account is gone, or has expired.
            case .lookUp: return .refuse(Refusal(reason: "Account JWT lookup error: account missing"))
            case .verify, .callOut: return .close
            }
        }
        let entry: Entry?
        if !connect.nkey.isEmpty {
            entry = self.nkeys[connect.nkey]
        } else {
            entry = self.users[connect.user]
        }
        if let entry, entry.grant.account !== account { return .close }
        let isGone = entry == nil && !(connect.nkey.isEmpty && connect.user.isEmpty)
        switch self.decide(&connect, nonce: nonce, type: type, lookup: &lookup) {
        case .accept(let grant): return grant.account === account ? .keep(grant) : .close
        case .verify(let check, let grant): return grant.account === account ? .verify(check, grant) : .close
        case .refuse(let refusal): return isGone ? .close : .refuse(refusal)
        case .callOut, .lookUp: return .close
        }
    }

    // MARK: Proofs

    private func decide(_ entry: Entry, signedBy connect: ConnectPayload, _ nonce: String) -> Decision {
        guard connect.nkey != self.noAuthUser else { return .accept(entry.grant) }
        guard !connect.signature.isEmpty else { return .refuse(Refusal(reason: "Signature missing")) }
        // A connection from before the first nkey user has no nonce, and a signature of nothing could be used again.
        guard !nonce.isEmpty else { return .refuse(Refusal(reason: "Signature not verified")) }
        guard let signature = Base64.decode(connect.signature) else {
            return .refuse(Refusal(reason: "Signature not valid base64"))
        }
        do throws(NKey.Failure) {
            let key = try NKeyPublicKey(connect.nkey)
            guard key.isValidSignature(signature, for: Array(nonce.utf8)) else {
                return .refuse(Refusal(reason: "Signature not verified"))
            }
        } catch {
            return .refuse(Refusal(reason: "User nkey not valid: \(error)"))
        }
        return .accept(entry.grant)
    }

    private func compare(_ expected: String, _ given: String, _ grant: Grant) -> Decision {
        guard Bcrypt.isHash(expected) else {
            return ConstantTime.areEqual(expected.utf8, given.utf8) ? .accept(grant) : .refuse(Refusal())
        }
        // The hash itself is never the password: that is a `no_auth_user` whose password is hashed, which the official
        // server refuses too.
        guard given != expected else { return .refuse(Refusal()) }
        return .verify(PasswordCheck(password: given, hash: expected), grant)
    }
}
