/// What stands below the header.
package enum View: Int, Sendable, CaseIterable {
    case connections = 1
    case closed
    case routes
    case accounts
    case subscriptions
    case server
    case jetStream
    case graphs
    case cluster

    package var title: String {
        switch self {
        case .connections: "Connections"
        case .closed: "Closed"
        case .routes: "Routes"
        case .accounts: "Accounts"
        case .subscriptions: "Subscriptions"
        case .server: "Server"
        case .jetStream: "JetStream"
        case .graphs: "Graphs"
        case .cluster: "Cluster"
        }
    }

    /// What the rows are, above them.
    var heading: String {
        switch self {
        case .connections: "Connections Polled"
        case .closed: "Connections Closed"
        case .cluster: "Servers"
        default: self.title
        }
    }

    /// Columns that can be chosen, in the order in which they are shown unless another one is.
    package var columns: [Column] {
        self.defaultColumns + self.furtherColumns
    }

    package var isTable: Bool { !self.defaultColumns.isEmpty }

    package var defaultColumns: [Column] {
        switch self {
        case .connections:
            [
                .host, .cid, .name, .subs, .pending, .msgsTo, .msgsFrom, .bytesTo, .bytesFrom, .lang, .version, .uptime,
                .lastActivity,
            ]
        case .closed:
            [.host, .cid, .name, .reason, .uptime, .msgsTo, .msgsFrom, .bytesTo, .bytesFrom, .user, .account, .stop]
        case .routes:
            [
                .host, .cid, .name, .subs, .pending, .msgsTo, .msgsFrom, .bytesTo, .bytesFrom, .rtt, .uptime, .idle,
                .account, .configured, .compression,
            ]
        case .accounts:
            [.name, .connections, .leafNodes, .subs, .msgsTo, .msgsFrom, .bytesTo, .bytesFrom, .slowConsumers]
        case .subscriptions:
            [.subject, .queueGroup, .sid, .messages, .maximum]
        case .cluster:
            [
                .name, .state, .cpu, .memory, .connections, .subs, .slowConsumers, .inMessages, .outMessages, .inBytes,
                .outBytes, .routes, .version, .uptime,
            ]
        case .server, .jetStream, .graphs:
            []
        }
    }

    private var furtherColumns: [Column] {
        switch self {
        case .connections: [.subscriptions, .kind, .account, .user, .rtt, .idle, .start, .stalls, .tls]
        case .closed: [.subs, .pending, .lang, .version, .start, .lastActivity, .kind, .idle]
        case .routes: [.start, .lastActivity, .solicited]
        case .cluster: [.host, .leafNodes, .start]
        default: []
        }
    }

    /// The order of rows before somebody chooses another one.
    package var defaultSort: Column {
        switch self {
        case .closed: .stop
        case .accounts, .cluster: .name
        case .subscriptions: .subject
        default: .cid
        }
    }
}
