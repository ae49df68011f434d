/// What `/varz` says, as far as it is shown.
package struct ServerStatus: Sendable, Equatable {
    package var id = ""
    /// Empty if the server has no name but its id.
    package var name = ""
    package var version = ""
    package var host = ""
    package var port: UInt64 = 0
    package var goVersion = ""
    package var gitCommit = ""
    package var start = ""
    package var now = ""
    package var uptime = ""
    /// Bytes.
    package var memory: UInt64 = 0
    /// Per cent of one core.
    package var cpu = 0.0
    package var cores: UInt64 = 0
    package var connections: UInt64 = 0
    package var totalConnections: UInt64 = 0
    package var maxConnections: UInt64 = 0
    package var maxPayload: UInt64 = 0
    package var maxPending: UInt64 = 0
    package var routes: UInt64 = 0
    package var remotes: UInt64 = 0
    package var leafNodes: UInt64 = 0
    package var subscriptions: UInt64 = 0
    package var slowConsumers: UInt64 = 0
    package var staleConnections: UInt64 = 0
    package var stalledClients: UInt64 = 0
    package var counters = Counters()
    package var cluster = ""
    package var clusterURLs: [String] = []
    package var connectURLs: [String] = []
    package var authRequired = false
    package var tlsRequired = false
    package var configLoadTime = ""
    package var systemAccount = ""
    package var tags: [String] = []
    package var jetStream: JetStreamStatus?

    package init() {}

    init(_ object: LenientObject) {
        self.id = object.text("server_id")
        let name = object.text("server_name")
        self.name = name == self.id ? "" : name
        self.version = object.text("version", limit: 64)
        self.host = object.text("host")
        self.port = object.count("port")
        self.goVersion = object.text("go", limit: 64)
        self.gitCommit = object.text("git_commit", limit: 64)
        self.start = object.text("start", limit: 64)
        self.now = object.text("now", limit: 64)
        self.uptime = object.text("uptime", limit: 64)
        self.memory = object.count("mem")
        self.cpu = object.number("cpu")
        self.cores = object.count("cores")
        self.connections = object.count("connections")
        self.totalConnections = object.count("total_connections")
        self.maxConnections = object.count("max_connections")
        self.maxPayload = object.count("max_payload")
        self.maxPending = object.count("max_pending")
        self.routes = object.count("routes")
        self.remotes = object.count("remotes")
        self.leafNodes = object.count("leafnodes")
        self.subscriptions = object.count("subscriptions")
        self.slowConsumers = object.count("slow_consumers")
        self.staleConnections = object.count("stale_connections")
        self.stalledClients = object.count("stalled_clients")
        self.counters = Counters(object)
        self.cluster = object.object("cluster").text("name")
        self.clusterURLs = object.object("cluster").texts("urls", limit: 64)
        self.connectURLs = object.texts("connect_urls", limit: 64)
        self.authRequired = object.flag("auth_required")
        self.tlsRequired = object.flag("tls_required")
        self.configLoadTime = object.text("config_load_time", limit: 64)
        self.systemAccount = object.text("system_account")
        self.tags = object.texts("tags", limit: 64)
        let jetStream = object.object("jetstream")
        if !jetStream.isEmpty { self.jetStream = JetStreamStatus(varz: jetStream) }
    }
}
