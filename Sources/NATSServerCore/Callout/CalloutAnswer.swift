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
        let seconds = moment / 1_000_000_000
        let response = try self.response(payload, seconds)
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
        try self.checkIssuer(user)
        let account = user.registered.audience
        guard isAccount(account) else {
            throw Refusal(
                "no valid account \(self.quoted(account)) for auth callout response on account "
                    + "\(self.quotedAccount): account missing"
            )
        }
        let permissions = user.limits.permissions
        return Admission(
            account: account,
            user: user.name,
            permissions: permissions.isEmpty ? nil : permissions,
            remaining: remaining
        )
    }

    private var quotedAccount: String { self.quoted(self.rules.account) }

    private func quoted(_ text: String) -> String { GoString.quoted(Array(text.utf8)) }

    private func response(_ payload: [UInt8], _ seconds: Int64) throws(Refusal) -> AuthorizationResponseClaims {
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
        guard wasSealed || response.issuer == self.rules.issuer else {
            throw Refusal("auth callout signing key is unknown")
        }
        guard response.error.isEmpty else {
            throw Refusal("auth callout service returned an error: \(response.error)")
        }
        return response
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
            throw Refusal("authorized user on account \(self.quotedAccount) using invalid connection type")
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
