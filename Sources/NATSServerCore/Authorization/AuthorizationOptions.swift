package import NATSAuth
internal import NATSServerConfig

/// Who may connect, and what they may do; names and defaults are those of the official `authorization` block.
package struct AuthorizationOptions: Sendable, Equatable {
    /// A user with name and password.
    package struct User: Sendable, Equatable {
        package var name: String
        /// Plain, or a bcrypt hash.
        package var password: String
        /// Those of ``AuthorizationOptions/defaultPermissions`` if `nil`.
        package var permissions: PermissionOptions?
        /// All if empty.
        package var allowedConnectionTypes: Set<ConnectionType>
        /// Name of the account; `$G` if `nil`.
        package var account: String?
        /// Only through a trusted proxy, of which there are none: refuses everybody.
        package var proxyRequired = false

        package init(
            name: String,
            password: String = "",
            permissions: PermissionOptions? = nil,
            allowedConnectionTypes: Set<ConnectionType> = []
        ) {
            self.name = name
            self.password = password
            self.permissions = permissions
            self.allowedConnectionTypes = allowedConnectionTypes
        }
    }

    /// A user known by a public nkey.
    package struct NKeyUser: Sendable, Equatable {
        /// The public key, `U…`.
        package var nkey: String
        /// Those of ``AuthorizationOptions/defaultPermissions`` if `nil`.
        package var permissions: PermissionOptions?
        /// All if empty.
        package var allowedConnectionTypes: Set<ConnectionType>
        /// Name of the account; `$G` if `nil`.
        package var account: String?
        /// Only through a trusted proxy, of which there are none: refuses everybody.
        package var proxyRequired = false

        package init(
            nkey: String,
            permissions: PermissionOptions? = nil,
            allowedConnectionTypes: Set<ConnectionType> = []
        ) {
            self.nkey = nkey
            self.permissions = permissions
            self.allowedConnectionTypes = allowedConnectionTypes
        }
    }

    /// Name of the only user; `nil` and empty mean none.
    package var username: String?
    /// Password of the only user, plain or a bcrypt hash.
    package var password: String?
    /// Token, plain or a bcrypt hash; `nil` and empty mean none.
    package var token: String?
    /// Users by name; an empty array is different from none: nobody may connect then.
    package var users: [User]?
    /// Users by nkey; as with ``users``, empty is different from none.
    package var nkeys: [NKeyUser]?
    /// For users of `$G` without permissions of their own.
    package var defaultPermissions: PermissionOptions?
    /// The accounts; `$G` need not be among them.
    package var accounts: [AccountOptions] = []
    /// The account that looks at the server, there also if it is not among ``accounts``; `nil` for none.
    ///
    /// Fixed at the start.
    package var systemAccount: String?
    /// A user of `$G` that the server has made up, so that clients need no credentials though the system account's do.
    var impliedUser: String?
    /// The user (name or nkey) that clients without credentials are.
    package var noAuthUser: String?
    /// The service that decides who may connect; the server itself does if `nil`.
    package var callout: CalloutOptions?
    /// Time from accept to the end of authentication, and for the answer of such a service.
    package var timeout: Duration = .seconds(2)
    /// Only through a trusted proxy, of which there are none: refuses clients with the only user's name or the token.
    package var proxyRequired = false
    /// Sends a nonce though no user has an nkey.
    package var alwaysEnableNonce = false

    package init() {}

    /// What of it cannot be used, in the official server's words where it has some.
    package func firstProblem() -> String? {
        for user in self.users ?? [] {
            if let problem = self.problem(user.permissions) {
                return "invalid permissions for user \"\(user.name)\": \(problem)"
            }
        }
        for user in self.nkeys ?? [] {
            guard NKey.isPublicKey(user.nkey, of: .user) else { return "Not a valid public nkey for a user" }
            if let problem = self.problem(user.permissions) {
                return "invalid permissions for nkey \"\(user.nkey)\": \(problem)"
            }
        }
        if let problem = self.problem(self.defaultPermissions) { return "invalid default permissions: \(problem)" }
        if let problem = self.accountProblem() { return problem }
        if let problem = self.calloutProblem() { return problem }
        if let name = self.noAuthUser, !name.isEmpty {
            guard self.users != nil || self.nkeys != nil else {
                return "no_auth_user: \"\(name)\" present, but users/nkeys are not defined"
            }
            let isKnown =
                (self.users ?? []).contains { $0.name == name } || (self.nkeys ?? []).contains { $0.nkey == name }
            guard isKnown else {
                return """
                    no_auth_user: "\(name)" not present as user or nkey in authorization block or account configuration
                    """
            }
        }
        let secrets = [self.password, self.token] + (self.users ?? []).map(\.password)
        if !Bcrypt.isAvailable, secrets.contains(where: { Bcrypt.isHash($0 ?? "") }) {
            return "bcrypt hashes are not supported on this system, which has no libcrypt: use nkeys"
        }
        return nil
    }

    private func accountProblem() -> String? {
        var names: Set<String> = []
        for account in self.accounts {
            guard account.name != Account.globalName || account.limits == AccountOptions.Limits() else {
                return "\"$G\" is a Reserved Account"
            }
            guard !account.name.isEmpty, names.insert(account.name).inserted else {
                return "Duplicate Account Entry: \(account.name)"
            }
        }
        names.formUnion([self.systemAccount].compactMap { $0 })
        let users = (self.users ?? []).map { ($0.name, $0.account) } + (self.nkeys ?? []).map { ($0.nkey, $0.account) }
        for (user, account) in users {
            guard let account, !names.contains(account) else { continue }
            return "account \"\(account)\" of user \"\(user)\" is not defined"
        }
        for mapping in self.accounts.flatMap(\.mappings) {
            for destination in mapping.destinations {
                guard let failure = TransformRules.mappingFailure(mapping.source, destination.subject) else { continue }
                return "Error adding mapping for \"\(mapping.source)\" to \"\(destination.subject)\" : \(failure)"
            }
        }
        var links = AccountLinks(self.accounts.map(\.configuration), hasSystemAccount: false)
        return links.check().first
    }

    private func calloutProblem() -> String? {
        guard let callout = self.callout, !callout.isWithinProcess else { return nil }
        guard NKey.isPublicKey(callout.issuer, of: .account) else {
            return "Expected callout user to be a valid public account nkey, got \"\(callout.issuer)\""
        }
        if let key = callout.xkey, !NKey.isPublicKey(key, of: .curve) {
            return "Expected callout xkey to be a valid public xkey, got \"\(key)\""
        }
        guard !callout.authUsers.isEmpty else {
            return "Authorization callouts require authorized users to be specified"
        }
        let names = Set(self.accounts.map(\.name))
        for account in callout.allowedAccounts where !names.contains(account) {
            return "auth_callout allowed account \"\(account)\" not found in configured accounts"
        }
        return nil
    }

    private func problem(_ permissions: PermissionOptions?) -> String? { permissions?.firstProblem() }

    /// Whether a password can be read in the configuration (nats-server auth.go checkAuthforWarnings: a token is none).
    var hasPlaintextPasswords: Bool { self.hasPlaintextPasswords(mapsCertificates: false) }

    /// Whether a password can be read in the configuration.
    ///
    /// - Parameter mapsCertificates: Whether users without a password are known by their certificate.
    /// - Returns: whether the log should warn of it.
    func hasPlaintextPasswords(mapsCertificates: Bool) -> Bool {
        if let password = self.password, !password.isEmpty, !Bcrypt.isHash(password) { return true }
        return (self.users ?? []).contains { user in
            if user.name == self.impliedUser { return false }
            return user.password.isEmpty ? !mapsCertificates : !Bcrypt.isHash(user.password)
        }
    }
}
