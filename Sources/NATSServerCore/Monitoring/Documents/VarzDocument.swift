import NATSWire

/// `/varz`: the server's configuration and counters.
struct VarzDocument {
    let snapshot: ServerSnapshot

    func json() -> [UInt8] {
        var writer = JSONDocumentWriter(capacity: 4096)
        writer.object { writer in
            self.writeIdentity(to: &writer)
            self.writeLimits(to: &writer)
            self.writeRuntime(to: &writer)
            self.writeCounters(to: &writer)
            self.writeConfiguration(to: &writer)
        }
        return writer.bytes
    }

    private func writeIdentity(to writer: inout JSONDocumentWriter) {
        writer.write("server_id", self.snapshot.head.id)
        writer.write("server_name", self.snapshot.head.name)
        writer.write("version", ServerVersion.compatible)
        writer.write("proto", 1)
        writer.write("go", ServerVersion.go)
        writer.write("host", self.snapshot.host)
        writer.write("port", self.snapshot.port)
        writer.writeUnlessFalse("auth_required", self.snapshot.authRequired)
        if let tls = self.snapshot.options.tls {
            writer.writeUnlessFalse("tls_required", !tls.allowNonTLS)
            writer.writeUnlessFalse("tls_verify", tls.wantsClientCertificate)
        }
        writer.writeUnlessEmpty("connect_urls", self.snapshot.connectURLs)
        writer.writeUnlessEmpty("ws_connect_urls", self.snapshot.webSocketConnectURLs)
    }

    private func writeLimits(to writer: inout JSONDocumentWriter) {
        let options = self.snapshot.options
        let monitoring = options.monitoring
        writer.write("max_connections", options.maxConnections)
        writer.writeUnlessZero("max_subscriptions", options.maxSubscriptions)
        writer.write("ping_interval", nanoseconds: options.pingInterval)
        writer.write("ping_max", options.pingsOutMax)
        writer.write("http_host", monitoring.host.isEmpty ? options.host : monitoring.host)
        writer.write("http_port", monitoring.port)
        writer.write("http_base_path", monitoring.basePath)
        writer.write("https_port", monitoring.httpsPort)
        writer.write("auth_timeout", seconds: self.snapshot.authTimeout)
        writer.write("max_control_line", options.maxControlLine)
        writer.write("max_payload", options.maxPayload)
        writer.write("max_pending", options.maxPending)
        writer.object("cluster") { self.writeCluster(to: &$0) }
        // What a server shows that has none of these.
        writer.object("gateway") { _ in }
        writer.object("leaf") { self.writeLeafNodes(to: &$0) }
        writer.object("mqtt") { _ in }
        writer.object("websocket") { self.writeWebSocket(to: &$0) }
        writer.object("jetstream") { _ in }
        writer.write("tls_timeout", seconds: options.tls?.timeout ?? Self.defaultTLSTimeout)
        writer.write("write_deadline", nanoseconds: options.writeDeadline)
    }

    private func writeCluster(to writer: inout JSONDocumentWriter) {
        guard let options = self.snapshot.options.cluster else { return }
        writer.write("name", self.snapshot.cluster)
        writer.writeUnlessEmpty("addr", options.host)
        writer.writeUnlessZero("cluster_port", self.snapshot.clusterPort)
        writer.write("auth_timeout", seconds: options.timeout)
        writer.writeUnlessEmpty("urls", options.routes.map { "\($0.address)" })
        writer.write("tls_timeout", seconds: options.tls?.timeout ?? Self.defaultTLSTimeout)
        writer.writeUnlessFalse("tls_required", options.tls != nil)
        writer.writeUnlessFalse("tls_verify", options.tls != nil)
        writer.writeUnlessZero("pool_size", options.poolSize)
        if let end = self.snapshot.clusterCertificateEnd { writer.write("tls_cert_not_after", time: end) }
    }

    private func writeLeafNodes(to writer: inout JSONDocumentWriter) {
        guard let options = self.snapshot.options.leafNodes else { return }
        if options.port != 0 {
            writer.writeUnlessEmpty("host", options.host)
            writer.writeUnlessZero("port", self.snapshot.leafNodePort)
            writer.write("auth_timeout", seconds: options.timeout)
            writer.write("tls_timeout", seconds: options.tls?.timeout ?? Self.defaultTLSTimeout)
            writer.writeUnlessFalse("tls_required", options.tls != nil)
            writer.writeUnlessFalse("tls_verify", options.tls?.wantsClientCertificate ?? false)
        }
        if let end = self.snapshot.leafNodeCertificateEnd { writer.write("tls_cert_not_after", time: end) }
        guard !options.remotes.isEmpty else { return }
        writer.array("remotes") { writer in
            for remote in options.remotes { writer.object { Self.write(remote, to: &$0) } }
        }
    }

    private static func write(_ remote: LeafNodesOptions.Remote, to writer: inout JSONDocumentWriter) {
        writer.write("local_account", remote.account)
        if let tls = remote.tls { writer.write("tls_timeout", seconds: tls.timeout) }
        writer.writeUnlessEmpty("urls", remote.urls.map { "\($0.address)" })
        guard !remote.denyImports.isEmpty || !remote.denyExports.isEmpty else { return }
        writer.object("deny") { writer in
            writer.writeUnlessEmpty("exports", remote.denyExports)
            writer.writeUnlessEmpty("imports", remote.denyImports)
        }
    }

    private func writeWebSocket(to writer: inout JSONDocumentWriter) {
        guard let options = self.snapshot.options.webSocket else { return }
        writer.writeUnlessEmpty("host", options.host)
        writer.writeUnlessZero("port", self.snapshot.webSocketPort)
        writer.writeUnlessEmpty("advertise", options.advertise ?? "")
        writer.writeUnlessEmpty("no_auth_user", options.noAuthUser ?? "")
        writer.writeUnlessEmpty("jwt_cookie", options.cookies.jwt)
        if options.handshakeTimeout > .zero {
            writer.write("handshake_timeout", nanoseconds: options.handshakeTimeout)
        }
        if let timeout = options.authorization.timeout, timeout > .zero {
            writer.write("auth_timeout", seconds: timeout)
        }
        writer.writeUnlessFalse("no_tls", options.noTLS)
        writer.writeUnlessFalse("tls_map", options.tls?.verifyAndMap ?? false)
        writer.writeUnlessEmpty("tls_pinned_certs", (options.tls?.pinnedCerts ?? []).sorted())
        writer.writeUnlessFalse("same_origin", options.sameOrigin)
        writer.writeUnlessEmpty("allowed_origins", options.allowedOrigins)
        writer.writeUnlessFalse("compression", options.compression)
        if let end = self.snapshot.webSocketCertificateEnd { writer.write("tls_cert_not_after", time: end) }
    }

    /// nats-server const.go TLS_TIMEOUT.
    private static let defaultTLSTimeout = Duration.seconds(2)

    private func writeRuntime(to writer: inout JSONDocumentWriter) {
        let snapshot = self.snapshot
        writer.write("start", time: snapshot.start)
        writer.write("now", time: snapshot.head.now)
        writer.write("uptime", TimeText.uptime(snapshot.head.now - snapshot.start))
        writer.write("mem", snapshot.usage.residentMemory)
        writer.write("cores", snapshot.cores)
        writer.write("gomaxprocs", snapshot.eventLoops)
        writer.write("cpu", number: snapshot.usage.processorPercent)
    }

    private func writeCounters(to writer: inout JSONDocumentWriter) {
        let statistics = self.snapshot.statistics
        let traffic = statistics.traffic
        writer.write("connections", statistics.connections)
        writer.write("total_connections", statistics.totalConnections)
        writer.write("routes", self.snapshot.routes)
        writer.write("remotes", self.snapshot.remotes)
        writer.write("leafnodes", self.snapshot.leafNodes)
        let clients = statistics.clients
        writer.write("in_msgs", traffic.messagesIn)
        writer.write("in_bytes", traffic.bytesIn)
        writer.write("in_client_msgs", clients.messagesIn)
        writer.write("in_client_bytes", clients.bytesIn)
        writer.write("out_msgs", traffic.messagesOut)
        writer.write("out_bytes", traffic.bytesOut)
        writer.write("out_client_msgs", clients.messagesOut)
        writer.write("out_client_bytes", clients.bytesOut)
        writer.write("slow_consumers", statistics.slowConsumers)
        writer.write("stale_connections", statistics.staleConnections)
        writer.write("stalled_clients", statistics.stalls)
        writer.write("subscriptions", statistics.subscriptions)
        writer.object("http_req_stats") { writer in
            for (path, count) in self.snapshot.httpRequests.sorted(by: { $0.key < $1.key }) {
                writer.write(named: path, count)
            }
        }
    }

    private func writeConfiguration(to writer: inout JSONDocumentWriter) {
        let monitoring = self.snapshot.options.monitoring
        writer.write("config_load_time", time: self.snapshot.configurationLoaded)
        writer.write("config_digest", self.snapshot.configurationDigest)
        writer.writeUnlessEmpty("tags", monitoring.tags)
        if !monitoring.metadata.isEmpty {
            writer.object("metadata") { writer in
                for (key, value) in monitoring.metadata.sorted(by: { $0.key < $1.key }) {
                    writer.write(named: key, value)
                }
            }
        }
        writer.object("feature_flags") { writer in
            for (name, isOn) in monitoring.featureFlags.sorted(by: { $0.key < $1.key }) {
                writer.write(named: name, isOn)
            }
        }
        if !self.snapshot.operators.isEmpty {
            writer.write("trusted_operators_jwt", self.snapshot.operators.map(\.jwt))
            writer.array("trusted_operators_claim") { writer in
                for item in self.snapshot.operators { writer.element(item.claims) }
            }
        }
        writer.writeUnlessEmpty("system_account", self.snapshot.options.authorization.systemAccount ?? "")
        if self.snapshot.pinnedAccountFailures > 0 {
            writer.write("pinned_account_fails", self.snapshot.pinnedAccountFailures)
        }
        let statistics = self.snapshot.statistics
        writer.object("slow_consumer_stats") {
            statistics.writeSlowConsumers(to: &$0)
        }
        writer.object("stale_connection_stats") {
            statistics.writeStaleConnections(to: &$0)
        }
        writer.object("disk_io_wait_stats") { writer in
            writer.write("waiters", 0)
            writer.write("waits", 0)
            writer.write("wait_time", 0)
            writer.write("max_wait_time", 0)
        }
        if let end = self.snapshot.certificateEnd { writer.write("tls_cert_not_after", time: end) }
    }
}

/// Figures about all connections by their kinds.
extension ServerStatistics {
    func writeSlowConsumers(to writer: inout JSONDocumentWriter) {
        Self.write(self.slowConsumers, routes: self.slowRoutes, leafs: self.slowLeafs, to: &writer)
    }

    func writeStaleConnections(to writer: inout JSONDocumentWriter) {
        Self.write(self.staleConnections, routes: self.staleRoutes, leafs: self.staleLeafs, to: &writer)
    }

    private static func write(_ total: Int, routes: Int, leafs: Int, to writer: inout JSONDocumentWriter) {
        writer.write("clients", total - routes - leafs)
        writer.write("routes", routes)
        writer.write("gateways", 0)
        writer.write("leafs", leafs)
    }
}
