import NATSAuth
package import NATSServerConfig
import NATSText

/// The part of a configuration that is about operators: what their JWTs say, next to what the file says.
struct OperatorOptions: Sendable, Equatable {
    /// The claims of the operators; their JWTs are good ones since ``ConfigurationChecks/checkJWTs()``.
    let operators: [OperatorClaims]

    init(_ configuration: ServerConfiguration) {
        self.operators = configuration.operators.compactMap { try? JWT.decode(OperatorClaims.self, from: $0) }
    }

    /// Fills in what a single operator's JWT says and the file does not (nats-server opts.go, key `operator`).
    func complete(_ configuration: inout ServerConfiguration) {
        guard self.operators.count == 1, let claims = self.operators.first else { return }
        if configuration.resolver == nil,
            claims.accountServerURL.isEmpty || ConfigurationURL(claims.accountServerURL) != nil
        {
            // Tools that push accounts to such a server append the same.
            configuration.resolver = .url(claims.accountServerURL + "/accounts")
        }
        if configuration.systemAccount == nil, !claims.systemAccount.isEmpty {
            configuration.systemAccount = claims.systemAccount
        }
    }

    /// What does not go together with operators (nats-server jwt.go validateTrustedOperators), in the official words
    /// and order.
    func failure(_ configuration: ServerConfiguration) -> String? {
        if self.operators.isEmpty {
            return configuration.defaultSentinel == nil ? nil : "default sentinel requires operators and accounts"
        }
        if let failure = self.sentinelFailure(configuration.defaultSentinel) { return failure }
        guard let resolver = configuration.resolver else {
            return "operators require an account resolver to be configured"
        }
        if !configuration.accounts.isEmpty { return "operators do not allow Accounts to be configured directly" }
        if !configuration.allUsers.isEmpty { return "operators do not allow users to be configured directly" }
        if !configuration.trustedKeys.isEmpty {
            return "conflicting options for 'TrustedKeys' and 'TrustedOperators'"
        }
        do throws(TrustedOperators.Failure) {
            _ = try self.trusted(systemAccount: configuration.systemAccount, resolver: resolver)
        } catch {
            return error.description
        }
        for key in configuration.resolverPinnedAccounts where !NKey.isPublicKey(key, of: .account) {
            return "pinned account key \(GoString.quoted(key)) is not a valid public account nkey"
        }
        return configuration.authorization?.authCallout == nil
            ? nil : "operators do not allow authorization callouts to be configured directly"
    }

    /// The keys that make accounts trusted, and the system account.
    func trusted(
        systemAccount: String?,
        resolver: ResolverConfiguration
    ) throws(TrustedOperators.Failure) -> TrustedOperators {
        let needsSystemAccount =
            switch resolver {
            case .full, .cache: true
            case .memory, .url: false
            }
        let version = (try? ServerVersionRequirement(ServerVersion.compatible)) ?? ServerVersionRequirement()
        return try TrustedOperators(
            self.operators,
            systemAccount: systemAccount,
            needsSystemAccount: needsSystemAccount,
            version: version
        )
    }

    private func sentinelFailure(_ jwt: String?) -> String? {
        guard let jwt else { return nil }
        guard let claims = try? JWT.decode(UserClaims.self, from: jwt) else {
            return "default sentinel JWT not valid"
        }
        // A scoped user may turn out to be one when the account is known.
        let mayBeScoped = !claims.issuerAccount.isEmpty && claims.hasEmptyPermissions
        return claims.limits.bearerToken || mayBeScoped ? nil : "default sentinel must be a bearer token"
    }
}

extension ServerConfiguration {
    /// Fills in what a single operator's JWT says and the file does not: the resolver and the system account.
    package mutating func completeFromOperator() { OperatorOptions(self).complete(&self) }

    /// The official text of the first conflict between options, `nil` when there is none.
    package var startFailure: String? {
        let options = OperatorOptions(self)
        var configuration = self
        options.complete(&configuration)
        return configuration.startFailure(operators: options.failure)
    }
}
