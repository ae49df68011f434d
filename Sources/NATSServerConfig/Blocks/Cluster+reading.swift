/// `cluster`.
extension OptionReader {
    private static let clusterTable = OptionTable<ClusterConfiguration>([
        (.init("host", .string(\.host)), aliases: ["net"]),
        (.init("name", .name(\.name, "cluster")), []),
        (.init("port", .integer(\.port)), []),
        (.init("listen", .listen(\.host, \.port)), []),
        (.init("tls", .tls(\.tls, .peers)), []),
        (.init("advertise", .text(\.advertise)), ["cluster_advertise"]),
        (.init("no_advertise", .bool(\.noAdvertise)), []),
        (.init("connect_retries", .integer(\.connectRetries)), []),
        (.init("connect_backoff", .bool(\.connectBackoff)), []),
        (.init("pool_size", .count(\.poolSize)), []),
        (.init("ping_max", .optionalInteger(\.pingMax)), []),
        (.init("write_deadline", .optionalDuration(\.writeDeadline, "write_deadline")), []),
        (.init("write_timeout", .writeTimeout(\.writeTimeout)), []),
    ])

    func cluster(_ node: ConfigurationNode) -> ClusterConfiguration? {
        var oldPermissions: PermissionsConfiguration?
        var hasPermissions = false
        var block = self.block(
            node,
            "cluster",
            expected: "Expected map to define cluster",
            defaults: ClusterConfiguration(),
            Self.clusterTable
        ) { entry, block in
            let node = entry.node
            switch entry.name {
            case "authorization":
                guard let authorization = self.peerAuthorization(node, "Cluster") else { break }
                block.authorization = SimpleAuthorization(authorization)
                guard let permissions = authorization.defaultPermissions else { break }
                if let failure = Self.clusterFailure(in: permissions) {
                    self.error(failure, at: node)
                    break
                }
                self.misuse(
                    of: entry.key,
                    "setting \"permissions\" within cluster authorization block is deprecated",
                    at: node
                )
                oldPermissions = permissions
            case "routes":
                block.routes = self.urls(node, "route") ?? []
            case "permissions":
                guard let permissions = self.permissions(node, place: nil) else { break }
                if permissions.allowResponses != nil {
                    self.error("Cluster permissions do not support dynamic responses", at: node)
                } else if let failure = Self.clusterFailure(in: permissions) {
                    self.error(failure, at: node)
                } else {
                    hasPermissions = true
                    block.importPermission = permissions.publish
                    block.exportPermission = permissions.subscribe
                }
            case "accounts":
                block.accounts = self.strings(node, "accounts") ?? []
            case "compression":
                if let value = self.compression(entry, onMode: "s2_fast", unset: "accept") {
                    block.compression = value
                }
            case "ping_interval":
                guard let interval = self.duration(node, "ping_interval") else { break }
                block.pingInterval = interval == .zero ? nil : interval
                if interval > .seconds(30) {
                    self.warning(
                        "Cluster 'ping_interval' will reset to 30s which is the max for routes",
                        at: node
                    )
                }
            default: return false
            }
            return true
        }
        // Those of the block itself come before those within its authorization.
        if let oldPermissions, !hasPermissions {
            block?.importPermission = oldPermissions.publish
            block?.exportPermission = oldPermissions.subscribe
        }
        return block
    }

    private static func clusterFailure(in permissions: PermissionsConfiguration) -> String? {
        let lists: [(String, [String])] = [
            ("import allow", permissions.publish?.allow ?? []),
            ("import deny", permissions.publish?.deny ?? []),
            ("export allow", permissions.subscribe?.allow ?? []),
            ("export deny", permissions.subscribe?.deny ?? []),
        ]
        for (name, subjects) in lists {
            if let failure = self.failure(in: subjects, allowQueue: false) { return "cluster \(name): \(failure)" }
        }
        return nil
    }
}
