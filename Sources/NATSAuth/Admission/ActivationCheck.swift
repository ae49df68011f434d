/// Whether an activation token lets an account import what is not public (nats-server accounts.go checkActivation).
package struct ActivationCheck: Sendable {
    private let exporter: AccountClaims
    private let isStrict: Bool

    /// - Parameters:
    ///   - exporter: The claims of the account that exports.
    ///   - isStrict: Whether its operator wants signing keys to be used (``OperatorClaims/strictSigningKeyUsage``).
    package init(exporter: AccountClaims, isStrict: Bool) {
        self.exporter = exporter
        self.isStrict = isStrict
    }

    /// How long a token permits something.
    package enum Verdict: Sendable, Equatable {
        case refused
        case permitted
        /// Up to a moment in seconds since 1970.
        case permittedUntil(Int64)
    }

    /// Decides about an import with its token.
    ///
    /// - Parameters:
    ///   - token: The token.
    ///   - revocations: The activations that the export has taken back.
    ///   - seconds: The time since 1970.
    /// - Returns: Whether and how long.
    package func decide(
        _ token: ActivationToken,
        revocations: RevocationList,
        at seconds: Int64
    ) -> Verdict {
        guard let activation = token.activation, self.trusts(activation),
            !activation.validate(ValidationContext(now: seconds)).isBlocking(includingTimes: true),
            !revocations.isRevoked(activation.subject, issuedAt: activation.registered.issuedAt)
        else { return .refused }
        let expires = activation.registered.expires
        guard expires != 0 else { return .permitted }
        return expires > seconds ? .permittedUntil(expires) : .refused
    }

    /// Whether the token's issuer may speak for the exporting account.
    ///
    /// Without an issuer account the import's own check has made sure that the account itself has signed.
    private func trusts(_ activation: ActivationClaims) -> Bool {
        guard !activation.issuerAccount.isEmpty else { return true }
        guard activation.issuerAccount == self.exporter.subject else { return false }
        return self.exporter.signingKeys.contains(activation.issuer)
            || activation.issuer == self.exporter.subject && !self.isStrict
    }
}
