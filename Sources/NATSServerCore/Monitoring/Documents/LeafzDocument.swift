import NATSWire

/// `/leafz`: the connections of leaf nodes, on either side.
struct LeafzDocument {
    /// What a request asks for.
    struct Query: Sendable, Equatable {
        /// What peers want is shown.
        var lists = false
        /// Only those of this account, unless empty.
        var account = ""
    }

    let head: ServerHead
    let query: Query
    let leafs: [LeafSnapshot]

    func json(indentation: Int? = 2) -> [UInt8] {
        var writer = JSONDocumentWriter(indentation: indentation)
        writer.object { writer in
            writer.write(self.head)
            writer.write("leafnodes", self.leafs.count)
            writer.array("leafs") { writer in
                for leaf in self.leafs { self.write(leaf, to: &writer) }
            }
        }
        return writer.bytes
    }

    /// nats-server monitor.go LeafInfo.
    private func write(_ leaf: LeafSnapshot, to writer: inout JSONDocumentWriter) {
        let figures = leaf.figures
        writer.object { writer in
            writer.write("id", figures.id)
            writer.write("name", leaf.name)
            writer.write("is_spoke", leaf.isSpoke)
            writer.writeUnlessFalse("is_isolated", leaf.isIsolated)
            writer.write("account", leaf.account)
            writer.write("ip", leaf.ip)
            writer.write("port", leaf.port)
            writer.write("rtt", TimeText.roundTrip(figures.roundTripNanoseconds))
            writer.write("in_msgs", figures.traffic.messagesIn)
            writer.write("out_msgs", figures.traffic.messagesOut)
            writer.write("in_bytes", figures.traffic.bytesIn)
            writer.write("out_bytes", figures.traffic.bytesOut)
            writer.write("subscriptions", figures.subscriptions)
            writer.writeUnlessEmpty("subscriptions_list", leaf.subjects)
            writer.writeUnlessEmpty("compression", leaf.compression)
        }
    }
}
