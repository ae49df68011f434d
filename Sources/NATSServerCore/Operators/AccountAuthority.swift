import NATSAuth

/// What the JWT of an account says, for as long as it counts.
final class AccountAuthority: Sendable {
    /// Empty for a system account that has not been found yet.
    let jwt: String
    let claims: AccountClaims
    /// Whether its operator wants signing keys to be used.
    let isStrict: Bool

    init(jwt: String, claims: AccountClaims, isStrict: Bool) {
        self.jwt = jwt
        self.claims = claims
        self.isStrict = isStrict
    }

    /// How the log names the account (nats-server accounts.go traceLabel).
    var label: String {
        self.claims.name.isEmpty ? self.claims.subject : "\(self.claims.subject)/\(self.claims.name)"
    }

    /// Whether a key may sign users (nats-server accounts.go hasIssuer).
    func hasIssuer(_ key: String) -> Bool {
        self.claims.signingKeys.contains(key) || key == self.claims.subject && !self.isStrict
    }

    /// The scopes of all keys that may sign users.
    private var scopes: [String: UserScope?] {
        var scopes = self.claims.signingKeys.scopes
        if !self.isStrict { scopes[self.claims.subject] = .some(nil) }
        return scopes
    }

    /// Keys whose scopes are other ones than before, and whether anything about the keys is.
    func changedSigners(since old: AccountAuthority) -> (altered: Set<String>, hasChanged: Bool) {
        let (before, now) = (old.scopes, self.scopes)
        var altered: Set<String> = []
        var hasChanged = before.count != now.count
        for (key, scope) in now {
            guard let former = before[key] else {
                hasChanged = true
                continue
            }
            if former != scope {
                hasChanged = true
                altered.insert(key)
            }
        }
        return (altered, hasChanged)
    }
}

/// What an account is worth at the moment, where accounts are JWTs.
struct AccountStanding: Sendable {
    var authority: AccountAuthority?
    var isExpired = false
    /// Something that it imports is not there.
    var isIncomplete = false
}

/// What a connection knows of the user's JWT.
final class JWTUser: Sendable {
    let publicKey: String
    let name: String
    let tags: [String]
    /// Seconds since 1970.
    let issuedAt: Int64
    /// The signing key; `nil` if the account itself has signed.
    let signingKey: String?
    let isBearer: Bool
    let limits: TrafficLimits
    /// Whether the permissions are those that the account gives to users without any.
    let hasDefaultPermissions: Bool
    /// How long the client may stay, in nanoseconds; as long as it likes if `nil`.
    let remaining: Int64?

    init(_ claims: UserClaims, _ admitted: UserAdmission.Admitted) {
        self.publicKey = claims.subject
        self.name = claims.name
        self.tags = claims.tags
        self.issuedAt = claims.registered.issuedAt
        self.signingKey = claims.issuerAccount.isEmpty ? nil : claims.issuer
        // Of the JWT itself: what a scope says does not count here (nats-server accounts.go UpdateAccountClaims).
        self.isBearer = claims.limits.bearerToken
        self.limits = admitted.limits.traffic
        self.hasDefaultPermissions = admitted.limits.permissions.isEmpty
        self.remaining = admitted.remaining
    }
}
