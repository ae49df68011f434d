internal import NATSServerConfig

/// A `websocket` block: where and how WebSocket clients are served.
package struct WebSocketOptions: Sendable, Equatable {
    /// Credentials of these clients instead of the server's; names as in ``AuthorizationOptions``.
    package struct Authorization: Sendable, Equatable {
        package var username: String?
        package var password: String?
        package var token: String?
        /// That of the server if `nil`.
        package var timeout: Duration?

        package init() {}
    }

    /// Names of the cookies that hold credentials; empty for none.
    package struct CookieNames: Sendable, Equatable {
        package var jwt = ""
        package var user = ""
        package var password = ""
        package var token = ""

        package init() {}
    }

    package var host = "0.0.0.0"
    /// 0 or less lets the system choose one.
    package var port = 0
    package var noTLS = false
    /// Without it clients are served in clear text.
    package var tls: TLSOptions?
    /// `advertise`: the address that other servers tell.
    package var advertise: String?
    package var sameOrigin = false
    package var allowedOrigins: [String] = []
    /// Time for a request to arrive; zero for the server's own limit.
    package var handshakeTimeout: Duration = .zero
    package var compression = false
    package var authorization = Authorization()
    /// The user (name or nkey) that clients without credentials are.
    package var noAuthUser: String?
    package var cookies = CookieNames()
    /// Added to the answer of a handshake.
    package var headers: [String: String] = [:]
    /// That of the server if `nil`.
    package var pingInterval: Duration?

    package init() {}

    /// Whether the clients' credentials are other than the server's (nats-server websocket.go wsConfigAuth).
    var overridesAuthorization: Bool {
        [self.authorization.username, self.authorization.token, self.noAuthUser].contains { $0?.isEmpty == false }
    }

    /// What of it cannot be used by a server with these options, in the official server's words.
    func firstProblem(_ options: ServerOptions) -> String? {
        let authorization = options.authorization
        if self.tls == nil, !self.noTLS { return "websocket requires TLS configuration" }
        if let problem = self.allowedOrigins.lazy.compactMap(WebSocketRules.problem(origin:)).first { return problem }
        var server = authorization
        server.noAuthUser = self.noAuthUser
        if self.noAuthUser?.isEmpty == false, let problem = server.firstProblem() { return problem }
        let hasUsers = authorization.users?.isEmpty == false || authorization.nkeys?.isEmpty == false
        return WebSocketRules.problem(
            hasUsers: hasUsers,
            username: self.authorization.username,
            token: self.authorization.token
        ) ?? WebSocketRules.problem(jwtCookie: self.cookies.jwt, trustsOperators: options.operators != nil)
            ?? WebSocketRules.problem(headers: self.headers.keys)
    }
}
