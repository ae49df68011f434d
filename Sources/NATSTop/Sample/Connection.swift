/// One entry of `/connz` or `/routez`.
package struct Connection: Sendable, Equatable {
    /// The cid, or the rid of a route.
    package var id: UInt64 = 0
    package var kind = ""
    package var ip = ""
    package var port: UInt64 = 0
    package var start = ""
    package var lastActivity = ""
    package var stop = ""
    package var reason = ""
    package var rtt = ""
    package var uptime = ""
    package var idle = ""
    /// Bytes.
    package var pending: UInt64 = 0
    package var counters = Counters()
    package var stalls: UInt64 = 0
    package var subscriptionCount: UInt64 = 0
    /// The name of a client, or of the server at the other end of a route.
    package var name = ""
    /// The id of the server at the other end of a route.
    package var remoteID = ""
    package var lang = ""
    package var version = ""
    package var tlsVersion = ""
    package var user = ""
    package var account = ""
    /// The first ones, and only if they were asked for.
    package var subjects: [String] = []
    package var isConfigured = false
    package var didSolicit = false
    package var compression = ""

    package init() {}

    init(client object: LenientObject) {
        self.init(common: object)
        self.id = object.count("cid")
        let kind = object.text("kind", limit: 32)
        let type = object.text("type", limit: 32)
        self.kind = type.isEmpty || type == "nats" ? kind : type
        self.pending = object.count("pending_bytes")
        self.name = object.text("name")
        self.lang = object.text("lang", limit: 64)
        self.version = object.text("version", limit: 64)
        self.tlsVersion = object.text("tls_version", limit: 32)
        self.user = object.text("authorized_user")
        self.account = object.text("account")
        if self.account.isEmpty { self.account = object.text("name_tag") }
    }

    init(route object: LenientObject) {
        self.init(common: object)
        self.id = object.count("rid")
        self.kind = "Router"
        self.pending = object.count("pending_size")
        self.name = object.text("remote_name")
        self.remoteID = object.text("remote_id")
        if self.name.isEmpty { self.name = self.remoteID }
        self.account = object.text("account")
        self.isConfigured = object.flag("is_configured")
        self.didSolicit = object.flag("did_solicit")
        self.compression = object.text("compression", limit: 32)
    }

    private init(common object: LenientObject) {
        self.ip = object.text("ip", limit: 64)
        self.port = object.count("port")
        self.start = object.text("start", limit: 64)
        self.lastActivity = object.text("last_activity", limit: 64)
        self.stop = object.text("stop", limit: 64)
        self.reason = object.text("reason", limit: 64)
        self.rtt = object.text("rtt", limit: 32)
        self.uptime = object.text("uptime", limit: 32)
        self.idle = object.text("idle", limit: 32)
        self.counters = Counters(object)
        self.stalls = object.count("stalls")
        self.subscriptionCount = object.count("subscriptions")
        self.subjects = object.texts("subscriptions_list", limit: Sample.maximumSubjects)
        if self.subjects.isEmpty {
            self.subjects = object.objects("subscriptions_list_detail", limit: Sample.maximumSubjects).map {
                $0.text("subject")
            }
        }
    }

    /// `127.0.0.1:4711`, `[::1]:4711`.
    package var address: String {
        let host = self.ip.contains(":") ? "[\(self.ip)]" : self.ip
        return "\(host):\(self.port)"
    }
}
