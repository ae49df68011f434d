internal import NATSWire

/// The `INFO` object of a route: what a server tells its peers about itself, and about others (gossip).
///
/// Empty strings, zero and `false` mean "absent" where nats-server's `Info` struct has `omitempty`.
struct RouteInfo: Equatable, Sendable {
    /// Whether those who hear of a server tell others of it (nats-server route.go gossipDefault and following).
    enum GossipMode {
        static let normal: UInt8 = 0
        static let disabled: UInt8 = 1
        static let override: UInt8 = 2
    }

    var serverID = ""
    var serverName = ""
    var version = ""
    /// 0 the first protocol, 1 with INFO at any time, 2 with accounts, 3 with message tracing.
    var proto = 0
    var gitCommit = ""
    var goVersion = ""
    /// Where the server listens for routes.
    var host = ""
    var port = 0
    var headers = false
    var authRequired = false
    var tlsRequired = false
    var tlsVerify = false
    /// What the server's clients may send, in bytes; routes have no limit by it.
    var maxPayload: Int32 = 0
    var jetStream = false
    /// `nats-route://host:port/`, where others can dial the server: set by who forwards the object.
    var ip = ""
    /// Present, and not used on routes.
    var nonce = ""
    var cluster = ""
    /// Whether the cluster's name was made up, so that another one may take its place.
    var isClusterDynamic = false
    var domain = ""
    /// Where clients can connect to the server, `host:port` each.
    var connectURLs: [String] = []
    var webSocketConnectURLs: [String] = []
    var lameDuckMode = false
    /// A mode as the configuration names it, or `not supported`; empty means the same as that.
    var compression = ""
    /// What the server takes from routes; everything if `nil`.
    var importPermissions: PermissionOptions.Subjects?
    /// What the server gives to routes; everything if `nil`.
    var exportPermissions: PermissionOptions.Subjects?
    /// Whether the server understands `LS+` and `LMSG`.
    var leafOrigins = false
    /// Whether the server names the origin in `LS-`.
    var leafOriginsInNoInterest = false
    /// `ln`, which 2.15.1 sends and which nobody explains.
    var ln = false
    /// Connections for each pair of servers; 0 for a server that has one.
    var poolSize = 0
    /// Which of them this is; said by who dialled.
    var poolIndex = 0
    /// The account that the connection is dedicated to; empty for none.
    var account = ""
    /// Id of the request by which an account gets a connection of its own after a reload.
    var accountRequestID = ""
    /// One of ``GossipMode``; others are kept.
    var gossipMode: UInt8 = 0
    /// Where leaf nodes can connect to the server.
    var leafNodeURLs: [String] = []

    init() {}

    /// The whole line as an official server sends it, keys in the order of nats-server server.go Info, with the blank
    /// between `}` and CRLF.
    func encode() -> [UInt8] {
        var writer = JSONDocumentWriter(indentation: nil, capacity: 512)
        writer.object { writer in
            self.writeServer(to: &writer)
            self.writeRoute(to: &writer)
        }
        return Array("INFO ".utf8) + writer.bytes + Array(" \r\n".utf8)
    }

    private func writeServer(to writer: inout JSONDocumentWriter) {
        writer.write("server_id", self.serverID)
        writer.write("server_name", self.serverName)
        writer.write("version", self.version)
        writer.write("proto", self.proto)
        writer.writeUnlessEmpty("git_commit", self.gitCommit)
        writer.write("go", self.goVersion)
        writer.write("host", self.host)
        writer.write("port", self.port)
        writer.write("headers", self.headers)
        writer.writeUnlessFalse("auth_required", self.authRequired)
        writer.writeUnlessFalse("tls_required", self.tlsRequired)
        writer.writeUnlessFalse("tls_verify", self.tlsVerify)
        writer.write("max_payload", Int(self.maxPayload))
        writer.writeUnlessFalse("jetstream", self.jetStream)
        writer.writeUnlessEmpty("ip", self.ip)
        writer.writeUnlessEmpty("nonce", self.nonce)
        writer.writeUnlessEmpty("cluster", self.cluster)
        writer.writeUnlessFalse("cluster_dynamic", self.isClusterDynamic)
        writer.writeUnlessEmpty("domain", self.domain)
        writer.writeUnlessEmpty("connect_urls", self.connectURLs)
        writer.writeUnlessEmpty("ws_connect_urls", self.webSocketConnectURLs)
        writer.writeUnlessFalse("ldm", self.lameDuckMode)
        writer.writeUnlessEmpty("compression", self.compression)
    }

    private func writeRoute(to writer: inout JSONDocumentWriter) {
        writer.writeUnlessNil("import", self.importPermissions)
        writer.writeUnlessNil("export", self.exportPermissions)
        writer.writeUnlessFalse("lnoc", self.leafOrigins)
        writer.writeUnlessFalse("lnocu", self.leafOriginsInNoInterest)
        writer.writeUnlessFalse("ln", self.ln)
        writer.writeUnlessZero("route_pool_size", self.poolSize)
        writer.writeUnlessZero("route_pool_idx", self.poolIndex)
        writer.writeUnlessEmpty("route_account", self.account)
        writer.writeUnlessEmpty("route_acc_add_reqid", self.accountRequestID)
        writer.writeUnlessZero("gossip_mode", Int(self.gossipMode))
        writer.writeUnlessEmpty("leafnode_urls", self.leafNodeURLs)
    }
}
