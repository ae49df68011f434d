/// `leafnodes { remotes }`.
extension OptionReader {
    private typealias Remote = LeafNodesConfiguration.Remote

    private static let remoteTable = OptionTable<Remote>([
        (.init("no_randomize", .bool(\.noRandomize)), aliases: ["dont_randomize"]),
        (.init("account", .text(\.account)), ["local"]),
        (.init("hub", .bool(\.hub)), []),
        (
            .init("ws_compression", .bool(\.wsCompression)),
            ["ws_compress", "websocket_compress", "websocket_compression"]
        ),
        (.init("ws_no_masking", .bool(\.wsNoMasking)), ["websocket_no_masking"]),
        (.init("isolate", .bool(\.isolate)), ["isolate_leafnode_interest"]),
        (.init("request_isolation", .bool(\.requestIsolation)), []),
        (.init("disabled", .bool(\.disabled)), []),
        (.init("ignore_discovered_servers", .bool(\.ignoreDiscoveredServers)), []),
    ])

    func leafRemotes(_ node: ConfigurationNode) -> [LeafNodesConfiguration.Remote] {
        guard let elements = node.array else {
            self.error("Expected remotes field to be an array, got \(GoFormat.typeName(node))", at: node)
            return []
        }
        var names: Set<String> = []
        return elements.compactMap { element in
            guard let entries = element.entries else {
                self.error(
                    "Expected remote leafnode entry to be a map/struct, got \(GoFormat.value(element))",
                    at: element
                )
                return nil
            }
            var remote = Remote()
            var proxyNode: ConfigurationNode?
            for entry in entries {
                if entry.name == "proxy" {
                    proxyNode = entry.node
                    self.readProxy(entry.node, into: &remote.proxy)
                } else if Self.remoteTable.read(entry, into: &remote, self) == nil {
                    self.readRemote(entry, into: &remote)
                }
            }
            guard self.checkProxy(of: remote, at: proxyNode) else { return nil }
            guard names.insert(remote.name(redacted: false)).inserted else {
                self.error("duplicate remote \(remote.name(redacted: true))", at: entries.last?.node ?? element)
                return nil
            }
            return remote
        }
    }

    private func readRemote(_ entry: Entry, into remote: inout Remote) {
        let node = entry.node
        switch entry.name {
        case "url", "urls":
            if node.array != nil {
                remote.urls = self.urls(node, "leafnode") ?? []
            } else if let text = node.string {
                if let url = self.url(text, "leafnode", at: node) { remote.urls.append(url) }
            } else {
                self.error(
                    "Expected remote leafnode url to be an array or string, got \(GoFormat.value(node))",
                    at: node
                )
            }
        case "creds", "credentials":
            guard let path = self.string(node).flatMap({ self.expandedPath($0, at: node) }) else { return }
            if remote.nkey != nil {
                self.error("Remote leafnode can not have both creds and nkey defined", at: node)
            } else {
                remote.credentials = path.isEmpty ? nil : path
            }
        case "nkey", "seed":
            guard let seed = self.string(node) else { return }
            if !PublicKey.isUserSeed(seed) {
                self.error("Remote leafnode nkey is not a valid seed: \(GoFormat.quoted(seed))", at: node)
            } else if remote.credentials != nil {
                self.error("Remote leafnode can not have both creds and nkey defined", at: node)
            } else {
                remote.nkey = seed
            }
        case "tls":
            remote.tls = self.tls(node, .client)
        case "deny_imports", "deny_import":
            remote.denyImports = self.subjects(node, allowQueue: false, place: node) ?? []
        case "deny_exports", "deny_export":
            remote.denyExports = self.subjects(node, allowQueue: false, place: node) ?? []
        case "jetstream_cluster_migrate", "js_cluster_migrate":
            self.readMigration(node, into: &remote)
        case "compression":
            if let value = self.compression(entry, onMode: "s2_auto", unset: "s2_auto") { remote.compression = value }
        case "first_info_timeout":
            if let time = self.duration(node, entry.key), time > .zero { remote.firstInfoTimeout = time }
        case "dial_timeout":
            if let time = self.duration(node, entry.key) { remote.dialTimeout = time > .zero ? time : nil }
        default:
            self.unknown(entry)
        }
    }

    private func readMigration(_ node: ConfigurationNode, into remote: inout Remote) {
        if let flag = node.bool {
            remote.jetstreamClusterMigrate = flag
        } else if node.map != nil {
            remote.jetstreamClusterMigrate = true
            guard let delay = node["leader_migrate_delay"] else { return }
            if let time = self.duration(delay, "leader_migrate_delay") { remote.jetstreamClusterMigrateDelay = time }
        } else {
            // The official server names no place here.
            self.error(
                "Expected boolean or map for jetstream_cluster_migrate, got \(GoFormat.typeName(node))",
                at: nil
            )
        }
    }

    /// A path with `$NAME` and `~` written out.
    private func expandedPath(_ path: String, at node: ConfigurationNode) -> String? {
        let expanded = VariableExpansion.expand(path) { self.source.environment[$0] ?? "" }
        guard expanded.hasPrefix("~") else { return expanded }
        guard let home = self.source.environment["HOME"], !home.isEmpty else {
            self.error("failed to get home dir, require $HOME", at: node)
            return nil
        }
        return FilePath.join(home, String(expanded.dropFirst()))
    }

    // MARK: Proxies

    private func readProxy(_ node: ConfigurationNode, into proxy: inout LeafNodesConfiguration.Remote.Proxy) {
        guard let entries = node.entries else {
            self.error("Expected proxy to be a map, got \(GoFormat.typeName(node))", at: node)
            return
        }
        for entry in entries {
            switch entry.name {
            case "url": proxy.url = self.string(entry.node) ?? ""
            case "username": proxy.username = self.string(entry.node) ?? ""
            case "password": proxy.password = self.string(entry.node) ?? ""
            case "timeout": proxy.timeout = self.duration(entry.node, "proxy timeout") ?? .zero
            default: self.unknown(entry)
            }
        }
    }

    /// nats-server leafnode.go validateLeafNodeProxyOptions.
    private func checkProxy(of remote: Remote, at node: ConfigurationNode?) -> Bool {
        let proxy = remote.proxy
        guard !proxy.url.isEmpty else {
            if proxy.username.isEmpty, proxy.password.isEmpty, proxy.timeout == .zero { return true }
            self.error("proxy URL must be specified when other proxy options are set", at: node)
            return false
        }
        let url: ConfigurationURL
        do throws(ConfigurationURL.Failure) {
            url = try ConfigurationURL(reference: proxy.url)
        } catch {
            self.error("invalid proxy URL: parse \(GoFormat.quoted(proxy.url)): \(error)", at: node)
            return false
        }
        let failure: String? =
            if url.scheme != "http", url.scheme != "https" {
                "proxy URL scheme must be http or https, got: \(url.scheme)"
            } else if url.host.isEmpty, url.port == nil {
                "proxy URL must specify a host"
            } else if proxy.timeout < .zero {
                "proxy timeout must be >= 0"
            } else if proxy.username.isEmpty != proxy.password.isEmpty {
                "proxy username and password must both be specified or both be empty"
            } else if let url = remote.urls.first(where: { $0.scheme == "wss" }), remote.tls == nil {
                "proxy is configured but remote URL \(url.text) requires TLS and no TLS configuration is provided. When "
                    + "using proxy with TLS endpoints, ensure TLS is properly configured for the leafnode remote"
            } else {
                nil
            }
        if let failure {
            self.error(failure, at: node)
            return false
        }
        return true
    }
}

extension LeafNodesConfiguration.Remote {
    /// What tells remotes apart.
    func name(redacted: Bool) -> String {
        let urls = self.urls.map { url -> String in
            guard redacted, let password = url.password else { return GoFormat.quoted(url.text) }
            return GoFormat.quoted(url.text.replacingFirst(":\(password)@", with: ":xxxxx@"))
        }
        var name = "urls=[\(urls.joined(separator: " "))], account=\(GoFormat.quoted(self.account ?? "$G"))"
        if let credentials {
            name += ", credentials=\(GoFormat.quoted(credentials))"
        } else if let nkey {
            name += ", nkey=\(redacted ? "\"[REDACTED]\"" : GoFormat.quoted(nkey))"
        }
        return name
    }
}

extension String {
    fileprivate func replacingFirst(_ text: String, with other: String) -> String {
        let bytes = Array(self.utf8)
        let needle = Array(text.utf8)
        guard !needle.isEmpty, bytes.count >= needle.count else { return self }
        for start in 0...(bytes.count - needle.count)
        where bytes[start..<(start + needle.count)].elementsEqual(needle) {
            return String(decoding: bytes[..<start], as: UTF8.self) + other
                + String(decoding: bytes[(start + needle.count)...], as: UTF8.self)
        }
        return self
    }
}

/// `$NAME` and `${NAME}` in a text, as Go's os.Expand replaces them.
enum VariableExpansion {
    static func expand(_ text: String, _ value: (String) -> String) -> String {
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.hasPrefix("{") {
                guard let close = rest.firstIndex(of: "}") else {
                    rest = rest.dropFirst()
                    continue
                }
                result += value(String(rest[..<close].dropFirst()))
                rest = rest[rest.index(after: close)...]
                continue
            }
            let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            if name.isEmpty {
                result += "$"
                continue
            }
            result += value(String(name))
            rest = rest.dropFirst(name.count)
        }
        return result + rest
    }
}
