package import NATSServerConfig

extension WebSocketOptions {
    /// What a `websocket` block says; `nil` without a port, which switches it off.
    package init?(_ block: WebSocketConfiguration) {
        guard block.port != 0 else { return nil }
        self.init()
        self.host = block.host
        self.port = block.port
        self.noTLS = block.noTLS
        self.tls = block.tls.map(TLSOptions.init)
        self.advertise = block.advertise
        self.sameOrigin = block.sameOrigin
        self.allowedOrigins = block.allowedOrigins
        self.handshakeTimeout = block.handshakeTimeout
        self.compression = block.compression
        self.authorization.username = block.authorization?.user
        self.authorization.password = block.authorization?.password
        self.authorization.token = block.authorization?.token
        self.authorization.timeout = block.authorization?.timeout
        self.noAuthUser = block.noAuthUser
        self.cookies.jwt = block.jwtCookie ?? ""
        self.cookies.user = block.userCookie ?? ""
        self.cookies.password = block.passCookie ?? ""
        self.cookies.token = block.tokenCookie ?? ""
        self.headers = block.headers
        self.pingInterval = block.pingInterval
    }
}
