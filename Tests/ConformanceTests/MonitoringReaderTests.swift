import NATSTestSupport
import NATSWire
import Testing

/// What the programs that read the monitoring pages take from them.
@Suite("monitoring readers")
struct MonitoringReaderTests {
    /// nats-top util/toputils.go: the structures of `/varz` and `/connz` as far as its screen and its output use them.
    static let natsTopServer = [
        "server_id", "server_name", "version", "uptime", "cpu", "mem", "slow_consumers", "in_msgs", "out_msgs",
        "in_bytes",
        "out_bytes", "now",
    ]
    static let natsTopConnections = ["num_connections", "connections"]
    static let natsTopConnection = [
        "cid", "ip", "port", "subscriptions", "pending_bytes", "out_msgs", "in_msgs", "out_bytes", "in_bytes", "lang",
        "version", "uptime", "last_activity", "name",
    ]

    /// prometheus-nats-exporter collector.go: every number and string of `/varz`, `/routez` and `/subsz` becomes a metric
    /// of its name; these are the ones of its own dashboard.
    static let exporterServer = [
        "server_id", "server_name", "version", "port", "max_connections", "ping_interval", "ping_max", "auth_timeout",
        "max_control_line", "max_payload", "max_pending", "tls_timeout", "write_deadline", "mem", "cores", "gomaxprocs",
        "cpu", "connections", "total_connections", "routes", "remotes", "leafnodes", "in_msgs", "out_msgs", "in_bytes",
        "out_bytes", "slow_consumers", "subscriptions", "start", "config_load_time", "jetstream",
    ]
    static let exporterSubscriptions = [
        "num_subscriptions", "num_cache", "num_inserts", "num_removes", "num_matches", "cache_hit_rate", "max_fanout",
        "avg_fanout",
    ]
    /// connz.go; the fields of TLS are there for a secured connection only, `account` for one outside of `$G`.
    static let exporterConnections = ["num_connections", "total", "offset", "limit", "connections"]
    static let exporterConnection = [
        "cid", "kind", "type", "ip", "port", "start", "last_activity", "rtt", "uptime", "idle", "pending_bytes",
        "in_msgs",
        "out_msgs", "in_bytes", "out_bytes", "subscriptions", "name", "lang", "version", "name_tag",
    ]
    /// accstatz.go.
    static let exporterAccount = [
        "acc", "name", "conns", "leafnodes", "total_conns", "num_subscriptions", "sent", "received", "slow_consumers",
    ]
    /// accountz.go; the rest is there for accounts with JWT, imports and exports only.
    static let exporterAccountDetail = [
        "account_name", "update_time", "expired", "complete", "jetstream_enabled", "leafnode_connections",
        "client_connections", "subscriptions", "name_tag",
    ]

    @Test("the requests of nats-top bring every field that it decodes", arguments: ServerUnderTest.available)
    func natsTop(server: ServerUnderTest) async throws {
        try await server.withServer(MonitoringScene.configuration) { server in
            let scene = try await MonitoringScene(server)
            let varz = try await Self.document("/varz", scene)
            Self.expect(Self.natsTopServer, in: varz)
            for sort in ["cid", "subs", "pending", "msgs_to", "msgs_from", "bytes_to", "bytes_from", "idle", "last"] {
                let connz = try await Self.document("/connz?limit=1024&sort=\(sort)&subs=1", scene)
                Self.expect(Self.natsTopConnections, in: connz)
                let alpha = try #require(connz["connections"].elements.first { $0["name"].text == "alpha" })
                Self.expect(Self.natsTopConnection + ["subscriptions_list"], in: alpha)
                #expect(alpha["subscriptions_list"].elements.count == 3)
            }
        }
    }

    @Test("the pages have every field that the Prometheus exporter decodes", arguments: ServerUnderTest.available)
    func exporter(server: ServerUnderTest) async throws {
        try await server.withServer(MonitoringScene.configuration) { server in
            let scene = try await MonitoringScene(server)
            Self.expect(Self.exporterServer, in: try await Self.document("/varz", scene))
            let connz = try await Self.document("/connz?auth=true", scene)
            Self.expect(Self.exporterConnections, in: connz)
            let beta = try #require(connz["connections"].elements.first { $0["name"].text == "beta" })
            Self.expect(Self.exporterConnection, in: beta)
            Self.expect(Self.exporterSubscriptions, in: try await Self.document("/subsz", scene))
            Self.expect(["num_routes", "routes"], in: try await Self.document("/routez", scene))
            Self.expect(["leafnodes", "leafs"], in: try await Self.document("/leafz", scene))
            Self.expect(["inbound_gateways", "outbound_gateways"], in: try await Self.document("/gatewayz", scene))
            Self.expect(["status"], in: try await Self.document("/healthz", scene))
            let accstatz = try await Self.document("/accstatz?unused=1", scene)
            let account = try #require(accstatz["account_statz"].elements.first)
            Self.expect(Self.exporterAccount, in: account)
            Self.expect(["msgs", "bytes"], in: account["sent"])
            Self.expect(["msgs", "bytes"], in: account["received"])
            let accountz = try await Self.document("/accountz", scene)
            Self.expect(["server_id", "accounts"], in: accountz)
            let detail = try await Self.document("/accountz?acc=$G", scene)
            Self.expect(Self.exporterAccountDetail, in: detail["account_detail"])
            Self.expect(["disabled", "config", "server_id"], in: try await Self.document("/jsz?consumers=true", scene))
        }
    }

    private static func document(_ target: String, _ scene: MonitoringScene) async throws -> JSONValue {
        let answer = try await scene.answer(target)
        #expect(answer.status == 200)
        return try JSONValue.parse(answer.body)
    }

    private static func expect(_ keys: [String], in value: JSONValue) {
        for key in keys { #expect(value.keys.contains(key), "\(key)") }
    }
}
