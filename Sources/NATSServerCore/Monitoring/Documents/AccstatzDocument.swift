import NATSWire

/// `/accstatz`: what the accounts have sent and received.
struct AccstatzDocument {
    let head: ServerHead
    let accounts: [AccountSnapshot]
    /// Shows accounts without connections too.
    let includesUnused: Bool

    func json(indentation: Int? = 2) -> [UInt8] {
        var writer = JSONDocumentWriter(indentation: indentation)
        writer.object { writer in
            writer.write(self.head)
            writer.array("account_statz") { writer in
                for account in self.accounts where self.includesUnused || account.connections > 0 {
                    writer.object { Self.write(account, to: &$0) }
                }
            }
        }
        return writer.bytes
    }

    /// One account's figures.
    static func write(_ account: AccountSnapshot, to writer: inout JSONDocumentWriter) {
        writer.write("acc", account.name)
        writer.write("name", account.name)
        writer.write("conns", account.connections)
        writer.write("leafnodes", 0)
        writer.write("total_conns", account.connections)
        writer.write("num_subscriptions", account.subscriptions.subscriptions)
        writer.object("sent") {
            Self.write(messages: account.traffic.messagesOut, bytes: account.traffic.bytesOut, to: &$0)
        }
        writer.object("received") {
            Self.write(messages: account.traffic.messagesIn, bytes: account.traffic.bytesIn, to: &$0)
        }
        writer.write("slow_consumers", account.slowConsumers)
    }

    private static func write(messages: Int, bytes: Int, to writer: inout JSONDocumentWriter) {
        writer.write("msgs", messages)
        writer.write("bytes", bytes)
        for kind in ["gateways", "routes", "leafs"] as [StaticString] {
            writer.object(kind) { writer in
                writer.write("msgs", 0)
                writer.write("bytes", 0)
            }
        }
    }
}
