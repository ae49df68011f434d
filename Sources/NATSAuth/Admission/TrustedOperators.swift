import NATSText

/// The operators that a server trusts, and what their JWTs demand of it (nats-server jwt.go validateTrustedOperators).
package struct TrustedOperators: Sendable, Equatable {
    /// Why a server cannot start with these operators, in the official words.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// Public keys whose signature makes an account trusted.
    package let keys: [String]
    /// Public key of the system account; `nil` if nobody names one.
    package let systemAccount: String?
    private let strictIssuers: Set<String>

    /// Checks operators against each other and the server.
    ///
    /// - Parameters:
    ///   - operators: The claims of at least one operator.
    ///   - systemAccount: The system account that the configuration names.
    ///   - needsSystemAccount: Whether the resolver works by messages of the system account.
    ///   - version: The version of the server that one says to be, `major.minor.update`.
    /// - Throws: ``Failure``, the first that applies.
    package init(
        _ operators: [OperatorClaims],
        systemAccount: String?,
        needsSystemAccount: Bool,
        version: ServerVersionRequirement
    ) throws(Failure) {
        let named = operators.map(\.systemAccount).filter { !$0.isEmpty }
        if let systemAccount {
            if !named.isEmpty, !named.contains(systemAccount) {
                throw Failure(description: "system_account in config and operator JWT must be identical")
            }
        } else if needsSystemAccount, operators.first?.systemAccount.isEmpty ?? true {
            throw Failure(
                description: "using nats based account resolver - the system account needs to be specified in "
                    + "configuration or the operator jwt"
            )
        }
        for claims in operators { try Self.checkVersion(claims, version) }
        let keys = operators.flatMap(\.trustedKeys)
        if let key = keys.first(where: { !NKey.isPublicKey($0, of: .operator) }) {
            throw Failure(
                description: "trusted Keys \(GoString.quoted(key)) are required to be a valid public operator nkey"
            )
        }
        self.keys = keys
        // nats-server opts.go: one of several operators cannot name the system account.
        self.systemAccount = systemAccount ?? (operators.count == 1 ? named.first : nil)
        self.strictIssuers = Set(operators.filter(\.strictSigningKeyUsage).flatMap(\.signingKeys))
    }

    private static func checkVersion(
        _ claims: OperatorClaims,
        _ version: ServerVersionRequirement
    ) throws(Failure) {
        let wanted: ServerVersionRequirement
        do throws(ServerVersionRequirement.Failure) {
            wanted = try ServerVersionRequirement(claims.assertServerVersion)
        } catch {
            throw Failure(
                description: "operator \(claims.subject) expects version \(claims.assertServerVersion) got error "
                    + "instead: \(error.words)"
            )
        }
        let parts = [
            ("major", wanted.major, version.major), ("minor", wanted.minor, version.minor),
            ("update", wanted.update, version.update),
        ]
        for (name, wanted, found) in parts where wanted != found {
            guard wanted > found else { return }
            throw Failure(
                description: "operator \(claims.subject) expected \(name) version \(wanted) > server \(name) version "
                    + "\(found)"
            )
        }
    }

    /// Whether an account is trusted when it was signed with a key.
    package func trusts(issuer: String) -> Bool { self.keys.contains(issuer) }

    /// Whether accounts that a key has signed have to use signing keys for their users.
    package func isStrict(issuer: String) -> Bool { self.strictIssuers.contains(issuer) }
}
