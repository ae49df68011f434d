import NATSAuth

/// Whom an authorization service is asked about, and what it may answer; made from ``CalloutOptions``.
struct CalloutRules: Sendable, Equatable {
    /// Where the service gets its questions (nats-server auth_callout.go AuthCalloutSubject).
    static let subject = "$SYS.REQ.USER.AUTH"
    /// What a question is meant for.
    static let audience = "nats-authorization-request"
    /// With which key the question was sealed.
    static let keyHeader = "Nats-Server-Xkey"

    let issuer: String
    let account: String
    let xkey: String?
    let isWithinProcess: Bool
    /// Whether it is the JWT of ``account`` that says so, and not the configuration.
    let isClaimed: Bool
    /// The account whose service is asked; not ``account`` where nobody can answer.
    let place: String
    /// In the order of the configuration.
    let authUserNames: [String]
    private let authUsers: Set<String>
    private let allowedAccounts: Set<String>

    init(_ options: CalloutOptions) {
        self.issuer = options.issuer
        self.account = options.account
        self.xkey = options.xkey.flatMap { $0.isEmpty ? nil : $0 }
        self.isWithinProcess = options.isWithinProcess
        self.isClaimed = false
        self.place = options.account
        self.authUserNames = options.authUsers
        self.authUsers = Set(options.authUsers)
        self.allowedAccounts = Set(options.allowedAccounts)
    }

    /// The rules of an account whose JWT names a service.
    ///
    /// - Parameters:
    ///   - account: The public key of the account.
    ///   - claims: What its JWT says.
    ///   - isAdmitted: Whether the server itself would let the user in. If it would not, the question goes to the account
    ///     that the client is in already, the global one, where nobody is to answer it.
    init(account: String, _ claims: ExternalAuthorization, isAdmitted: Bool) {
        self.issuer = isAdmitted ? account : Account.globalName
        self.account = account
        self.xkey = isAdmitted && !claims.xkey.isEmpty ? claims.xkey : nil
        self.isWithinProcess = false
        self.isClaimed = true
        self.place = self.issuer
        self.authUserNames = claims.users
        self.authUsers = Set(claims.users)
        self.allowedAccounts = Set(claims.allowedAccounts)
    }

    /// Whether the service is asked (nats-server auth.go processClientOrLeafAuthentication).
    ///
    /// - Parameters:
    ///   - user: How the client is known: its nkey, else its user name.
    ///   - account: The name of its account so far.
    /// - Returns: `false` if what the server has found itself counts.
    func decides(about user: String, of account: String) -> Bool {
        self.concerns(account) && !self.authUsers.contains(user)
    }

    /// Whether the service may answer with users of another account (nats-server accounts.go isAllowedAcount).
    func mayName(_ account: String) -> Bool {
        self.allowedAccounts.contains(account) || self.allowedAccounts == [ExternalAuthorization.anyAccount]
    }

    /// Whether the service has to do with an account; whoever has none yet is in the global one.
    func concerns(_ account: String) -> Bool {
        account == Account.globalName || self.allowedAccounts.isEmpty || self.allowedAccounts.contains(account)
    }

    /// What everybody in the service's account may do: ask questions in the server's place nobody may.
    func permissions(_ own: PermissionOptions?, in account: String?) -> PermissionOptions? {
        guard !self.isWithinProcess, (account ?? Account.globalName) == self.account else { return own }
        var permissions = own ?? PermissionOptions()
        var publish = permissions.publish ?? PermissionOptions.Subjects()
        if !publish.deny.contains(Self.subject) { publish.deny.append(Self.subject) }
        permissions.publish = publish
        return permissions
    }

    /// The same for what the service says that a client may do.
    func permissions(_ own: ClaimPermissions?, in account: String) -> ClaimPermissions? {
        guard !self.isWithinProcess, account == self.account else { return own }
        var permissions = own ?? ClaimPermissions()
        if !permissions.publish.deny.contains(Self.subject) { permissions.publish.deny.append(Self.subject) }
        return permissions
    }

    /// The header block of a sealed question.
    static func header(naming key: String) -> [UInt8] { Array("NATS/1.0\r\n\(Self.keyHeader): \(key)\r\n\r\n".utf8) }
}
