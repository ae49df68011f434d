import NATSText

/// The keys at file level.
extension ServerConfiguration {
    /// Those that are one plain value each.
    private static let table = OptionTable<ServerConfiguration>([
        (.init("client_advertise", .text(\.clientAdvertise)), aliases: []),
        (.init("host", .string(\.host)), ["net"]),
        (.init("port", .count(\.port)), []),
        (.init("max_pending", .count(\.maxPending)), []),
        (.init("max_subscriptions", .integer(\.maxSubscriptions)), ["max_subs"]),
        (.init("max_closed_clients", .count(\.maxClosedClients)), []),
        (.init("max_traced_msg_len", .integer(\.maxTracedMsgLen)), []),
        (.init("ping_interval", .duration(\.pingInterval, "ping_interval")), []),
        (.init("ping_max", .count(\.pingMax)), []),
        (.init("write_deadline", .duration(\.writeDeadline, "write_deadline")), []),
        (.init("write_timeout", .writeTimeout(\.writeTimeout)), []),
        (.init("no_fast_producer_stall", .bool(\.noFastProducerStall)), []),
        (.init("disable_sublist_cache", .bool(\.disableSublistCache)), ["no_sublist_cache"]),
        (.init("no_header_support", .bool(\.noHeaderSupport)), []),
        (.init("pid_file", .text(\.pidFile)), ["pidfile"]),
        (.init("ports_file_dir", .text(\.portsFileDir)), []),
        (.init("connect_error_reports", .count(\.connectErrorReports)), []),
        (.init("reconnect_error_reports", .count(\.reconnectErrorReports)), []),
        (.init("allow_non_tls", .bool(\.allowNonTLS)), []),
        (.init("proxy_protocol", .bool(\.proxyProtocol)), []),
        (.init("prof_port", .integer(\.profPort)), []),
        (.init("prof_block_rate", .integer(\.profBlockRate)), []),
        (.init("http_port", .integer(\.httpPort)), ["monitor_port"]),
        (.init("https_port", .integer(\.httpsPort)), []),
        (.init("http_base_path", .text(\.httpBasePath)), []),
        (.init("debug", .bool(\.debug)), []),
        (.init("trace", .bool(\.trace)), []),
        (.init("logtime", .bool(\.logtime)), []),
        (.init("logtime_utc", .bool(\.logtimeUTC)), []),
        (.init("log_file", .text(\.logFile)), ["logfile"]),
        (.init("log_size_limit", .integer(\.logSizeLimit)), ["logfile_size_limit"]),
        (.init("log_max_num", .integer(\.logMaxNum)), ["logfile_max_num"]),
        (.init("syslog", .bool(\.syslog)), []),
        (.init("remote_syslog", .text(\.remoteSyslog)), []),
        (.init("no_auth_user", .text(\.noAuthUser)), []),
        (.init("no_system_account", .bool(\.noSystemAccount)), ["no_system", "no_sys_acc"]),
        (.init("default_sentinel", .text(\.defaultSentinel)), []),
    ])

    mutating func read(_ tree: ConfigurationMap, _ reader: OptionReader) {
        self.readSystemAccount(tree, reader)
        var names = UserNames()
        for entry in tree.entries.map(OptionReader.Entry.init) {
            let known: String?
            if let name = Self.table.read(entry, into: &self, reader) {
                known = name
            } else if let name = self.readServerKey(entry, reader) {
                known = name
            } else if let name = self.readBlock(entry, reader, &names) {
                known = name
            } else {
                known = nil
                reader.unknown(entry)
            }
            if let known { reader.given[known] = entry.node.position ?? reader.given[known] }
        }
        self.checkCallout(reader)
    }

    /// Read before all others: whether there is a system account matters to them.
    private mutating func readSystemAccount(_ tree: ConfigurationMap, _ reader: OptionReader) {
        guard let node = tree["system_account"] ?? tree["system"] else { return }
        guard let name = node.string else {
            reader.error("system account name must be a string", at: node)
            return
        }
        self.systemAccount = name.isEmpty ? nil : name
    }

    /// Keys with rules of their own.
    ///
    /// Returns the official name of a key that it knows.
    private mutating func readServerKey(_ entry: OptionReader.Entry, _ reader: OptionReader) -> String? {
        let node = entry.node
        switch entry.name {
        case "listen":
            if let (host, port) = reader.listen(node) {
                self.host = host ?? "0.0.0.0"
                self.port = port == 0 ? 4222 : port
            }
        case "http":
            if let (host, port) = reader.listen(node) { (self.httpHost, self.httpPort) = (host, port) }
        case "https":
            if let (host, port) = reader.listen(node) { (self.httpHost, self.httpsPort) = (host, port) }
        case "server_name":
            if let name = reader.string(node) {
                if name.utf8.contains(UInt8(ascii: " ")) {
                    reader.error("server name cannot contain spaces", at: node)
                } else {
                    self.serverName = name.isEmpty ? nil : name
                }
            }
        case "trace_verbose":
            if let flag = reader.bool(node) { (self.traceVerbose, self.trace) = (flag, flag) }
        case "trace_headers":
            if let flag = reader.bool(node) { (self.traceHeaders, self.trace) = (flag, flag) }
        case "max_control_line":
            if let size = self.size(entry, reader) { self.maxControlLine = size == 0 ? 4096 : size }
        case "max_payload":
            if let size = self.size(entry, reader) { self.maxPayload = size == 0 ? 1_048_576 : size }
        case "max_connections", "max_conn":
            if let count = reader.integer(node) { self.maxConnections = count == 0 ? -1 : count }
            return "max_connections"
        case "max_sub_tokens", "max_subscription_tokens":
            if let count = reader.integer(node) {
                if count > 255 {
                    reader.error("\(entry.key) value is too big", at: node)
                } else if count <= 0 {
                    reader.error("\(entry.key) value can not be negative", at: node)
                } else {
                    self.maxSubTokens = count
                }
            }
            return "max_sub_tokens"
        case "lame_duck_duration":
            if let duration = self.plainDuration(entry, reader) {
                if duration < .seconds(30) {
                    reader.error(
                        "invalid lame_duck_duration of \(GoDuration.text(duration)), minimum is 30 seconds",
                        at: node
                    )
                } else {
                    self.lameDuckDuration = duration
                }
            }
        case "lame_duck_grace_period":
            if let duration = self.plainDuration(entry, reader) {
                if duration < .zero {
                    reader.error("invalid lame_duck_grace_period, needs to be positive", at: node)
                } else if duration != .zero {
                    self.lameDuckGracePeriod = duration
                }
            }
        case "store_dir", "storedir":
            if self.storeDir != nil {
                reader.error("Duplicate 'store_dir' configuration", at: node)
            } else if let path = reader.string(node) {
                self.storeDir = path.isEmpty ? nil : path
            }
            return "store_dir"
        case "server_tags":
            self.readTags(node, reader)
        case "server_metadata":
            self.readMetadata(node, reader)
        case "feature_flags":
            self.readFeatureFlags(node, reader)
        case "default_js_domain":
            guard let entries = node.entries else {
                reader.error("error default_js_domain config: unsupported type \(GoFormat.typeName(node))", at: node)
                break
            }
            reader.reportingTypes(at: node) {
                for inner in entries { self.defaultJSDomain[inner.key] = reader.string(inner.node) }
            }
        default:
            return nil
        }
        return entry.name
    }

    private func size(_ entry: OptionReader.Entry, _ reader: OptionReader) -> Int? {
        guard let size = reader.int64(entry.node) else { return nil }
        guard size <= Int64(Int32.max) else {
            reader.error("\(entry.key) value is too big", at: entry.node)
            return nil
        }
        return Int(Int32(truncatingIfNeeded: size))
    }

    private func plainDuration(_ entry: OptionReader.Entry, _ reader: OptionReader) -> Duration? {
        guard let text = reader.string(entry.node) else { return nil }
        do {
            return try GoDuration.parse(text)
        } catch {
            reader.error("error parsing \(entry.name): \(error.words)", at: entry.node)
            return nil
        }
    }

    private mutating func readTags(_ node: ConfigurationNode, _ reader: OptionReader) {
        var tags: [String] = []
        if let tag = node.string {
            tags = [tag]
        } else if let elements = node.array {
            for element in elements {
                // What comes from the environment is refused, as there.
                guard element.position != nil else {
                    reader.error("error parsing tags: unsupported type \(GoFormat.typeName(element))", at: node)
                    break
                }
                guard let tag = element.string else {
                    reader.error(
                        "error parsing tags: unsupported type *conf.token where string is expected",
                        at: node
                    )
                    break
                }
                tags.append(tag)
            }
        } else {
            reader.error("error parsing tags: unsupported type \(GoFormat.typeName(node))", at: node)
        }
        for tag in tags.map({ $0.trimmingSpaces().lowercased() }) where !self.serverTags.contains(tag) {
            self.serverTags.append(tag)
        }
    }

    private mutating func readMetadata(_ node: ConfigurationNode, _ reader: OptionReader) {
        guard let entries = node.entries else {
            reader.error("error parsing metadata: unsupported type \(GoFormat.typeName(node))", at: node)
            return
        }
        for entry in entries { self.serverMetadata[entry.key] = reader.string(entry.node) }
    }

    private mutating func readFeatureFlags(_ node: ConfigurationNode, _ reader: OptionReader) {
        guard let entries = node.entries else {
            reader.error("error parsing feature flags: unsupported type \(GoFormat.typeName(node))", at: node)
            return
        }
        for entry in entries {
            guard let flag = entry.node.bool else {
                reader.error(
                    "error parsing feature flag \(entry.quotedKey): expected bool, got "
                        + GoFormat.typeName(entry.node),
                    at: entry.node
                )
                continue
            }
            self.featureFlags[entry.key] = flag
        }
    }
}
