package import Logging
package import NATSTestServer

/// What a test wants of a server, the same for the official one and ours; nil leaves the default.
package struct ServerConfiguration: Sendable {
    package var serverName: String?
    package var user: String?
    package var password: String?
    package var token: String?
    package var users: [NATSTestServer.User]?
    package var noAuthUser: String?
    package var defaultPermissions: NATSTestServer.Permissions?
    package var authTimeout: Duration?
    package var maxPayload: Int?
    package var maxControlLine: Int?
    package var maxPending: Int?
    package var writeDeadline: Duration?
    package var maxConnections: Int?
    package var maxSubscriptions: Int?
    package var maxSubscriptionTokens: Int?
    package var pingInterval: Duration?
    package var pingsOutMax: Int?
    package var headers: Bool?
    /// Whether HTTP requests about the server are answered, on a free port.
    package var monitoring = false
    /// Whether the server has its system account.
    package var systemAccount = true
    package var tls: NATSTestServer.TLS?
    /// A WebSocket listener on a free port; of its options the certificate and the compression.
    package var webSocket: NATSTestServer.WebSocket?
    /// Debug lines: of the official server in its output, of ours to the logger.
    package var debug = false
    /// Where ours logs.
    package var logger: Logger?
    /// 0 takes a free port.
    package var port: Int

    package init(
        serverName: String? = nil,
        user: String? = nil,
        password: String? = nil,
        token: String? = nil,
        users: [NATSTestServer.User]? = nil,
        noAuthUser: String? = nil,
        defaultPermissions: NATSTestServer.Permissions? = nil,
        authTimeout: Duration? = nil,
        maxPayload: Int? = nil,
        maxControlLine: Int? = nil,
        maxPending: Int? = nil,
        writeDeadline: Duration? = nil,
        maxConnections: Int? = nil,
        maxSubscriptions: Int? = nil,
        maxSubscriptionTokens: Int? = nil,
        pingInterval: Duration? = nil,
        pingsOutMax: Int? = nil,
        headers: Bool? = nil,
        tls: NATSTestServer.TLS? = nil,
        port: Int = 0
    ) {
        self.serverName = serverName
        self.user = user
        self.password = password
        self.token = token
        self.users = users
        self.noAuthUser = noAuthUser
        self.defaultPermissions = defaultPermissions
        self.authTimeout = authTimeout
        self.maxPayload = maxPayload
        self.maxControlLine = maxControlLine
        self.maxPending = maxPending
        self.writeDeadline = writeDeadline
        self.maxConnections = maxConnections
        self.maxSubscriptions = maxSubscriptions
        self.maxSubscriptionTokens = maxSubscriptionTokens
        self.pingInterval = pingInterval
        self.pingsOutMax = pingsOutMax
        self.headers = headers
        self.tls = tls
        self.port = port
    }

    /// The same as a configuration file of the official server.
    package func fileText(portsDirectory: String) -> String {
        var lines = [
            "host: \"127.0.0.1\"",
            "port: \(self.port == 0 ? -1 : self.port)",
            "ports_file_dir: \(Self.quoted(portsDirectory))",
        ]
        if let serverName = self.serverName {
            lines.append("server_name: \(Self.quoted(serverName))")
        }
        var authorization: [String] = []
        if let user = self.user {
            authorization.append("user: \(Self.quoted(user))")
        }
        if let password = self.password {
            authorization.append("password: \(Self.quoted(password))")
        }
        if let token = self.token {
            authorization.append("token: \(Self.quoted(token))")
        }
        if let authTimeout = self.authTimeout {
            authorization.append("timeout: \(authTimeout.timeInterval)")
        }
        if let defaultPermissions = self.defaultPermissions {
            authorization.append("default_permissions: \(defaultPermissions.fileText)")
        }
        if let users = self.users {
            authorization.append("users: [\n    \(users.map(\.fileText).joined(separator: "\n    "))\n  ]")
        }
        if let noAuthUser = self.noAuthUser {
            lines.append("no_auth_user: \(Self.quoted(noAuthUser))")
        }
        if !authorization.isEmpty {
            lines.append("authorization {\n  \(authorization.joined(separator: "\n  "))\n}")
        }
        let numbers = [
            ("max_payload", self.maxPayload), ("max_control_line", self.maxControlLine),
            ("max_pending", self.maxPending), ("max_connections", self.maxConnections), ("ping_max", self.pingsOutMax),
            ("max_subscriptions", self.maxSubscriptions), ("max_sub_tokens", self.maxSubscriptionTokens),
        ]
        for (key, number) in numbers {
            if let number {
                lines.append("\(key): \(number)")
            }
        }
        for (key, duration) in [("write_deadline", self.writeDeadline), ("ping_interval", self.pingInterval)] {
            if let duration {
                lines.append("\(key): \"\(Int(duration.timeInterval * 1000))ms\"")
            }
        }
        if let tls = self.tls { lines.append(tls.fileText) }
        if let webSocket = self.webSocket { lines.append(webSocket.fileText) }
        if self.debug { lines.append("debug: true") }
        if self.headers == false {
            lines.append("no_header_support: true")
        }
        if self.monitoring {
            lines.append("http: \"127.0.0.1:-1\"")
        }
        if !self.systemAccount {
            lines.append("no_sys_acc: true")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
