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
                writer.write("name_tag", account.name)
                writer.object("sublist_stats") { $0.write(account.subscriptions) }
            }
        }
        return writer.bytes
    }

    /// The text for a name that nobody has.
    static func unknown(_ name: String) -> String { "Account \(name) does not exist" }
}
