import NATSAuth
import NATSServerCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension NATSTestServer {
    /// An operator with its accounts and users, with keys, JWTs and credentials for all of them.
    ///
    /// A server that gets it as ``Options/operator`` lets in whoever comes with the credentials:
    ///
    /// ```swift
    /// let tenants = try NATSTestServer.Operator(accounts: [
    ///     .init(name: "shop", users: [.init(name: "alice")], exports: [.stream("orders.>")]),
    ///     .init(name: "web", users: [.init(name: "bob")], imports: [.stream("orders.>", from: "shop")]),
    /// ])
    /// try await NATSTestServer.withServer(.init(operator: tenants)) { server in
    ///     let alice = try tenants.credentials(of: "alice").file  // what a `.creds` file holds
    ///     …
    /// }
    /// ```
    ///
    /// The keys are made for this value and never leave it but by ``credentials(of:)``.
    public struct Operator: Sendable {
        /// What a user connects with.
        public struct Credentials: Sendable {
            /// The text of a credentials file, which all clients understand; a secret.
            public let file: String
            /// The user's JWT alone.
            public let jwt: String
            /// The seed of the user's nkey, `SU…`; a secret.
            public let seed: String
            /// The user's public key, `U…`.
            public let publicKey: String
        }

        /// The operator's public key, `O…`.
        public let publicKey: String
        /// The operator's JWT.
        public let jwt: String
        /// Public key of the system account, whose user is named `system`.
        public let systemAccount: String
        /// JWTs of the accounts, by public key.
        public let accountJWTs: [String: String]
        private let accountKeys: [String: String]
        private let users: [String: Credentials]

        /// An operator with accounts.
        ///
        /// Where an export names the accounts that may import it, these get activation tokens. Passwords and nkeys of the
        /// users count for nothing: their keys are made here.
        ///
        /// - Parameters:
        ///   - accounts: The accounts, other than the system account, with their users.
        ///   - name: The operator's name.
        /// - Throws: ``NATSTestServerError`` if two users or accounts have the same name, an import is of an account that
        ///   is not there, or something cannot be put into a JWT.
        public init(accounts: [Account] = [], name: String = "operator") throws {
            do {
                let maker = try OperatorMaker(accounts, name: name)
                self.publicKey = maker.operatorKeys.publicKey.text
                self.jwt = maker.operatorJWT
                self.systemAccount = maker.systemKeys.publicKey.text
                self.accountJWTs = maker.accountJWTs
                self.accountKeys = maker.accountKeys.mapValues(\.publicKey.text)
                self.users = maker.users
            } catch let error as NATSTestServerError {
                throw error
            } catch {
                throw NATSTestServerError(message: "\(error)")
            }
        }

        /// An operator that was made elsewhere, without credentials of users.
        package init(jwt: String, publicKey: String, systemAccount: String, accountJWTs: [String: String]) {
            self.publicKey = publicKey
            self.jwt = jwt
            self.systemAccount = systemAccount
            self.accountJWTs = accountJWTs
            self.accountKeys = [:]
            self.users = [:]
        }

        /// What a user connects with.
        ///
        /// - Parameter user: The user's name; `system` is that of the system account.
        /// - Returns: The credentials.
        /// - Throws: ``NATSTestServerError`` if there is no such user.
        public func credentials(of user: String) throws -> Credentials {
            guard let credentials = self.users[user] else { throw NATSTestServerError(message: "no user \(user)") }
            return credentials
        }

        /// The public key of an account, `A…`, by which the server knows it.
        ///
        /// - Parameter name: The account's name.
        /// - Returns: The key; `nil` if there is no such account.
        public func publicKey(ofAccount name: String) -> String? { self.accountKeys[name] }

        /// The lines of a configuration file that make any NATS server trust the operator, with its accounts in memory.
        public var configurationText: String {
            let preload = self.accountJWTs.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)" }
            return """
                operator: \(self.jwt)
                system_account: \(self.systemAccount)
                resolver: MEMORY
                resolver_preload: {
                \(preload.joined(separator: "\n"))
                }

                """
        }

        var options: OperatorModeOptions {
            OperatorModeOptions(operator: self.jwt, accounts: self.accountJWTs, systemAccount: self.systemAccount)
        }
    }
}

extension NATSTestServer.User {
    /// A user of an account of an ``NATSTestServer/Operator``, which makes the keys.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - permissions: What the user may do.
    public init(name: String, permissions: NATSTestServer.Permissions? = nil) {
        self.init(name: name, password: "", permissions: permissions)
    }
}

/// Makes the keys and JWTs of an operator.
private struct OperatorMaker {
    let operatorKeys: NKeyPair
    let systemKeys: NKeyPair
    private(set) var operatorJWT = ""
    private(set) var accountKeys: [String: NKeyPair] = [:]
    private(set) var accountJWTs: [String: String] = [:]
    private(set) var users: [String: NATSTestServer.Operator.Credentials] = [:]
    private let now = Int64(time(nil))

    init(_ accounts: [NATSTestServer.Account], name: String) throws {
        self.operatorKeys = try NKeyPair(kind: .operator)
        self.systemKeys = try NKeyPair(kind: .account)
        var claims = OperatorClaims(subject: self.operatorKeys.publicKey.text, name: name)
        claims.systemAccount = self.systemKeys.publicKey.text
        self.operatorJWT = try claims.encoded(signedBy: self.operatorKeys, at: self.now)
        try self.sign(AccountClaims(subject: self.systemKeys.publicKey.text, name: "SYS"))
        try self.addUser("system", nil, signedBy: self.systemKeys)
        for account in accounts {
            guard self.accountKeys[account.name] == nil else {
                throw NATSTestServerError(message: "Duplicate Account Entry: \(account.name)")
            }
            self.accountKeys[account.name] = try NKeyPair(kind: .account)
        }
        for account in accounts {
            guard let keys = self.accountKeys[account.name] else { continue }
            try self.sign(self.claims(of: account, keys, accounts))
            for user in account.users {
                let name =
                    switch user.credentials {
                    case .password(let name, _): name
                    case .nkey(let nkey): nkey
                    }
                try self.addUser(name, user.permissions, signedBy: keys)
            }
        }
    }

    private mutating func sign(_ claims: AccountClaims) throws {
        self.accountJWTs[claims.subject] = try claims.encoded(signedBy: self.operatorKeys, at: self.now)
    }

    private mutating func addUser(
        _ name: String,
        _ permissions: NATSTestServer.Permissions?,
        signedBy account: NKeyPair
    ) throws {
        guard self.users[name] == nil else { throw NATSTestServerError(message: "Duplicate user: \(name)") }
        let keys = try NKeyPair(kind: .user)
        var claims = UserClaims(subject: keys.publicKey.text, name: name)
        if let permissions { claims.limits.permissions = permissions.claims }
        let jwt = try claims.encoded(signedBy: account, at: self.now)
        self.users[name] = NATSTestServer.Operator.Credentials(
            file: try CredentialsFile(jwt: jwt, keyPair: keys).text,
            jwt: jwt,
            seed: keys.seed,
            publicKey: keys.publicKey.text
        )
    }

    private func claims(
        of account: NATSTestServer.Account,
        _ keys: NKeyPair,
        _ accounts: [NATSTestServer.Account]
    ) throws -> AccountClaims {
        var claims = AccountClaims(subject: keys.publicKey.text, name: account.name)
        claims.limits.connections = Int64(account.maxConnections ?? -1)
        claims.limits.traffic.subscriptions = Int64(account.maxSubscriptions ?? -1)
        claims.limits.traffic.payload = Int64(account.maxPayload ?? -1)
        for (source, destination) in account.mappings { claims.mappings[source] = [WeightedMapping(destination)] }
        claims.exports = account.exports.map { item in
            var export = ExportClaim(item.kind == .stream ? .stream : .service, item.subject)
            export.tokenRequired = item.accounts != nil
            if item.kind == .service {
                export.responseType = item.hasManyAnswers ? "Stream" : ""
                export.responseThreshold = item.responseThreshold.wholeNanoseconds
            }
            return export
        }
        claims.imports = try account.imports.map { item in
            guard let exporter = self.accountKeys[item.account] else {
                throw NATSTestServerError(message: "\"\(item.account)\" account not defined for import")
            }
            let type: ExchangeType = item.kind == .stream ? .stream : .service
            var own = ImportClaim(type, item.subject, from: exporter.publicKey.text, name: item.subject)
            own.localSubject = item.localSubject ?? ""
            own.share = item.share
            let isAllowed = accounts.first { $0.name == item.account }?.exports.contains { export in
                export.kind == item.kind && export.accounts?.contains(account.name) == true
            }
            if isAllowed == true {
                let activation = ActivationClaims(
                    account: keys.publicKey.text,
                    importing: item.subject,
                    type: type,
                    name: item.subject
                )
                own.token = try activation.encoded(signedBy: exporter, at: self.now)
            }
            return own
        }
        return claims
    }
}

extension Duration {
    fileprivate var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        let (product, hasOverflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return hasOverflow ? .max : product + attoseconds / 1_000_000_000
    }
}

extension NATSTestServer.Permissions {
    fileprivate var claims: ClaimPermissions {
        ClaimPermissions(
            publish: .init(allow: self.publish?.allow ?? [], deny: self.publish?.deny ?? []),
            subscribe: .init(allow: self.subscribe?.allow ?? [], deny: self.subscribe?.deny ?? []),
            responses: self.responses.map {
                .init(maximum: $0.maxMessages, expires: $0.expires.wholeNanoseconds)
            }
        )
    }
}
