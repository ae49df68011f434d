/// A `websocket` block.
package struct WebSocketConfiguration: Sendable, Equatable {
    package var host = "0.0.0.0"
    package var port = 0
    package var noTLS = false
    package var tls: TLSConfiguration?
    package var advertise: String?
    package var sameOrigin = false
    package var allowedOrigins: [String] = []
    /// Zero: none was given.
    package var handshakeTimeout: Duration = .zero
    package var compression = false
    package var authorization: SimpleAuthorization?
    package var noAuthUser: String?
    package var jwtCookie: String?
    package var userCookie: String?
    package var passCookie: String?
    package var tokenCookie: String?
    package var headers: [String: String] = [:]
    /// `nil`: that of the server.
    package var pingInterval: Duration?

    package init() {}
}
