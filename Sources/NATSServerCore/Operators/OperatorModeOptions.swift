internal import NATSAuth
package import NATSServerConfig

/// A `resolver_tls` block.
package struct ResolverTLS: Sendable, Equatable {
    package var options = TLSOptions()
    /// Whether the other server's certificate may be any.
    package var isInsecure = false

    package init() {}

    init(_ block: TLSConfiguration) {
        self.options = TLSOptions(block)
        self.isInsecure = block.insecure
    }
}

/// Which operators a server trusts, and where it finds the JWTs of their accounts.
package struct OperatorModeOptions: Sendable, Equatable {
    /// The JWTs of the operators.
    package var operators: [String] = []
    /// Public keys of operators without JWTs.
    package var trustedKeys: [String] = []
    /// Where accounts come from; nowhere if `nil`.
    package var resolver: ResolverConfiguration?
    /// How connections to a resolver that is another server are secured; by the system's authorities if `nil`.
    package var resolverTLS: ResolverTLS?
    /// JWTs that the resolver is given at the start, by the account's public key.
    package var preload: [String: String] = [:]
    /// The only accounts whose users may come, besides the system account; all if `nil`.
    package var pinnedAccounts: Set<String>?
    /// Public key of the system account.
    package var systemAccount: String?
    /// The JWT of clients that bring none of their own.
    package var defaultSentinel: String?

    package init() {}

    /// An operator whose accounts are in memory.
    ///
    /// - Parameters:
    ///   - jwt: The operator's JWT.
    ///   - accounts: The JWTs of accounts by public key.
    ///   - systemAccount: Public key of the system account.
    package init(operator jwt: String, accounts: [String: String], systemAccount: String) {
        self.operators = [jwt]
        self.resolver = .memory
        self.preload = accounts
        self.systemAccount = systemAccount
    }
}

extension OperatorModeOptions {
    /// What a configuration says; `nil` if it trusts nobody.
    package init?(_ configuration: ServerConfiguration) {
        guard !configuration.operators.isEmpty || !configuration.trustedKeys.isEmpty else { return nil }
        self.init()
        self.operators = configuration.operators
        self.trustedKeys = configuration.trustedKeys
        self.resolver = configuration.resolver
        self.resolverTLS = configuration.resolverTLS.map(ResolverTLS.init)
        self.preload = configuration.resolverPreload
        if configuration.given["resolver_pinned_accounts"] != nil {
            self.pinnedAccounts = Set(configuration.resolverPinnedAccounts)
        }
        self.systemAccount = configuration.systemAccount
        self.defaultSentinel = configuration.defaultSentinel
    }

    /// The claims of the operators.
    var operatorClaims: [OperatorClaims] {
        self.operators.compactMap { try? JWT.decode(OperatorClaims.self, from: $0) }
    }

    /// What the official server finds before it has a log (nats-server server.go NewServer).
    package func firstProblem() -> String? {
        switch self.resolver {
        case .url where !self.preload.isEmpty:
            return "resolver preloads only available for writeable resolver types MEM/DIR/CACHE_DIR"
        case .memory:
            guard let name = self.systemAccount else { return nil }
            guard let jwt = self.preload[name] else { return "error resolving system account: account missing" }
            do throws(JWTError) {
                let claims = try JWT.decode(AccountClaims.self, from: jwt)
                let report = claims.validate(ValidationContext(now: Int64(WallClock.secondsSince1970())))
                guard claims.subject == name, self.trustedIssuers.contains(claims.issuer),
                    !report.isBlocking(includingTimes: true)
                else { return "error resolving system account: account validation failed" }
            } catch {
                return "error resolving system account: \(error)"
            }
            return nil
        case nil where self.systemAccount != nil:
            return "error resolving system account: account missing"
        default:
            return nil
        }
    }

    /// The keys whose signature makes an account trusted.
    var trustedIssuers: Set<String> {
        Set(self.trustedKeys + self.operatorClaims.flatMap(\.trustedKeys))
    }

    /// The signing keys of operators that want signing keys to be used for users.
    var strictIssuers: Set<String> {
        Set(self.operatorClaims.filter(\.strictSigningKeyUsage).flatMap(\.signingKeys))
    }
}
