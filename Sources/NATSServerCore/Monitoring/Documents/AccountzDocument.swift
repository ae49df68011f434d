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
                if !account.exports.isEmpty {
                    writer.array("exports") { writer in
                        for item in account.exports { writer.object { Self.write(item, to: &$0) } }
                    }
                }
                if !account.streams.isEmpty || !account.services.isEmpty {
                    writer.array("imports") { Self.writeImports(of: account, to: &$0) }
                }
                writer.write("name_tag", account.name)
                writer.object("sublist_stats") { $0.write(account.subscriptions) }
            }
        }
        return writer.bytes
    }

    private static func write(_ export: ExportOptions, to writer: inout JSONDocumentWriter) {
        writer.write("subject", export.subject)
        writer.write("type", export.kind == .service ? "service" : "stream")
        if export.kind == .service {
            let type =
                switch export.responseType {
                case .single: "Singleton"
                case .stream: "Streamed"
                case .chunked: "Chunked"
                }
            writer.write("response_type", type)
        }
        writer.writeUnlessEmpty("approved_accounts", export.accounts ?? [])
    }

    private static func writeImports(of account: AccountSnapshot, to writer: inout JSONDocumentWriter) {
        func write(_ from: String, _ exporter: String, to: String?, _ local: String, _ type: String, _ share: Bool) {
            writer.object { writer in
                writer.write("subject", from)
                writer.write("account", exporter)
                writer.writeUnlessEmpty("to", to ?? "")
                writer.write("local_subject", local)
                writer.write("type", type)
                writer.write("invalid", false)
                writer.write("share", share)
                writer.write("tracking", false)
            }
        }
        for stream in account.streams { write(stream.from, stream.exporter.name, to: nil, stream.to, "stream", false) }
        for service in account.services {
            write(service.to, service.exporter.name, to: service.from, service.from, "service", service.share)
        }
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
