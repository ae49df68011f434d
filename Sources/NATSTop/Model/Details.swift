/// The views that are no tables, as labels and values.
enum Details {
    /// One line; without a value it is a heading.
    struct Line: Sendable, Equatable {
        var label: String
        var value: String

        init(_ label: String, _ value: String = "") {
            self.label = label
            self.value = value
        }
    }

    static func lines(of model: Model) -> [Line] {
        switch model.view {
        case .server: return self.server(model.snapshot)
        case .jetStream: return self.jetStream(model.snapshot, isRaw: model.settings.isRaw)
        default: return []
        }
    }

    private static func server(_ snapshot: Snapshot) -> [Line] {
        let server = snapshot.server
        func listed(_ texts: [String]) -> String { texts.joined(separator: ", ") }
        func limit(_ value: UInt64) -> String { value == 0 ? "" : " of \(value)" }
        var lines = [
            Line("Name", server.name.isEmpty ? server.id : server.name),
            Line("ID", server.id),
            Line("Version", "\(server.version)  \(server.gitCommit)  \(server.goVersion)"),
            Line("Clients at", "\(server.host):\(server.port)"),
            Line("Start", ServerTime.goText(server.start)),
            Line("Configured", ServerTime.goText(server.configLoadTime)),
            Line(
                "Connections",
                "\(server.connections)\(limit(server.maxConnections)), \(server.totalConnections) ever"
            ),
            Line("Leaf nodes", String(server.leafNodes)),
            Line("Subscriptions", String(server.subscriptions)),
            Line(
                "Trouble",
                "\(server.slowConsumers) slow, \(server.staleConnections) stale, \(server.stalledClients) stalled"
            ),
            Line("Cores", String(server.cores)),
            Line("Max payload", Quantity.bytes(server.maxPayload)),
            Line("Max pending", Quantity.bytes(server.maxPending)),
            Line("Security", "auth \(server.authRequired ? "yes" : "no"), TLS \(server.tlsRequired ? "yes" : "no")"),
            Line("System", server.systemAccount),
            Line("Cluster", server.cluster),
            Line("Routes", "\(server.routes) to \(server.remotes) servers"),
            Line("Route URLs", listed(server.clusterURLs)),
            Line("Client URLs", listed(server.connectURLs)),
            Line("Tags", listed(server.tags)),
            Line("Restarts", "\(snapshot.restarts) seen"),
        ]
        if let statistics = snapshot.subscriptionStatistics {
            lines += [
                Line("Index", "\(statistics.subscriptions) subscriptions, \(statistics.cached) cached"),
                Line(
                    "Matches",
                    "\(statistics.matches), \(Quantity.oneDecimal(statistics.hitRate * 100))% from the cache"
                ),
                Line(
                    "Fanout",
                    "\(Quantity.oneDecimal(statistics.averageFanout)) average, \(statistics.maximumFanout) highest"
                ),
            ]
        }
        return lines.filter { !$0.value.isEmpty }
    }

    private static func jetStream(_ snapshot: Snapshot, isRaw: Bool) -> [Line] {
        guard let status = snapshot.jetStream ?? snapshot.server.jetStream, status.isEnabled else {
            return [Line("JetStream is not enabled")]
        }
        func use(_ value: UInt64, _ limit: UInt64) -> String {
            let text = Quantity.bytes(value, isRaw: isRaw)
            // Without limit the server tells the largest number.
            return limit == 0 || limit > 1 << 62 ? text : "\(text) of \(Quantity.bytes(limit, isRaw: isRaw))"
        }
        func count(_ value: UInt64) -> String { Quantity.count(value, isRaw: isRaw) }
        var lines = [
            Line("Memory", use(status.memory, status.maxMemory)),
            Line("Storage", use(status.storage, status.maxStorage)),
            Line("Directory", status.storeDirectory),
            Line("Domain", status.domain),
            Line("Accounts", count(status.accounts)),
            Line("API", "\(count(status.calls)) calls, \(count(status.callErrors)) errors"),
            Line("Streams", status.streams.map(count) ?? ""),
            Line("Consumers", status.consumers.map(count) ?? ""),
            Line("Messages", status.messages.map(count) ?? ""),
            Line("Bytes", status.bytes.map { Quantity.bytes($0, isRaw: isRaw) } ?? ""),
            Line("Leader", status.leader),
            Line("Cluster size", status.clusterSize == 0 ? "" : String(status.clusterSize)),
        ].filter { !$0.value.isEmpty }
        for account in status.accountDetails {
            lines.append(
                Line(
                    "Account",
                    "\(account.name): \(Quantity.bytes(account.memory, isRaw: isRaw)) memory, "
                        + "\(Quantity.bytes(account.storage, isRaw: isRaw)) storage, \(count(account.calls)) calls"
                )
            )
        }
        return lines
    }

    static func help(_ view: View) -> [Line] {
        var capitals: [Line] = []
        for column in view.columns {
            guard let key = column.key else { continue }
            let text = "\(key) \(column.rawValue)"
            if let last = capitals.last, last.value.count + text.count < 60 {
                capitals[capitals.count - 1].value += ", \(text)"
            } else {
                capitals.append(Line(capitals.isEmpty ? "sort by" : "", text))
            }
        }
        return [
            Line("1 to 9, Tab", "connections, closed ones, routes, accounts, subscriptions,"),
            Line("", "server, JetStream, graphs of the last minutes, cluster"),
            Line("arrows", "select a row, scroll columns; j k, page keys, Home, End"),
            Line("Enter", "subscriptions of a connection, connections of an account,"),
            Line("", "another server of the cluster"),
            Line("Esc", "back; ends a filter"),
            Line("o", "sort by a column; -name largest first, +name smallest first"),
        ] + capitals + [
            Line("< > r", "sort by the column before or behind; turn round"),
            Line("n", "how many connections to ask for"),
            Line("f or /", "filter: words, each may begin with name: subject: account:"),
            Line("", "user: ip: cid: kind: lang: reason: and ! for what not to show"),
            Line("c", "columns and their order: host,cid or +account,-lang"),
            Line("s d b", "subscriptions, host names, plain numbers"),
            Line("space", "rates of each second in place of totals"),
            Line("p", "pause"),
            Line("? or h", "this help; arrows scroll, any other key returns"),
            Line("q", "quit"),
            Line("! ~ ?", "marks: slow (or lost), idle, a server without pages"),
        ]
    }
}
