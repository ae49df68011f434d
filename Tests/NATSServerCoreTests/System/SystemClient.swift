import NATSTestSupport
import NATSWire

extension SystemClient {
    /// A client that wants to know when nobody listens.
    init(_ server: ConfiguredServer, _ user: String, name: String = "") async throws {
        let more = ",\"headers\":true,\"no_responders\":true,\"name\":\"\(name)\",\"lang\":\"test\",\"version\":\"1\""
        self.init(try await server.connect(user, more))
    }
}

/// JSON documents in a form that can be compared: values that tell of a moment or a place are left out, lists without
/// an order are sorted.
enum SystemJSON {
    private static let volatile: Set<String> = [
        "server_id", "now", "time", "timestamp", "seq", "update_time", "port", "start", "last_activity", "rtt",
        "uptime",
        "idle", "stop", "num_cache", "num_matches", "cache_hit_rate", "max_fanout", "avg_fanout", "num_inserts",
        "num_removes", "msgs", "bytes", "in_msgs", "in_client_msgs", "in_bytes", "in_client_bytes",
        "out_msgs", "out_client_msgs", "out_bytes", "out_client_bytes", "pending_bytes", "mem", "cpu", "gomaxprocs",
        "go",
        "config_load_time", "config_digest", "sid",
        "Alloc", "Sys", "HeapAlloc", "HeapSys", "NumGC", "cmdline", "memstats",
    ]
    private static let unordered: Set<String> = [
        "subscriptions_list_detail",
        "accounts", "subscriptions_list", "exports", "imports", "account_statz",
    ]
    /// Only the official server has them.
    private static let absent: Set<String> = ["git_commit"]

    /// A text that is equal for documents that mean the same; what is no JSON stays as it is, `id` is the server's
    /// identity, which stands for itself.
    static func normal(_ text: [UInt8], id: String) -> String {
        guard let value = try? JSONValue.parse(text) else { return String(decoding: text, as: UTF8.self) }
        return self.normal(value, key: "", id: id)
    }

    /// Where two texts part.
    static func difference(_ own: String, _ official: String) -> String {
        guard own != official else { return "" }
        let length = zip(own, official).prefix { $0 == $1 }.count
        func part(_ text: String) -> String { String(text.dropFirst(max(0, length - 60)).prefix(240)) }
        return "ours …\(part(own))… official …\(part(official))…"
    }

    private static func normal(_ value: JSONValue, key: String, id: String) -> String {
        if self.volatile.contains(key) { return "…" }
        switch value {
        case .null: return "null"
        case .bool(let flag): return "\(flag)"
        case .number(let text): return key == "id" ? "…" : text
        case .string(let text): return text == id ? "ID" : key == "id" ? "…" : "\"\(text)\""
        case .array(let elements):
            var texts = elements.map { self.normal($0, key: "", id: id) }
            if self.unordered.contains(key) { texts.sort() }
            return "[\(texts.joined(separator: ","))]"
        case .object(let members):
            let texts = members.filter { !self.absent.contains($0.key) }.map { member in
                // The client that stands for the server among subscriptions has another number.
                let isInternal = member.key == "cid" && members.contains { $0.key == "account_tag" }
                return "\(member.key):\(isInternal ? "…" : self.normal(member.value, key: member.key, id: id))"
            }
            return "{\(texts.joined(separator: ","))}"
        }
    }
}
