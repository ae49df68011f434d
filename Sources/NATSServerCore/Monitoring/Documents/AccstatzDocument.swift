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
            let routed = (account.routed.messagesOut, account.routed.bytesOut)
            Self.write((account.traffic.messagesOut, account.traffic.bytesOut), routed: routed, to: &$0)
        }
        writer.object("received") {
            let routed = (account.routed.messagesIn, account.routed.bytesIn)
            Self.write((account.traffic.messagesIn, account.traffic.bytesIn), routed: routed, to: &$0)
        }
        writer.write("slow_consumers", account.slowConsumers)
    }

    private typealias Traffic = (messages: Int, bytes: Int)

    private static func write(_ traffic: Traffic, routed: Traffic, to writer: inout JSONDocumentWriter) {
        self.write(traffic, to: &writer)
        writer.object("gateways") { self.write((0, 0), to: &$0) }
        writer.object("routes") { self.write(routed, to: &$0) }
        writer.object("leafs") { self.write((0, 0), to: &$0) }
    }

    private static func write(_ traffic: Traffic, to writer: inout JSONDocumentWriter) {
        writer.write("msgs", traffic.messages)
        writer.write("bytes", traffic.bytes)
    }
}
