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
        writer.object("sent") { Self.write(account, of: { ($0.messagesOut, $0.bytesOut) }, to: &$0) }
        writer.object("received") { Self.write(account, of: { ($0.messagesIn, $0.bytesIn) }, to: &$0) }
        writer.write("slow_consumers", account.slowConsumers)
    }

    /// One direction.
    private static func write(
        _ account: AccountSnapshot,
        of direction: (TrafficStatistics) -> (messages: Int, bytes: Int),
        to writer: inout JSONDocumentWriter
    ) {
        func write(_ traffic: TrafficStatistics, to writer: inout JSONDocumentWriter) {
            let (messages, bytes) = direction(traffic)
            writer.write("msgs", messages)
            writer.write("bytes", bytes)
        }
        write(account.traffic, to: &writer)
        writer.object("gateways") { write(TrafficStatistics(), to: &$0) }
        writer.object("routes") { write(account.routed, to: &$0) }
        writer.object("leafs") { write(account.leafTraffic, to: &$0) }
    }
}
