import NATSAuth
import NATSTestSupport
import NATSWire

/// Somebody with a JWT, for tests.
struct Tenant {
    let jwt: String
    let keys: NKeyPair

    /// A new user of an account.
    init(
        of account: NKeyPair,
        _ authority: TestOperator,
        signedBy signer: NKeyPair? = nil,
        user: NKeyPair? = nil,
        _ change: (inout UserClaims) -> Void = { _ in }
    ) throws {
        self.keys = try user ?? NKeyPair(kind: .user)
        var claims = UserClaims(subject: self.keys.publicKey.text, name: "joe")
        if signer != nil { claims.issuerAccount = account.publicKey.text }
        change(&claims)
        self.jwt = try claims.encoded(signedBy: signer ?? account, at: authority.now)
    }

    /// Connects, and says what the server answers first.
    func attempt(_ server: ConfiguredServer) async throws -> (connection: RawConnection, answer: String) {
        let connection = try RawConnection.connect(port: server.port, answersPings: true)
        try await connection.connect(jwt: self.jwt, signedBy: self.keys)
        return (connection, try await connection.readLine())
    }

    /// Connects; the PING has been answered.
    func connect(
        to server: ConfiguredServer,
        fileID: String = #fileID,
        line: Int = #line
    ) async throws -> RawConnection {
        let connection = try RawConnection.connect(port: server.port, answersPings: true)
        try await connection.connect(jwt: self.jwt, signedBy: self.keys)
        try await connection.expect("PONG\r\n", fileID: fileID, line: line)
        return connection
    }
}
