internal import NATSWire

/// What every monitoring page says of its server.
struct ServerHead: Sendable {
    var id: String
    var name: String
    /// Nanoseconds since 1970.
    var now: Int64
}

/// The server at one moment, for `/varz`.
struct ServerSnapshot: Sendable {
    var head: ServerHead
    var options: ServerOptions
    var authRequired = false
    /// Where clients are told to find the server; nats-server monitor.go createVarz takes it from INFO.
    var host = ""
    /// Time that a client has to give credentials.
    var authTimeout = Duration.zero
    var port = 0
    /// End of validity of the server's certificate, in nanoseconds since 1970.
    var certificateEnd: Int64?
    /// The same of the WebSocket listener, and its port.
    var webSocketCertificateEnd: Int64?
    var webSocketPort = 0
    /// Of a server that is one of a cluster; empty otherwise.
    var cluster = ""
    var clusterPort = 0
    var clusterCertificateEnd: Int64?
    /// Connections to other servers, and how many servers those are.
    var routes = 0
    var remotes = 0
    /// Connections of leaf nodes, and where they are accepted.
    var leafNodes = 0
    var leafNodePort = 0
    var leafNodeCertificateEnd: Int64?
    /// Where clients can connect, to all servers of the cluster.
    var connectURLs: [String] = []
    var webSocketConnectURLs: [String] = []
    /// Nanoseconds since 1970.
    var start: Int64 = 0
    var configurationLoaded: Int64 = 0
    var configurationDigest = ""
    var usage = ProcessUsage()
    var cores = 1
    var eventLoops = 1
    var statistics = ServerStatistics()
    /// The operators' JWTs with their claims.
    var operators: [(jwt: String, claims: JSONValue)] = []
    var pinnedAccountFailures: UInt64 = 0
    /// Requests per endpoint, the present one included.
    var httpRequests: [String: UInt64] = [:]
}

/// One account at one moment.
struct AccountSnapshot: Sendable {
    var name: String
    /// Nanoseconds since 1970.
    var updated: Int64 = 0
    var connections = 0
    var leafNodes = 0
    var traffic = TrafficStatistics()
    /// The part of it that came from other servers of the cluster, and went to them.
    var routed = TrafficStatistics()
    /// Those of leaf nodes.
    var leafTraffic = TrafficStatistics()
    var slowConsumers = 0
    var subscriptions = SublistStatistics()
    var mappings = SubjectMappings([])
    /// What its JWT makes of it, if it has one.
    var standing = AccountStanding()
    var nameTag = ""
    /// Imports that are not allowed any more.
    var invalidImports: [ImportOptions] = []
    var exports: [ExportOptions] = []
    var streams: [StreamImport] = []
    var services: [ServiceImport] = []
    var responses: [ServiceResponses.Shown] = []

    /// What the account has done.
    mutating func use(_ totals: ServerLoop.Totals) {
        self.traffic = totals.traffic
        self.routed = totals.routed
        self.leafTraffic = totals.leafTraffic
        self.slowConsumers = totals.slowConsumers
    }
}
