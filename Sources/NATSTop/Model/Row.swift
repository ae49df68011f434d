/// A line of a table.
package struct Row: Sendable, Equatable {
    /// What a row is about, the same in each sample.
    package enum ID: Sendable, Hashable {
        case connection(UInt64)
        case account(String)
        case subscription(sid: String, subject: String)
        case server(String)
    }

    /// Apart from the row, which is moved about while rows are put in order.
    package indirect enum Content: Sendable, Equatable {
        case connection(Connection)
        case account(Account)
        case subscription(Subscription)
        case server(ClusterServer)
    }

    /// Why a row catches the eye.
    package enum Mark: Sendable, Equatable {
        /// Bytes pile up, or the client held up others.
        case slow
        case idle
        /// A server that does not answer.
        case lost
        /// A server that lives, and whose pages nobody has found.
        case withoutPages
    }

    package var content: Content
    package var rates = Rates()
    package var mark: Mark?

    package var id: ID {
        switch self.content {
        case .connection(let connection): .connection(connection.id)
        case .account(let account): .account(account.name)
        case .subscription(let subscription): .subscription(sid: subscription.sid, subject: subscription.subject)
        case .server(let server): .server(server.key)
        }
    }

    var counters: Counters {
        switch self.content {
        case .connection(let connection): return connection.counters
        case .account(let account): return account.counters
        case .subscription(let subscription):
            var counters = Counters()
            counters.outMessages = subscription.messages
            return counters
        case .server(let server): return server.status.counters
        }
    }

    /// Tells one life of an id from the next.
    var life: String {
        guard case .connection(let connection) = self.content else { return "" }
        return connection.start
    }
}

/// How numbers are shown.
package struct NumberStyle: Sendable, Equatable {
    package var isRaw = false
    package var showsRates = false
    package var hostNames: [String: String] = [:]

    package init() {}
}

// MARK: Cells

extension Row {
    /// What stands in a column.
    package func text(_ column: Column, style: NumberStyle) -> String {
        switch column {
        case .msgsTo, .messages:
            return style.showsRates ? Quantity.countRate(self.rates.outMessages) : self.count(\.outMessages, style)
        case .msgsFrom:
            return style.showsRates ? Quantity.countRate(self.rates.inMessages) : self.count(\.inMessages, style)
        case .bytesTo:
            return style.showsRates
                ? Quantity.byteRate(self.rates.outBytes, isRaw: style.isRaw)
                : Quantity.bytes(self.counters.outBytes, isRaw: style.isRaw)
        case .bytesFrom:
            return style.showsRates
                ? Quantity.byteRate(self.rates.inBytes, isRaw: style.isRaw)
                : Quantity.bytes(self.counters.inBytes, isRaw: style.isRaw)
        case .inMessages where self.hasFigures: return Quantity.countRate(self.rates.inMessages)
        case .outMessages where self.hasFigures: return Quantity.countRate(self.rates.outMessages)
        case .inBytes where self.hasFigures: return Quantity.byteRate(self.rates.inBytes, isRaw: style.isRaw)
        case .outBytes where self.hasFigures: return Quantity.byteRate(self.rates.outBytes, isRaw: style.isRaw)
        default:
            break
        }
        switch self.content {
        case .connection(let connection): return Self.text(connection, column, style)
        case .account(let account): return Self.text(account, column, style)
        case .subscription(let subscription): return Self.text(subscription, column, style)
        case .server(let server): return Self.text(server, column, style)
        }
    }

    /// Whether there is anything to show but that it is not there.
    var hasFigures: Bool {
        guard case .server(let server) = self.content else { return true }
        return server.isUp
    }

    private func count(_ counter: KeyPath<Counters, UInt64>, _ style: NumberStyle) -> String {
        Quantity.count(self.counters[keyPath: counter], isRaw: style.isRaw)
    }

    private static func text(_ connection: Connection, _ column: Column, _ style: NumberStyle) -> String {
        switch column {
        case .host: style.hostNames[connection.ip].map { "\($0):\(connection.port)" } ?? connection.address
        case .cid: String(connection.id)
        case .name: connection.name
        case .subs: Quantity.count(connection.subscriptionCount, isRaw: style.isRaw)
        case .pending: Quantity.count(connection.pending, isRaw: style.isRaw)
        case .lang: connection.lang
        case .version: connection.version
        case .uptime: connection.uptime
        case .lastActivity: ServerTime.goText(connection.lastActivity)
        case .subscriptions: connection.subjects.joined(separator: ", ")
        case .kind: connection.kind
        case .account: connection.account
        case .user: connection.user
        case .rtt: connection.rtt
        case .idle: connection.idle
        case .start: ServerTime.goText(connection.start)
        case .stalls: Quantity.count(connection.stalls, isRaw: style.isRaw)
        case .tls: connection.tlsVersion
        case .stop: ServerTime.goText(connection.stop)
        case .reason: connection.reason
        case .configured: connection.isConfigured ? "yes" : "no"
        case .solicited: connection.didSolicit ? "yes" : "no"
        case .compression: connection.compression
        default: ""
        }
    }

    private static func text(_ account: Account, _ column: Column, _ style: NumberStyle) -> String {
        switch column {
        case .name: account.name
        case .connections: Quantity.count(account.connections, isRaw: style.isRaw)
        case .leafNodes: Quantity.count(account.leafNodes, isRaw: style.isRaw)
        case .subs: Quantity.count(account.subscriptionCount, isRaw: style.isRaw)
        case .slowConsumers: Quantity.count(account.slowConsumers, isRaw: style.isRaw)
        default: ""
        }
    }

    private static func text(_ subscription: Subscription, _ column: Column, _ style: NumberStyle) -> String {
        switch column {
        case .subject: subscription.subject
        case .queueGroup: subscription.queueGroup
        case .sid: subscription.sid
        case .maximum: subscription.maximum == 0 ? "" : Quantity.count(subscription.maximum, isRaw: style.isRaw)
        default: ""
        }
    }
}

extension Row {
    private static func text(_ server: ClusterServer, _ column: Column, _ style: NumberStyle) -> String {
        let status = server.status
        switch column {
        case .name: return server.name
        case .host: return server.address
        case .state: return server.isUp ? "up" : server.problem
        case .version: return status.version
        default: break
        }
        // The figures of a server that does not answer are old.
        guard server.isUp else { return "" }
        return switch column {
        case .uptime: status.uptime
        case .cpu: "\(Quantity.oneDecimal(status.cpu))%"
        case .memory: Quantity.bytes(status.memory)
        case .connections: Quantity.count(status.connections, isRaw: style.isRaw)
        case .subs: Quantity.count(status.subscriptions, isRaw: style.isRaw)
        case .slowConsumers: Quantity.count(status.slowConsumers, isRaw: style.isRaw)
        case .routes: Quantity.count(status.routes, isRaw: style.isRaw)
        case .leafNodes: Quantity.count(status.leafNodes, isRaw: style.isRaw)
        case .start: ServerTime.goText(status.start)
        default: ""
        }
    }
}

// MARK: Order

extension Row {
    /// What rows are ordered by.
    enum SortValue: Comparable {
        case number(Double)
        case integer(UInt64)
        case text(String)
    }

    func sortValue(_ column: Column, showsRates: Bool) -> SortValue {
        switch column {
        case .msgsTo, .messages:
            return showsRates ? .number(self.rates.outMessages) : .integer(self.counters.outMessages)
        case .msgsFrom:
            return showsRates ? .number(self.rates.inMessages) : .integer(self.counters.inMessages)
        case .bytesTo:
            return showsRates ? .number(self.rates.outBytes) : .integer(self.counters.outBytes)
        case .bytesFrom:
            return showsRates ? .number(self.rates.inBytes) : .integer(self.counters.inBytes)
        case .inMessages: return .number(self.rates.inMessages)
        case .outMessages: return .number(self.rates.outMessages)
        case .inBytes: return .number(self.rates.inBytes)
        case .outBytes: return .number(self.rates.outBytes)
        default:
            break
        }
        switch (self.content, column) {
        case (.server(let server), _):
            return Self.sortValue(server.status, column) ?? .text(self.text(column, style: NumberStyle()).lowercased())
        case (.connection(let connection), .cid): return .integer(connection.id)
        case (.connection(let connection), .subs): return .integer(connection.subscriptionCount)
        case (.connection(let connection), .pending): return .integer(connection.pending)
        case (.connection(let connection), .stalls): return .integer(connection.stalls)
        case (.connection(let connection), .rtt): return .number(Duration.seconds(ofText: connection.rtt) ?? 0)
        case (.connection(let connection), .idle): return .number(Duration.seconds(ofText: connection.idle) ?? 0)
        case (.connection(let connection), .uptime): return .number(Duration.seconds(ofText: connection.uptime) ?? 0)
        case (.connection(let connection), .start): return Self.time(connection.start)
        case (.connection(let connection), .stop): return Self.time(connection.stop)
        case (.connection(let connection), .lastActivity): return Self.time(connection.lastActivity)
        case (.account(let account), .connections): return .integer(account.connections)
        case (.account(let account), .leafNodes): return .integer(account.leafNodes)
        case (.account(let account), .subs): return .integer(account.subscriptionCount)
        case (.account(let account), .slowConsumers): return .integer(account.slowConsumers)
        case (.subscription(let subscription), .maximum): return .integer(subscription.maximum)
        case (.subscription(let subscription), .sid):
            return UInt64(subscription.sid).map { .integer($0) } ?? .text(subscription.sid)
        default: return .text(self.text(column, style: NumberStyle()).lowercased())
        }
    }

    private static func sortValue(_ status: ServerStatus, _ column: Column) -> SortValue? {
        switch column {
        case .cpu: .number(status.cpu)
        case .memory: .integer(status.memory)
        case .connections: .integer(status.connections)
        case .subs: .integer(status.subscriptions)
        case .slowConsumers: .integer(status.slowConsumers)
        case .routes: .integer(status.routes)
        case .leafNodes: .integer(status.leafNodes)
        case .uptime: .number(Duration.seconds(ofText: status.uptime) ?? 0)
        case .start: Self.time(status.start)
        default: nil
        }
    }

    private static func time(_ text: String) -> SortValue {
        .number(ServerTime(text)?.duration.seconds ?? 0)
    }

    /// Rows in the order of a column; equal ones stay in the order of their ids.
    static func sorted(_ rows: [Row], by column: Column, isDescending: Bool, showsRates: Bool) -> [Row] {
        let keyed = rows.enumerated().map { ($0.offset, $0.element.sortValue(column, showsRates: showsRates)) }
        let ties = rows.map { $0.tie }
        let order = keyed.sorted { left, right in
            if left.1 != right.1 { return (left.1 < right.1) != isDescending }
            return ties[left.0] < ties[right.0]
        }
        return order.map { rows[$0.0] }
    }

    private var tie: SortValue {
        switch self.content {
        case .connection(let connection): .integer(connection.id)
        case .account(let account): .text(account.name)
        case .subscription(let subscription): .text(subscription.sid)
        case .server(let server): .text(server.key)
        }
    }
}
