package import NATSServerConfig

/// Which keys of a configuration do what they say.
///
/// A start that needs any other key is refused, and so is a reload: nothing is ignored in silence.
package enum SupportedKeys {
    /// By official name; a key of a feature goes in here when the feature works.
    package static let all: Set<String> = [
        // Server and limits.
        "listen", "host", "port", "client_advertise", "server_name", "server_tags", "server_metadata",
        "max_connections",
        "max_control_line", "max_payload", "max_pending", "max_closed_clients", "max_traced_msg_len", "ping_interval",
        "ping_max", "write_deadline", "no_fast_producer_stall", "lame_duck_duration", "lame_duck_grace_period",
        "no_header_support", "disable_sublist_cache", "pid_file", "ports_file_dir", "connect_error_reports",
        "reconnect_error_reports",
        // Monitoring.
        "http", "http_port", "https", "https_port", "http_base_path",
        // Logging.
        "debug", "trace", "trace_verbose", "trace_headers", "logtime", "logtime_utc", "log_file", "log_size_limit",
        "log_max_num", "syslog", "remote_syslog",
        // Security.
        "authorization", "accounts", "mappings", "no_auth_user", "max_subscriptions", "max_sub_tokens", "tls",
        "allow_non_tls", "websocket",
        // Operators.
        "operator", "trusted_keys", "resolver", "resolver_tls", "resolver_preload", "resolver_pinned_accounts",
        "default_sentinel",
        // Other servers.
        "cluster", "leafnodes",
        "system_account", "no_system_account",
        // Without JetStream the directory is of no use.
        "store_dir",
    ]

    /// The first thing in a configuration that is not supported, as `KEY (file:line:col)`.
    package static func firstUnsupported(_ configuration: ServerConfiguration) -> String? {
        let key = configuration.unsupported(except: Self.all)
            .first { Self.hasEffect($0.key, configuration) }
            .map { "\($0.key) (\($0.position))" }
        return key ?? self.firstUnsupportedPart(configuration)
    }

    /// What is not there yet inside of a block that is.
    private static func firstUnsupportedPart(_ configuration: ServerConfiguration) -> String? {
        if configuration.tls?.ocspPeer?.verify == true {
            let position = configuration.tls?.position ?? configuration.given["tls"]
            return position.map { "ocsp_peer (\($0))" } ?? "ocsp_peer"
        }
        if configuration.websocket?.tls?.ocspPeer?.verify == true {
            let position = configuration.websocket?.tls?.position ?? configuration.given["websocket"]
            return position.map { "ocsp_peer (\($0))" } ?? "ocsp_peer"
        }
        if let part = self.firstUnsupportedClusterPart(configuration) {
            return configuration.given["cluster"].map { "\(part) (\($0))" } ?? part
        }
        if let part = self.firstUnsupportedLeafNodePart(configuration) {
            return configuration.given["leafnodes"].map { "\(part) (\($0))" } ?? part
        }
        if let part = self.firstUnsupportedAccountPart(configuration) {
            return configuration.given["accounts"].map { "\(part) (\($0))" } ?? part
        }
        let trustsNobody = configuration.operators.isEmpty && configuration.trustedKeys.isEmpty
        // An account's JWT that nobody has signed is of no use.
        if trustsNobody, configuration.resolver != nil {
            return configuration.given["resolver"].map { "resolver (\($0))" } ?? "resolver"
        }
        return nil
    }

    /// What is not there yet of routes.
    private static func firstUnsupportedClusterPart(_ configuration: ServerConfiguration) -> String? {
        guard let cluster = configuration.cluster else { return nil }
        let parts = [
            ("cluster.tls.ocsp_peer", cluster.tls?.ocspPeer?.verify == true),
            ("cluster.tls.verify_and_map", cluster.tls?.verifyAndMap == true),
            ("cluster.tls.verify_cert_and_check_known_urls", cluster.tls?.verifyCertAndCheckKnownURLs == true),
            ("cluster.tls.pinned_certs", cluster.tls?.pinnedCerts.isEmpty == false),
            ("cluster.compression", !["accept", "off"].contains(cluster.compression.mode)),
            ("cluster.write_timeout", cluster.writeTimeout == .close),
            ("cluster.write_deadline", cluster.writeDeadline != nil),
        ]
        return parts.first { $0.1 }?.0
    }

    /// What is not there yet of leaf nodes.
    private static func firstUnsupportedLeafNodePart(_ configuration: ServerConfiguration) -> String? {
        guard let leafNodes = configuration.leafnodes, leafNodes.port != 0 || !leafNodes.remotes.isEmpty else {
            return nil
        }
        // The official default asks for compression, and gets none from who has none.
        let modes: Set<String> = ["s2_auto", "accept", "off", "disabled", "not supported"]
        let usesServersUsers =
            leafNodes.port != 0 && leafNodes.authorization?.user == nil && leafNodes.authorization?.nkey == nil
            && leafNodes.authorization?.users.isEmpty != false
        var parts = [
            ("leafnodes.compression", !modes.contains(leafNodes.compression.mode)),
            ("leafnodes.min_version", leafNodes.minVersion != nil),
            ("leafnodes.write_deadline", leafNodes.writeDeadline != nil),
            ("leafnodes.write_timeout", leafNodes.writeTimeout == .close),
            ("leafnodes.authorization.proxy_required", leafNodes.authorization?.proxyRequired == true),
            (
                "leafnodes.authorization.users.proxy_required",
                leafNodes.authorization?.users.contains(where: \.proxyRequired) == true
            ),
            ("leafnodes with auth_callout", usesServersUsers && configuration.authorization?.authCallout != nil),
        ]
        parts += self.tlsParts(of: leafNodes.tls, "leafnodes.tls")
        for remote in leafNodes.remotes {
            parts += [
                ("leafnodes.remotes.compression", !modes.contains(remote.compression.mode)),
                ("leafnodes.remotes.urls with ws", remote.urls.contains(where: LeafNodesOptions.Remote.isWebSocket)),
                ("leafnodes.remotes.proxy", !remote.proxy.url.isEmpty),
                ("leafnodes.remotes.jetstream_cluster_migrate", remote.jetstreamClusterMigrate),
                ("leafnodes.remotes.ws_compression", remote.wsCompression),
                ("leafnodes.remotes.ws_no_masking", remote.wsNoMasking),
            ]
            parts += self.tlsParts(of: remote.tls, "leafnodes.remotes.tls")
        }
        return parts.first { $0.1 }?.0
    }

    private static func tlsParts(of tls: TLSConfiguration?, _ name: String) -> [(String, Bool)] {
        let waits = if case .fallback = tls?.handshakeFirst { true } else { false }
        return [
            ("\(name).ocsp_peer", tls?.ocspPeer?.verify == true),
            ("\(name).verify_and_map", tls?.verifyAndMap == true),
            ("\(name).pinned_certs", tls?.pinnedCerts.isEmpty == false),
            ("\(name).connection_rate_limit", (tls?.connectionRateLimit ?? 0) > 0),
            ("\(name).handshake_first: auto", waits),
        ]
    }

    /// What is not there yet of the accounts.
    private static func firstUnsupportedAccountPart(_ configuration: ServerConfiguration) -> String? {
        for account in configuration.accounts {
            let parts = [
                ("exports.allow_trace", account.exports.contains(where: \.allowTrace)),
                ("imports.allow_trace", account.imports.contains(where: \.allowTrace)),
                ("jetstream", account.jetstream != nil),
                ("msg_trace", account.msgTrace != nil),
            ]
            if let part = parts.first(where: { $0.1 }) { return "accounts.\(account.name).\(part.0)" }
        }
        return nil
    }

    /// Whether a key asks for something, and no flag has taken it back.
    private static func hasEffect(_ key: String, _ configuration: ServerConfiguration) -> Bool {
        switch key {
        // Where operators are trusted it is one of their accounts.
        case "system_account": configuration.operators.isEmpty && configuration.trustedKeys.isEmpty
        case "jetstream": configuration.jetstream?.enabled == true
        case "cluster": configuration.cluster != nil
        case "leafnodes": configuration.leafnodes.flatMap(LeafNodesOptions.init) != nil
        case "proxy_protocol": configuration.proxyProtocol
        // To close is what the default does to clients.
        case "write_timeout": configuration.writeTimeout == .retry
        case "prof_port": configuration.profPort != 0
        case "prof_block_rate": configuration.profBlockRate != 0
        case "ocsp": configuration.ocsp?.mode != .never
        case "ocsp_cache": configuration.ocspCache?.type != "none"
        default: true
        }
    }
}
