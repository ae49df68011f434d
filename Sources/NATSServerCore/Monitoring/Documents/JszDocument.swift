import NATSWire

/// `/jsz`: JetStream, as a server shows it that has it switched off.
enum JszDocument {
    /// The text for `leader-only` where there is no leader.
    static let notLeader = "filtered response: not leader"

    static func json(_ head: ServerHead) -> [UInt8] {
        var writer = JSONDocumentWriter()
        writer.object { writer in
            for key in ["memory", "storage", "reserved_memory", "reserved_storage", "accounts", "ha_assets"]
                as [StaticString]
            {
                writer.write(key, 0)
            }
            writer.object("api") { writer in
                writer.write("level", 0)
                writer.write("total", 0)
                writer.write("errors", 0)
            }
            writer.write(head)
            writer.write("disabled", true)
            writer.object("config") { writer in
                writer.write("max_memory", 0)
                writer.write("max_storage", 0)
            }
            for key in ["streams", "consumers", "messages", "bytes", "total"] as [StaticString] {
                writer.write(key, 0)
            }
        }
        return writer.bytes
    }
}
