package import NATSAuth
package import NATSTestServer
import NATSWire

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// An operator with its accounts for a test, and the configuration of a server that trusts it.
package struct TestOperator: Sendable {
    package let keys: NKeyPair
    package let systemKeys: NKeyPair
    package var claims: OperatorClaims
    /// JWTs by the account's public key.
    package var accounts: [String: String] = [:]
    /// When claims are issued, in seconds since 1970.
    package let now: Int64

    /// An operator with nothing but its system account.
    package init() throws {
        self.keys = try NKeyPair(kind: .operator)
        self.systemKeys = try NKeyPair(kind: .account)
        self.claims = OperatorClaims(subject: self.keys.publicKey.text, name: "operator")
        self.now = Int64(time(nil))
        self.claims.systemAccount = self.systemKeys.publicKey.text
        try self.add(AccountClaims(subject: self.systemKeys.publicKey.text, name: "SYS"))
    }

    /// Signs an account, with the operator's own key unless another one is given.
    @discardableResult
    package mutating func add(_ account: AccountClaims, signedBy signer: NKeyPair? = nil) throws -> String {
        let jwt = try account.encoded(signedBy: signer ?? self.keys, at: self.now)
        self.accounts[account.subject] = jwt
        return jwt
    }

    /// A new account with a name, signed, and its keys.
    package mutating func addAccount(
        _ name: String,
        _ change: (inout AccountClaims) throws -> Void = { _ in }
    ) throws -> NKeyPair {
        let keys = try NKeyPair(kind: .account)
        var account = AccountClaims(subject: keys.publicKey.text, name: name)
        try change(&account)
        try self.add(account)
        return keys
    }

    /// The same for our server.
    package func testServerOptions() throws -> NATSTestServer.Options {
        let jwt = try self.claims.encoded(signedBy: self.keys, at: self.now)
        var options = NATSTestServer.Options(
            operator: NATSTestServer.Operator(
                jwt: jwt,
                publicKey: self.keys.publicKey.text,
                systemAccount: self.systemKeys.publicKey.text,
                accountJWTs: self.accounts
            )
        )
        options.authTimeout = .seconds(60)
        return options
    }

    /// The part of a server's configuration that makes it trust the operator, with the accounts in memory.
    package func configurationText() throws -> String {
        let jwt = try self.claims.encoded(signedBy: self.keys, at: self.now)
        let preload = self.accounts.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)" }
        return """
            operator: \(jwt)
            authorization { timeout: 60 }
            resolver: MEMORY
            resolver_preload: {
            \(preload.joined(separator: "\n"))
            }

            """
    }
}

extension RawConnection {
    /// The same with the seed of the user's key.
    package func connect(jwt: String, seed: String) async throws {
        try await self.connect(jwt: jwt, signedBy: NKeyPair(seed: seed))
    }

    /// Reads INFO, sends CONNECT with a JWT and the signature that the nonce asks for, and a PING.
    package func connect(jwt: String, signedBy keys: NKeyPair?) async throws {
        let info = try await self.readInfo()
        var members = "\"verbose\":false,\"pedantic\":false,\"echo\":true,\"jwt\":\"\(jwt)\""
        if let keys {
            let nonce = info.split(separator: "\"nonce\":\"").dropFirst().first?.prefix { $0 != "\"" } ?? ""
            members += ",\"sig\":\"\(Base64.encodeURLSafe(try keys.sign(Array(nonce.utf8))))\""
        }
        await self.send("CONNECT {\(members)}\r\nPING\r\n")
    }
}
