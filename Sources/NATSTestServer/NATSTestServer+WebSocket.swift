import NATSServerCore

extension NATSTestServer {
    /// How WebSocket clients, browsers for instance, are served.
    ///
    /// ```swift
    /// var options = NATSTestServer.Options()
    /// options.webSocket = .init()
    /// ```
    public struct WebSocket: Sendable, Equatable {
        /// How their connections are secured; clear text if `nil`.
        public var tls: TLS?
        /// Whether messages are compressed for clients that offer it.
        public var compression = false
        /// Whether pages of other addresses are refused.
        public var sameOrigin = false
        /// The pages, such as `https://example.com`, that may connect; all if empty.
        public var allowedOrigins: [String] = []
        /// The name or nkey among all users that clients without credentials are.
        public var noAuthUser: String?
        /// Name of the cookie that holds the user's JWT, for servers with an ``Options/operator``; none if empty.
        public var jwtCookie = ""
        /// Name of the cookie that holds the user's name; none if empty.
        public var userCookie = ""
        /// Name of the cookie that holds the password; none if empty.
        public var passwordCookie = ""
        /// Name of the cookie that holds the token; none if empty.
        public var tokenCookie = ""
        /// Headers that are added to the answer of a handshake.
        public var headers: [String: String] = [:]

        /// The defaults of the official server, without TLS.
        public init() {}

        func options(host: String) -> WebSocketOptions {
            var options = WebSocketOptions()
            options.host = host
            options.tls = self.tls?.options
            options.noTLS = self.tls == nil
            options.compression = self.compression
            options.sameOrigin = self.sameOrigin
            options.allowedOrigins = self.allowedOrigins
            options.noAuthUser = self.noAuthUser
            options.cookies.jwt = self.jwtCookie
            options.cookies.user = self.userCookie
            options.cookies.password = self.passwordCookie
            options.cookies.token = self.tokenCookie
            options.headers = self.headers
            return options
        }
    }
}
