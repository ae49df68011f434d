/// `mqtt`.
extension OptionReader {
    private static let mqttTable = OptionTable<MQTTConfiguration>([
        (.init("host", .string(\.host)), aliases: ["net"]),
        (.init("port", .integer(\.port)), []),
        (.init("listen", .listen(\.host, \.port)), []),
        (.init("tls", .tls(\.tls, .client)), []),
        (.init("no_auth_user", .text(\.noAuthUser)), []),
        (.init("ack_wait", .duration(\.ackWait, "ack_wait")), ["ackwait"]),
        (.init("js_api_timeout", .duration(\.jsAPITimeout, "js_api_timeout")), ["api_timeout"]),
        (.init("js_domain", .text(\.jsDomain)), []),
        (.init("stream_replicas", .integer(\.streamReplicas)), []),
        (.init("consumer_memory_storage", .bool(\.consumerMemoryStorage)), []),
        (
            .init(
                "consumer_inactive_threshold",
                .duration(\.consumerInactiveThreshold, "consumer_inactive_threshold")
            ),
            ["consumer_auto_cleanup"]
        ),
        (.init("reject_qos2_publish", .bool(\.rejectQoS2Publish)), []),
        (.init("downgrade_qos2_subscribe", .bool(\.downgradeQoS2Subscribe)), []),
    ])

    func mqtt(_ node: ConfigurationNode) -> MQTTConfiguration? {
        self.block(node, "mqtt", expected: "Expected mqtt to be a map", defaults: MQTTConfiguration(), Self.mqttTable) {
            entry,
            block in
            let node = entry.node
            switch entry.name {
            case "authorization", "authentication":
                block.authorization = self.simpleAuthorization(node)
            case "max_ack_pending", "max_pending", "max_inflight":
                guard let count = self.int64(node) else { break }
                if (0...0xffff).contains(count) {
                    block.maxAckPending = count == 0 ? 1024 : Int(count)
                } else {
                    self.error("invalid value \(count), should in [0..65535] range", at: node)
                }
            case "consumer_replicas":
                self.misuse(
                    of: entry.key,
                    "consumer replicas setting ignored in this server version",
                    at: node
                )
            default: return false
            }
            return true
        }
    }
}
