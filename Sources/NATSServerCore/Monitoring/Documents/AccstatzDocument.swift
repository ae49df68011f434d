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
                for account in self.accounts where self.includesUnused || account.connections + account.leafNodes > 0 {
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
        writer.write("leafnodes", account.leafNodes)
        writer.write("total_conns", account.connections + account.leafNodes)
        writer.write("num_subscriptions", account.subscriptions.subscriptions)
        writer.object("sent") {
            let (all, leafs) = (account.traffic, account.leafTraffic)
            Self.write((all.messagesOut, all.bytesOut), leafs: (leafs.messagesOut, leafs.bytesOut), to: &$0)
        }
        writer.object("received") {
            let (all, leafs) = (account.traffic, account.leafTraffic)
            Self.write((all.messagesIn, all.bytesIn), leafs: (leafs.messagesIn, leafs.bytesIn), to: &$0)
        }
        writer.write("slow_consumers", account.slowConsumers)
    }

    private static func write(
        _ all: (messages: Int, bytes: Int),
        leafs: (messages: Int, bytes: Int),
        to writer: inout JSONDocumentWriter
    ) {
        writer.write("msgs", all.messages)
        writer.write("bytes", all.bytes)
        let kinds: [(StaticString, (messages: Int, bytes: Int))] = [
            ("gateways", (0, 0)), ("routes", (0, 0)), ("leafs", leafs),
        ]
        for (kind, figures) in kinds {
            writer.object(kind) { writer in
                writer.write("msgs", figures.messages)
                writer.write("bytes", figures.bytes)
            }
        }
    }
}
