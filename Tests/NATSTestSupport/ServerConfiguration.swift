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
    ///
    /// - Throws: If it cannot be said there.
    package func fileText(portsDirectory: String) throws -> String {
        var lines = [
            "host: \"127.0.0.1\"",
            "port: \(self.port == 0 ? -1 : self.port)",
            "ports_file_dir: \(ConfigurationText.quoted(portsDirectory))",
        ]
        if let serverName = self.serverName { lines.append("server_name: \(ConfigurationText.quoted(serverName))") }
        lines.append(try self.options.configurationText())
        if self.debug { lines.append("debug: true") }
        if self.monitoring { lines.append("http: \"127.0.0.1:-1\"") }
        return lines.joined(separator: "\n") + "\n"
    }
}
