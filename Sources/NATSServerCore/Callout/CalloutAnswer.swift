import NATSAuth
import NATSText
import NATSXKeys

/// What an authorization service answers, held to everything that the official server holds it to (nats-server
/// auth_callout.go processClientOrLeafCallout).
struct CalloutAnswer {
    /// Whom the service lets in, and as what.
    struct Admission: Equatable, Sendable {
        /// The name of the account.
        var account: String
        /// What the client is called from now on; empty if it keeps its name.
        var user: String
        /// `nil` if nothing is limited.
        var permissions: ClaimPermissions?
        /// How long the client may stay, in nanoseconds; as long as it likes if `nil`.
        var remaining: Int64?
    }

    /// Why there is nobody to let in.
    struct Refusal: Error, Equatable, Sendable {
        /// For the log, and for whoever watches failures in the service's account.
        var reason: String
        /// What the connection's own log says before, if anything.
        var note: String?
        /// What the connection's own log says for those who want to know more, if anything.
        var detail: String?
        var closes = ClosedReason.authenticationFailure

        /// An error in the words of Go, which begin with a small letter.
        init(_ words: String) { self.reason = words.prefix(1).uppercased() + words.dropFirst() }
    }

    /// The key with which the service's answer may be sealed.
    struct Seal: Sendable {
        let own: XKeyPair
        let service: String
    }

    private static let tokenPrefix = Array("eyJ".utf8)

    let rules: CalloutRules
    /// Who has asked.
    let server: String
    /// About whom.
    let userKey: String
    let seal: Seal?

    /// Judges an answer.
    ///
    /// - Parameters:
    ///   - payload: The payload of the message.
    ///   - moment: Nanoseconds since 1970.
    ///   - isAccount: Whether there is an account of a name.
    /// - Returns: Who is let in.
    /// - Throws: ``Refusal``, the first that applies.
    func judge(_ payload: [UInt8], at moment: Int64, isAccount: (String) -> Bool) throws(Refusal) -> Admission {
        let found = try self.open(payload, at: moment, authority: nil)
        guard isAccount(found.account) else { throw self.missing(found, "account missing") }
        let permissions = found.user.limits.permissions
        return Admission(
            account: found.account,
            user: found.user.name,
            permissions: permissions.isEmpty ? nil : permissions,
            remaining: found.remaining
        )
    }

    /// A user of whom only the account is not known yet.
    struct Found: Sendable {
        let user: UserClaims
        /// The account's name.
        let account: String
        let remaining: Int64?
    }

    /// Judges an answer, but for the account in it.
    ///
    /// - Parameters:
    ///   - payload: The payload of the message.
    ///   - moment: Nanoseconds since 1970.
    ///   - authority: What the JWT of the service's account says, if that has one.
    /// - Returns: Who may be let in.
    /// - Throws: ``Refusal``, the first that applies.
    func open(_ payload: [UInt8], at moment: Int64, authority: AccountAuthority?) throws(Refusal) -> Found {
        let seconds = moment / 1_000_000_000
        let response = try self.response(payload, seconds, authority)
        let user: UserClaims
        do throws(JWTError) {
            user = try JWT.decode(UserClaims.self, from: response.jwt)
        } catch {
            throw Refusal(error.description)
        }
        // There is no trusted proxy.
        guard !user.limits.proxyRequired else {
            var refusal = Refusal("proxy connection required")
            refusal.closes = .proxyRequired
            throw refusal
        }
        if let issue = user.validate(ValidationContext(now: seconds)).issues.first {
            throw Refusal("Error validating user JWT: \(issue)")
        }
        guard user.subject == self.userKey else {
            throw Refusal(
                """
                Expected authorized user of \(self.quoted(self.userKey)) but got \(self.quoted(user.subject)) on account \
                \(self.quotedAccount)
                """
            )
        }
        let remaining = try self.remaining(user, moment)
        try self.checkTypes(user)
        guard self.rules.isClaimed else {
            try self.checkIssuer(user)
            return Found(user: user, account: user.registered.audience, remaining: remaining)
        }
        guard user.account == self.rules.account || self.rules.mayName(user.account) else {
            throw Refusal(
                "account \(self.quoted(user.issuer)) not permitted as valid account option for auth callout for account "
                    + self.quotedAccount
            )
        }
        return Found(user: user, account: user.account, remaining: remaining)
    }

    /// There is no account of that name.
    func missing(_ found: Found, _ words: String) -> Refusal {
        Refusal(
            "no valid account \(self.quoted(found.account)) for auth callout response on account "
                + "\(self.quotedAccount): \(words)"
        )
    }

    /// Lets the account of a user say what that may do: it has to have signed it.
    ///
    /// - Parameters:
    ///   - found: The user.
    ///   - authority: What the JWT of its account says.
    /// - Returns: the limits of the user, or of the scope, and the permissions, `nil` if nothing is limited.
    /// - Throws: ``Refusal``.
    func admit(
        _ found: Found,
        by authority: AccountAuthority
    ) throws(Refusal) -> (limits: UserLimits, permissions: ClaimPermissions?) {
        let admission = UserAdmission(user: found.user, account: authority.claims, isStrict: authority.isStrict)
        do throws(UserAdmission.Refusal) {
            let limits = try admission.scopedLimits()
            return (limits, admission.permissions(limits))
        } catch {
            switch error {
            case .unknownIssuer: throw Refusal("user JWT issuer \(self.quoted(found.user.issuer)) is not known")
            case .invalidPermissions(let words): throw Refusal("user JWT generated invalid permissions: \(words)")
            default: throw Refusal(error.description)
            }
        }
    }

    private var quotedAccount: String { self.quoted(self.rules.account) }

    private func quoted(_ text: String) -> String { GoString.quoted(Array(text.utf8)) }

    private func response(
        _ payload: [UInt8],
        _ seconds: Int64,
        _ authority: AccountAuthority?
    ) throws(Refusal) -> AuthorizationResponseClaims {
        guard !payload.isEmpty else {
            throw Refusal("auth callout violation: \"no reason supplied\" on account \(self.quotedAccount)")
        }
        var token = payload
        var wasSealed = false
        if let seal = self.seal, !payload.starts(with: Self.tokenPrefix) {
            wasSealed = true
            do throws(XKeyError) {
                token = try seal.own.open(payload, from: seal.service)
            } catch {
                throw Refusal("error decrypting auth callout response on account \(self.quotedAccount): \(error)")
            }
        }
        let response: AuthorizationResponseClaims
        do throws(JWTError) {
            response = try JWT.decode(AuthorizationResponseClaims.self, from: String(decoding: token, as: UTF8.self))
        } catch {
            throw Refusal(error.description)
        }
        if let issue = response.validate(ValidationContext(now: seconds)).issues.first {
            throw Refusal("authorization response had validation errors: \(issue)")
        }
        guard response.subject == self.userKey else {
            throw Refusal("auth callout violation: auth callout response is not for expected user")
        }
        guard response.registered.audience == self.server else {
            throw Refusal("auth callout violation: auth callout response is not for server")
        }
        // Who seals has shown who it is.
        if !wasSealed { try self.checkSigner(of: response, authority) }
        guard response.error.isEmpty else {
            throw Refusal("auth callout service returned an error: \(response.error)")
        }
        return response
    }

    private func checkSigner(
        of response: AuthorizationResponseClaims,
        _ authority: AccountAuthority?
    ) throws(Refusal) {
        if self.rules.isClaimed, !response.issuerAccount.isEmpty, response.issuerAccount != self.rules.account {
            throw Refusal(
                "auth callout response issuer account \(self.quoted(response.issuerAccount)) is not the callout account"
            )
        }
        guard response.issuer == self.rules.issuer || authority?.hasIssuer(response.issuer) == true else {
            throw Refusal("auth callout signing key is unknown")
        }
    }

    /// How long the user may stay (nats-server client.go setExpiration).
    private func remaining(_ user: UserClaims, _ moment: Int64) throws(Refusal) -> Int64? {
        var remaining: Int64?
        let expires = user.registered.expires
        if expires != 0 {
            let seconds = moment / 1_000_000_000
            let time = (expires > seconds ? expires - seconds : 0).multipliedReportingOverflow(by: 1_000_000_000)
            remaining = time.overflow ? .max : time.partialValue
        }
        switch user.limits.permission(at: moment) {
        case .always:
            return remaining
        case .remaining(let time):
            return min(time, remaining ?? time)
        case .never:
            var refusal = Refusal(
                "authorized user on account \(self.quotedAccount) outside of valid connect times"
            )
            refusal.note = "Outside connect times"
            throw refusal
        }
    }

    /// Some kind of connection has to be known; whether it is the client's the official server does not ask.
    private func checkTypes(_ user: UserClaims) throws(Refusal) {
        let names = user.limits.allowedConnectionTypes
        let known = ConnectionType.allCases
        guard names.isEmpty || names.contains(where: { name in known.contains { $0.isAllowed(by: [name]) } }) else {
            var refusal = Refusal("authorized user on account \(self.quotedAccount) using invalid connection type")
            refusal.detail =
                "invalid connection types [\(names.map { self.quoted($0.uppercased()) }.joined(separator: " "))]"
            throw refusal
        }
    }

    private func checkIssuer(_ user: UserClaims) throws(Refusal) {
        guard user.issuerAccount.isEmpty else {
            throw Refusal("error non operator mode account \(self.quotedAccount): attempted to use issuer_account")
        }
        guard user.issuer == self.rules.issuer else {
            throw Refusal(
                "wrong issuer for auth callout response on account \(self.quotedAccount), expected "
                    + "\(self.quoted(self.rules.issuer)) got \(self.quoted(user.issuer))"
            )
        }
    }
}
