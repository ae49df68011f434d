/// `gateway`.
extension OptionReader {
    private static let gatewayTable = OptionTable<GatewayConfiguration>([
        (.init("host", .string(\.host)), aliases: ["net"]),
        (.init("name", .name(\.name, "gateway")), []),
        (.init("port", .integer(\.port)), []),
        (.init("listen", .listen(\.host, \.port)), []),
        (.init("tls", .tls(\.tls, .peers)), []),
        (.init("advertise", .text(\.advertise)), []),
        (.init("connect_retries", .integer(\.connectRetries)), []),
        (.init("connect_backoff", .bool(\.connectBackoff)), []),
        (.init("reject_unknown_cluster", .bool(\.rejectUnknownCluster)), ["reject_unknown"]),
        (.init("write_deadline", .optionalDuration(\.writeDeadline, "write_deadline")), []),
        (.init("write_timeout", .writeTimeout(\.writeTimeout)), []),
    ])

    func gateway(_ node: ConfigurationNode) -> GatewayConfiguration? {
        self.block(
            node,
            "gateway",
            expected: "Expected gateway to be a map",
            defaults: GatewayConfiguration(),
            Self.gatewayTable
        ) { entry, block in
            let node = entry.node
            switch entry.name {
            case "authorization":
                block.authorization = self.peerAuthorization(node, "Gateway").map { SimpleAuthorization($0) }
            case "gateways":
                block.gateways = self.remoteGateways(node)
            default: return false
            }
            return true
        }
    }

    private func remoteGateways(_ node: ConfigurationNode) -> [GatewayConfiguration.Remote] {
        guard let elements = node.array else {
            // The official server names no place here.
            self.error("Expected gateways field to be an array, got \(GoFormat.typeName(node))", at: nil)
            return []
        }
        return elements.compactMap { element in
            guard let entries = element.entries else {
                self.error("Expected gateway entry to be a map/struct, got \(GoFormat.value(element))", at: element)
                return nil
            }
            var remote = GatewayConfiguration.Remote()
            for entry in entries {
                switch entry.name {
                case "name":
                    remote.name = self.string(entry.node) ?? ""
                case "tls":
                    remote.tls = self.tls(entry.node, .peers)
                case "url":
                    if let text = self.string(entry.node), let url = self.url(text, "gateway", at: entry.node) {
                        remote.urls.append(url)
                    }
                case "urls":
                    remote.urls = self.urls(entry.node, "gateway") ?? []
                default:
                    self.unknown(entry)
                }
            }
            return remote
        }
    }
}
