internal import NATSWire
import NIOCore

/// The JSON of what the server tells the system account (nats-server events.go).
enum SystemEvents {
    /// What an event is, and when it happened.
    struct Head: Sendable {
        /// The name of its schema.
        var type: Schema
        var id: String
        /// Nanoseconds since 1970.
        var time: Int64

        func write(to writer: inout JSONDocumentWriter) {
            writer.write("type", "io.nats.server.advisory.v1.\(self.type.rawValue)")
            writer.write("id", self.id)
            writer.write("timestamp", time: self.time)
        }
    }

    enum Schema: String, Sendable {
        case connect = "client_connect"
        case disconnect = "client_disconnect"
        case accountConnections = "account_connections"
    }

    /// A client has come.
    static func connect(_ head: Head, _ server: ServerBlock, client: [UInt8]) -> [UInt8] {
        self.document { writer in
            head.write(to: &writer)
            writer.object("server") { server.write(to: &$0) }
            writer.write("client", raw: client)
        }
    }

    /// A client has gone, or was not let in.
    static func disconnect(
        _ head: Head,
        _ server: ServerBlock,
        client: [UInt8],
        traffic: TrafficStatistics,
        reason: String
    ) -> [UInt8] {
        self.document { writer in
            head.write(to: &writer)
            writer.object("server") { server.write(to: &$0) }
            writer.write("client", raw: client)
            writer.object("sent") { self.write(traffic.messagesIn, traffic.bytesIn, to: &$0) }
            writer.object("received") { self.write(traffic.messagesOut, traffic.bytesOut, to: &$0) }
            writer.write("reason", reason)
        }
    }

    /// The number of an account's clients has changed, or has not for a while.
    static func accountConnections(_ head: Head, _ server: ServerBlock, _ account: AccountSnapshot) -> [UInt8] {
        self.document { writer in
            head.write(to: &writer)
            writer.object("server") { server.write(to: &$0) }
            AccstatzDocument.write(account, to: &writer)
        }
    }

    /// The server ends, or sends its clients away.
    static func server(_ server: ServerBlock) -> [UInt8] { self.document { server.write(to: &$0) } }

    static func write(_ messages: Int, _ bytes: Int, to writer: inout JSONDocumentWriter) {
        writer.write("msgs", messages)
        writer.write("bytes", bytes)
    }

    static func document(_ body: (inout JSONDocumentWriter) -> Void) -> [UInt8] {
        var writer = JSONDocumentWriter(indentation: nil, capacity: 1024)
        writer.object(body)
        return writer.bytes
    }
}
