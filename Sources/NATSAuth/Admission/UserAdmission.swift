import NATSWire

/// Whether a user's JWT lets a client in (the operator mode's part of nats-server auth.go
/// processClientOrLeafAuthentication, in the same order).
///
/// Decides only. The caller has decoded the JWT, found the account of ``UserClaims/account``, and has made sure that
/// the account's JWT is that of a trusted operator.
package struct UserAdmission: Sendable {
    /// Why a client is not let in, in the words of the official log.
    package enum Refusal: Error, Equatable, CustomStringConvertible {
        case noLongerValid(ValidationReport)
        case unknownIssuer
        case invalid(String)
        case invalidPermissions(String)
        case accountExpired
        case noBearerTokens
        case connectionType
        case noSignature
        case signatureEncoding
        case signature
        case revoked
        case source(String)
        case time

        package var description: String {
            switch self {
            case .noLongerValid(let report):
                "User JWT no longer valid: \(report.issues.map(\.description).joined(separator: ", "))"
            case .unknownIssuer: "User JWT issuer is not known"
            case .invalid(let words): "User JWT is not valid: \(words)"
            case .invalidPermissions: "User JWT generated invalid permissions"
            case .accountExpired: "Account JWT has expired"
            case .noBearerTokens: "Account does not allow bearer tokens"
            case .connectionType: "Connection type not allowed"
            case .noSignature: "Signature missing"
            case .signatureEncoding: "Signature not valid base64"
            case .signature: "Signature not verified"
            case .revoked: "User authentication revoked"
            case .source(let host): "Bad src Ip \(host)"
            case .time: "Outside connect times"
            }
        }

        /// Whether the official server logs it as an error and not as a detail.
        package var isLoggedAsError: Bool {
            switch self {
            case .source, .time: true
            default: false
            }
        }
    }

    /// What a client that is let in may do.
    package struct Admitted: Sendable, Equatable {
        /// The user's limits, or those of the scope with its templates filled in.
        package var limits: UserLimits
        /// The user's permissions, or those that the account gives to users without any; `nil` when nothing is limited.
        package var permissions: ClaimPermissions?
        /// How long the client may stay, in nanoseconds; as long as it likes if `nil`.
        package var remaining: Int64?
    }

    /// What a client brings along.
    package struct Client: Sendable {
        /// The IP address that it comes from.
        package var host: String
        package var connectionType: ConnectionType
        /// `sig` of its `CONNECT`.
        package var signature: String
        /// What it had to sign.
        package var nonce: [UInt8]

        package init(host: String, connectionType: ConnectionType, signature: String, nonce: [UInt8]) {
            self.host = host
            self.connectionType = connectionType
            self.signature = signature
            self.nonce = nonce
        }
    }

    private let user: UserClaims
    private let account: AccountClaims
    private let isStrict: Bool

    /// - Parameters:
    ///   - user: The claims of the JWT that the client has sent.
    ///   - account: The claims of the account that the user belongs to.
    ///   - isStrict: Whether the account's operator wants signing keys to be used
    ///     (``OperatorClaims/strictSigningKeyUsage``).
    package init(user: UserClaims, account: AccountClaims, isStrict: Bool) {
        self.user = user
        self.account = account
        self.isStrict = isStrict
    }

    /// Decides about a client.
    ///
    /// - Parameters:
    ///   - client: Who wants in.
    ///   - moment: Nanoseconds since 1970.
    ///   - timeZones: Where time zones are looked up.
    /// - Returns: What the client may do.
    /// - Throws: ``Refusal``, the first that applies.
    package func decide(
        _ client: Client,
        at moment: Int64,
        timeZones: TimeZoneDatabase = .system
    ) throws(Refusal) -> Admitted {
        let seconds = moment.dividedDown(by: 1_000_000_000)
        let report = self.user.validate(ValidationContext(now: seconds, timeZones: timeZones))
        if report.isBlocking(includingTimes: true) { throw .noLongerValid(report) }
        let limits = try self.scopedLimits()
        let accountExpiry = self.account.registered.expires
        if accountExpiry != 0, accountExpiry <= seconds { throw .accountExpired }
        if limits.bearerToken, self.account.limits.disallowBearer { throw .noBearerTokens }
        guard client.connectionType.isAllowed(by: limits.allowedConnectionTypes) else { throw .connectionType }
        if !limits.bearerToken { try self.verify(client) }
        if self.isRevoked { throw .revoked }
        guard limits.permits(host: client.host) else { throw .source(client.host) }
        var remaining = self.remaining(at: seconds)
        switch limits.permission(at: moment, timeZones: timeZones) {
        case .always: break
        case .remaining(let time): remaining = min(time, remaining ?? time)
        case .never: throw .time
        }
        return Admitted(limits: limits, permissions: self.permissions(limits), remaining: remaining)
    }

    /// The user's limits, or those of the scope with its templates filled in.
    ///
    /// - Returns: the limits.
    /// - Throws: ``Refusal/unknownIssuer``, ``Refusal/invalid(_:)``, ``Refusal/invalidPermissions(_:)``.
    package func scopedLimits() throws(Refusal) -> UserLimits {
        let issuer = self.user.issuer
        if let scope = self.account.signingKeys.scope(of: issuer) {
            if let failure = scope.failure(of: self.user) { throw .invalid(failure) }
            let template = UserTemplate(
                user: self.user,
                accountName: self.account.name,
                accountTags: self.account.tags
            )
            do throws(UserTemplate.Failure) {
                return try template.filled(scope.template)
            } catch {
                throw .invalidPermissions(error.description)
            }
        }
        let isOwnKey = issuer == self.account.subject && !self.isStrict
        guard isOwnKey || self.account.signingKeys.contains(issuer) else { throw .unknownIssuer }
        return self.user.limits
    }

    private func verify(_ client: Client) throws(Refusal) {
        guard !client.signature.isEmpty else { throw .noSignature }
        guard let signature = Base64.decode(client.signature) else { throw .signatureEncoding }
        guard let key = try? NKeyPublicKey(self.user.subject), key.isValidSignature(signature, for: client.nonce) else {
            throw .signature
        }
    }

    /// nats-server accounts.go isRevoked.
    private var isRevoked: Bool {
        self.account.revocations.isRevoked(self.user.subject, issuedAt: self.user.registered.issuedAt)
    }

    /// Until the JWT expires, by whole seconds.
    private func remaining(at seconds: Int64) -> Int64? {
        let expires = self.user.registered.expires
        guard expires != 0 else { return nil }
        let (time, hasOverflow) = (expires > seconds ? expires - seconds : 0)
            .multipliedReportingOverflow(by: 1_000_000_000)
        return hasOverflow ? .max : time
    }

    /// What a user with some limits may do (nats-server accounts.go buildInternalNkeyUser); `nil` if nothing is limited.
    package func permissions(_ limits: UserLimits) -> ClaimPermissions? {
        if !limits.permissions.isEmpty { return limits.permissions }
        return self.account.defaultPermissions.isEmpty ? nil : self.account.defaultPermissions
    }
}
