import NATSText

/// `websocket`.
extension OptionReader {
    private static let webSocketTable = OptionTable<WebSocketConfiguration>([
        (.init("host", .string(\.host)), aliases: ["net"]),
        (.init("port", .integer(\.port)), []),
        (.init("listen", .listen(\.host, \.port)), []),
        (.init("tls", .tls(\.tls, .client)), []),
        (.init("advertise", .text(\.advertise)), []),
        (.init("no_tls", .bool(\.noTLS)), []),
        (.init("same_origin", .bool(\.sameOrigin)), []),
        (.init("compression", .bool(\.compression)), ["compress"]),
        (.init("jwt_cookie", .text(\.jwtCookie)), []),
        (.init("user_cookie", .text(\.userCookie)), []),
        (.init("pass_cookie", .text(\.passCookie)), []),
        (.init("token_cookie", .text(\.tokenCookie)), []),
        (.init("no_auth_user", .text(\.noAuthUser)), []),
        (.init("ping_interval", .optionalDuration(\.pingInterval, "ping_interval")), []),
    ])

    func websocket(_ node: ConfigurationNode) -> WebSocketConfiguration? {
        self.block(
            node,
            "websocket",
            expected: "Expected websocket to be a map",
            defaults: WebSocketConfiguration(),
            Self.webSocketTable
        ) { entry, block in
            let node = entry.node
            switch entry.name {
            case "allowed_origins", "allowed_origin", "allow_origins", "allow_origin", "origins", "origin":
                block.allowedOrigins = self.strings(node, "allowed origins") ?? []
            case "handshake_timeout":
                if let time = self.handshakeTimeout(node), time != .zero { block.handshakeTimeout = time }
            case "authorization", "authentication":
                block.authorization = self.simpleAuthorization(node)
            case "headers":
                block.headers = self.headers(node)
            default: return false
            }
            return true
        }
    }

    private func handshakeTimeout(_ node: ConfigurationNode) -> Duration? {
        switch node.value {
        case .integer(let seconds): return Self.seconds(seconds)
        case .string(let bytes):
            do {
                return try GoDuration.parse(ConfigurationNode.text(bytes))
            } catch {
                self.error(error.words, at: node)
                return nil
            }
        default:
            self.error("error parsing handshake timeout: unsupported type \(GoFormat.typeName(node))", at: node)
            return nil
        }
    }

    private func headers(_ node: ConfigurationNode) -> [String: String] {
        guard let entries = node.entries else {
            self.error("error parsing headers: unsupported type \(GoFormat.typeName(node))", at: node)
            return [:]
        }
        var headers: [String: String] = [:]
        for entry in entries {
            guard let value = entry.node.string else {
                self.error(
                    "error parsing header key \(entry.key): unsupported type \(GoFormat.typeName(entry.node))",
                    at: entry.node
                )
                continue
            }
            headers[entry.key] = value
        }
        return headers
    }
}
