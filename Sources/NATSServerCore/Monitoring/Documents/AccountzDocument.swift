import NATSWire

/// `/accountz`: the accounts, or one of them in detail.
enum AccountzDocument {
    static func json(_ head: ServerHead, accounts: [String]) -> [UInt8] {
        var writer = JSONDocumentWriter()
        writer.object { writer in
            writer.write(head)
            writer.write("accounts", accounts)
        }
        return writer.bytes
    }

    static func json(_ head: ServerHead, account: AccountSnapshot) -> [UInt8] {
        var writer = JSONDocumentWriter()
        writer.object { writer in
            writer.write(head)
            writer.object("account_detail") { writer in
                writer.write("account_name", account.name)
                writer.write("update_time", time: account.updated)
                writer.write("expired", false)
                writer.write("complete", true)
                writer.write("jetstream_enabled", false)
                writer.write("leafnode_connections", 0)
                writer.write("client_connections", account.connections)
                writer.write("subscriptions", account.subscriptions.subscriptions)
                if !account.mappings.isEmpty {
                    writer.object("mappings") { Self.write(account.mappings, to: &$0) }
                }
                writer.write("name_tag", account.name)
                writer.object("sublist_stats") { $0.write(account.subscriptions) }
            }
        }
        return writer.bytes
    }

    private static func write(_ mappings: SubjectMappings, to writer: inout JSONDocumentWriter) {
        for mapping in mappings.mappings.sorted(by: { Array($0.source.utf8).lexicographicallyPrecedes($1.source.utf8) })
        {
            writer.array(named: mapping.source) { writer in
                for destination in mapping.destinations { Self.write(destination, cluster: "", to: &writer) }
                for (cluster, destinations) in mapping.clusters.sorted(by: { $0.key < $1.key }) {
                    for destination in destinations { Self.write(destination, cluster: cluster, to: &writer) }
                }
            }
        }
    }

    private static func write(
        _ destination: SubjectMappings.Destination,
        cluster: String,
        to writer: inout JSONDocumentWriter
    ) {
        writer.object { writer in
            writer.write("subject", destination.transform.destination)
            writer.write("weight", destination.threshold)
            writer.writeUnlessEmpty("cluster", cluster)
        }
    }

    /// The text for a name that nobody has.
    static func unknown(_ name: String) -> String { "Account \(name) does not exist" }
}
