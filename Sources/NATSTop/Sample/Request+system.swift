import NATSWire

/// The same pages as requests to the system account, whose options are those of the query.
extension Request {
    /// The subject that asks a server.
    package func systemSubject(server id: String) -> String {
        switch self {
        // Of one account; the name in the options makes one server answer.
        case .accounts: "$SYS.REQ.ACCOUNT.PING.STATZ"
        case .cluster: "$SYS.REQ.SERVER.PING.VARZ"
        default: "$SYS.REQ.SERVER.\(id).\(self.systemPage)"
        }
    }

    private var systemPage: String {
        switch self {
        case .server, .cluster: "VARZ"
        case .connections, .closed, .subscriptions: "CONNZ"
        case .routes: "ROUTEZ"
        case .accounts: "STATZ"
        case .accountNames: "ACCOUNTZ"
        case .subscriptionStatistics: "SUBSZ"
        case .jetStream: "JSZ"
        }
    }

    /// The options.
    ///
    /// - Parameter name: Of the server.
    /// - Returns: A JSON object.
    package func systemOptions(serverName name: String) -> [UInt8] {
        var writer = JSONDocumentWriter(indentation: nil)
        writer.object { writer in
            switch self {
            case .connections(let limit, let sort, let subscriptions, let identity):
                writer.write("limit", limit)
                if let sort { writer.write("sort", sort) }
                if subscriptions { writer.write("subscriptions", true) }
                if identity { writer.write("auth", true) }
            case .closed(let limit, let sort):
                writer.write("limit", limit)
                if let sort { writer.write("sort", sort) }
                // nats-server monitor.go ConnState.
                writer.write("state", 1)
                writer.write("auth", true)
            case .subscriptions(let connection):
                writer.write("cid", connection)
                writer.write("subscriptions_detail", true)
                writer.write("auth", true)
            case .accounts:
                writer.write("include_unused", true)
                writer.write("server_name", name)
                writer.write("exact_match", true)
            case .jetStream:
                writer.write("accounts", true)
            case .server, .routes, .accountNames, .subscriptionStatistics, .cluster:
                break
            }
        }
        return writer.bytes
    }
}

/// What a server answers to a request: the page, wrapped in who it is.
package struct SystemAnswer: Sendable {
    package enum Content: Sendable {
        case page(Page)
        case refusal(code: Int, text: String)
    }

    /// Of the server.
    package let id: String
    package let name: String
    package let content: Content

    /// Reads an answer; nil if it is none.
    package init?(_ bytes: [UInt8]) {
        guard let value = try? JSONValue.parse(bytes), case .object(let members) = value else { return nil }
        let object = LenientObject(value)
        self.id = object.object("server").text("id")
        self.name = object.object("server").text("name")
        let error = object.object("error")
        if !error.isEmpty {
            let code = Int(clamping: error.count("code"))
            self.content = .refusal(code: code, text: error.text("description"))
        } else if let page = members.last(where: { $0.key == "data" })?.value {
            self.content = .page(Page(page))
        } else {
            return nil
        }
    }
}
