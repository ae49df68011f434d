import NATSAuth
import NATSWire

/// What an authorization service is asked about a client (nats-server auth_callout.go processClientOrLeafCallout).
struct CalloutQuestion {
    /// The client as the server sees it.
    struct Client {
        var host: String
        var id: UInt64
        /// `nats` or `websocket`.
        var type: String
        var connect: ConnectPayload
        /// What it had to sign.
        var nonce: String
        var tls: AuthorizationRequestClaims.TLS?
        /// Who it is by its JWT, if the server itself would let it in.
        var user: JWTUser?
    }

    let rules: CalloutRules
    let server: AuthorizationRequestClaims.Server
    /// The public key that the answer has to be about.
    let userKey: String
    let client: Client

    /// The claims of the question.
    ///
    /// - Parameter expires: When nobody waits for the answer any more, in seconds since 1970.
    /// - Returns: the claims, to be signed.
    func claims(expires: Int64) -> AuthorizationRequestClaims {
        var claims = AuthorizationRequestClaims(subject: self.rules.issuer, userKey: self.userKey)
        claims.registered.audience = CalloutRules.audience
        claims.registered.expires = expires
        claims.server = self.server
        let connect = self.client.connect
        claims.client.host = self.client.host
        claims.client.id = self.client.id
        claims.client.user = connect.rawUser(self.client.user)
        claims.client.nameTag = self.client.user?.name ?? ""
        claims.client.tags = self.client.user?.tags ?? []
        claims.client.name = connect.name
        claims.client.kind = "Client"
        claims.client.type = self.client.type
        claims.options.jwt = connect.jwt
        claims.options.nkey = connect.nkey
        claims.options.signature = connect.signature
        claims.options.token = connect.authToken
        claims.options.user = connect.user
        claims.options.password = connect.password
        claims.options.name = connect.name
        claims.options.lang = connect.lang
        claims.options.version = connect.version
        claims.options.proto = connect.proto
        if !connect.signature.isEmpty { claims.client.nonce = self.client.nonce }
        claims.tls = self.client.tls
        return claims
    }
}
