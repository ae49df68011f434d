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

    /// Whether a service has said who the user is, in the place of another one.
    let isOfCallout: Bool

    init(_ claims: UserClaims, _ admitted: UserAdmission.Admitted) {
        self.isOfCallout = false
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

    /// A user that a service has named (nats-server auth_callout.go processClientOrLeafCallout).
    ///
    /// - Parameters:
    ///   - claims: The claims of the user that the service has named.
    ///   - limits: Those of the user, or of the scope.
    ///   - asked: Whom the service was asked about: name, tags and time go on to count.
    ///   - remaining: How long the user may stay, in nanoseconds.
    init(_ claims: UserClaims, _ limits: UserLimits, inPlaceOf asked: JWTUser?, remaining: Int64?) {
        self.isOfCallout = true
        self.publicKey = claims.subject
        self.name = asked?.name ?? ""
        self.tags = asked?.tags ?? []
        self.issuedAt = claims.registered.issuedAt
        self.signingKey = claims.issuerAccount.isEmpty ? nil : claims.issuer
        self.isBearer = false
        // Those of the JWT are not looked at.
        self.limits = .unlimited
        self.hasDefaultPermissions = limits.permissions.isEmpty
        self.remaining = [asked?.remaining, remaining].compactMap { $0 }.min()
    }
}
