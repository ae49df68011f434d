import NATSTestSupport
import NATSWire

/// A client that asks the system account, or listens to it.
struct SystemClient: Sendable {
    /// A message for the client.
    struct Message: Sendable, Equatable {
        var subject: String
        var header: String
        var payload: [UInt8]

        var text: String { String(decoding: self.payload, as: UTF8.self) }
    }

    let connection: RawConnection

    init(_ connection: RawConnection) { self.connection = connection }

    /// A client that wants to know when nobody listens.
    init(_ server: ConfiguredServer, _ user: String, name: String = "") async throws {
        let more = ",\"headers\":true,\"no_responders\":true,\"name\":\"\(name)\",\"lang\":\"test\",\"version\":\"1\""
        self.connection = try await server.connect(user, more)
    }

    /// The next message.
    func next(fileID: String = #fileID, line: Int = #line) async throws -> Message {
        let words = try await self.connection.readLine(fileID: fileID, line: line).split(separator: " ")
        guard words.count >= 4, let size = words.last.flatMap({ Int($0) }) else {
            throw UnexpectedLine(description: "no message but \(words.joined(separator: " "))")
        }
        let headerSize = words[0] == "HMSG" ? Int(words[words.count - 2]) ?? 0 : 0
        let bytes = try await self.connection.read(count: size + 2, fileID: fileID, line: line)
        return Message(
            subject: String(words[1]),
            header: String(decoding: bytes.prefix(headerSize), as: UTF8.self),
            payload: Array(bytes.dropFirst(headerSize).dropLast(2))
        )
    }

    struct UnexpectedLine: Error, CustomStringConvertible {
        let description: String
    }

    /// Publishes a request with an inbox of its own.
    func send(_ subject: String, _ payload: String, reply: String, header: String = "") async {
        guard !header.isEmpty else {
            await self.connection.send("PUB \(subject) \(reply) \(payload.utf8.count)\r\n\(payload)\r\n")
            return
        }
        let block = "NATS/1.0\r\n\(header)\r\n\r\n"
        let sizes = "\(block.utf8.count) \(block.utf8.count + payload.utf8.count)"
        await self.connection.send("HPUB \(subject) \(reply) \(sizes)\r\n\(block)\(payload)\r\n")
    }

    /// The server's identity, as the system account tells it.
    func serverID() async throws -> String {
        let answers = try await self.answers("$SYS.REQ.SERVER.PING.IDZ", fence: "$SYS.REQ.SERVER.PING.IDZ")
        let id = answers.first?.text.split(separator: "\"id\":\"").last.map { String($0.prefix(56)) } ?? ""
        guard id.count == 56 else { throw UnexpectedLine(description: "no identity in \(answers)") }
        return id
    }

    /// What a request is answered with, silence included: the answer to a second request, of the same queue, ends it.
    func answers(
        _ subject: String,
        _ payload: String = "",
        header: String = "",
        fence: String,
        fileID: String = #fileID,
        line: Int = #line
    ) async throws -> [Message] {
        await self.connection.send("SUB _INBOX.answer 90\r\nSUB _INBOX.fence 91\r\n")
        await self.send(subject, payload, reply: "_INBOX.answer", header: header)
        await self.send(fence, "", reply: "_INBOX.fence")
        var answers: [Message] = []
        while true {
            let message = try await self.next(fileID: fileID, line: line)
            if message.subject == "_INBOX.fence" { break }
            answers.append(message)
        }
        try await self.connection.flush("UNSUB 90\r\nUNSUB 91\r\n", fileID: fileID, line: line)
        return answers
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
