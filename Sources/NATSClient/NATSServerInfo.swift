import NATSWire

/// What the connected server says about itself.
public struct NATSServerInfo: Sendable, Hashable {
    /// The server's public key.
    public let id: String
    /// The server's configured name, or its id.
    public let name: String
    /// The server's version.
    public let version: String
    /// Name of the server's cluster, if it has one.
    public let cluster: String?
    /// The URL the client is connected to, without credentials.
    public let url: String
    /// Largest headers plus payload of one message, in bytes.
    public let maxPayload: Int
    /// Whether messages may have headers.
    public let supportsHeaders: Bool
    /// The number the server gave to this connection.
    public let clientID: UInt64
    /// The client's address as the server sees it, if it says so.
    public let clientIP: String?
    /// Client URLs of the servers in the cluster, as far as the server names them.
    public let connectURLs: [String]
    /// Whether the server offers JetStream.
    public let jetStream: Bool

    init(_ info: ServerInfo, url: String) {
        self.id = info.serverID
        self.name = info.serverName
        self.version = info.version
        self.cluster = info.cluster.isEmpty ? nil : info.cluster
        self.url = url
        self.maxPayload = info.maxPayload
        self.supportsHeaders = info.headers
        self.clientID = info.clientID
        self.clientIP = info.clientIP.isEmpty ? nil : info.clientIP
        self.connectURLs = info.connectURLs
        self.jetStream = info.jetStream
    }
}
