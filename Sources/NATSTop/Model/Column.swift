/// A column of a table; its raw value is the name that options and prompts take.
package enum Column: String, Sendable, CaseIterable {
    case host
    case cid
    case name
    case subs
    case pending
    case msgsTo = "msgs_to"
    case msgsFrom = "msgs_from"
    case bytesTo = "bytes_to"
    case bytesFrom = "bytes_from"
    case lang
    case version
    case uptime
    case lastActivity = "last_activity"
    case subscriptions
    case kind
    case account
    case user
    case rtt
    case idle
    case start
    case stalls
    case tls
    case stop
    case reason
    case configured
    case solicited
    case compression
    case connections = "conns"
    case leafNodes = "leafs"
    case slowConsumers = "slow"
    case subject
    case queueGroup = "queue"
    case sid
    case messages = "msgs"
    case maximum = "max"
    case state
    case cpu
    case memory = "mem"
    case inMessages = "in_msgs"
    case outMessages = "out_msgs"
    case inBytes = "in_bytes"
    case outBytes = "out_bytes"
    case routes

    /// Reads the name of a column, or one of the original's names of an order.
    package init?(named text: String) {
        let name = text.lowercased()
        switch name {
        case "last": self = .lastActivity
        default:
            guard let column = Column(rawValue: name) else { return nil }
            self = column
        }
    }

    /// What stands above the column.
    package func title(showsRates: Bool) -> String {
        switch self {
        case .msgsTo, .msgsFrom, .bytesTo, .bytesFrom, .messages:
            showsRates ? "\(self.rawValue.uppercased())/S" : self.rawValue.uppercased()
        // Of a server only what happens now is of interest.
        case .inMessages, .outMessages, .inBytes, .outBytes: "\(self.rawValue.uppercased())/S"
        default:
            self.rawValue.uppercased()
        }
    }

    /// The server's name of the order, where it has one that is valid for open connections.
    var serverSort: String? {
        switch self {
        case .cid, .subs, .pending, .idle, .start, .uptime, .rtt, .msgsTo, .msgsFrom, .bytesTo, .bytesFrom:
            self.rawValue
        case .lastActivity: "last"
        default: nil
        }
    }

    /// Whether the largest comes first where nobody asked for another order.
    package var isDescending: Bool {
        switch self {
        case .subs, .pending, .msgsTo, .msgsFrom, .bytesTo, .bytesFrom, .lastActivity, .rtt, .idle, .stalls, .stop,
            .connections, .leafNodes, .slowConsumers, .messages, .maximum, .cpu, .memory, .inMessages, .outMessages,
            .inBytes, .outBytes, .routes:
            true
        default:
            false
        }
    }

    /// The capital that sorts by the column.
    package var key: Character? {
        switch self {
        case .host: "H"
        case .cid: "C"
        case .name: "N"
        case .subs: "S"
        case .pending: "P"
        case .msgsTo: "M"
        case .msgsFrom: "F"
        case .bytesTo: "B"
        case .bytesFrom: "Y"
        case .lang: "G"
        case .version: "V"
        case .uptime: "T"
        case .lastActivity: "L"
        case .account: "A"
        case .user: "U"
        case .rtt: "R"
        case .idle: "I"
        case .kind: "K"
        case .stop: "X"
        case .reason: "E"
        case .subject: "J"
        case .queueGroup: "Q"
        // In views that have no other column of the letter.
        case .connections: "C"
        case .slowConsumers: "W"
        case .state: "E"
        case .cpu: "P"
        case .memory: "R"
        case .inMessages: "F"
        case .outMessages: "M"
        case .inBytes: "Y"
        case .outBytes: "B"
        case .routes: "O"
        default: nil
        }
    }

    /// Whether a part of a value says something: a number that is cut does not.
    var isText: Bool {
        switch self {
        case .host, .name, .lang, .version, .lastActivity, .subscriptions, .account, .user, .reason, .subject,
            .queueGroup, .start, .stop, .state:
            true
        default:
            false
        }
    }

    /// Whether it counts traffic.
    var isFigure: Bool {
        switch self {
        case .msgsTo, .msgsFrom, .bytesTo, .bytesFrom, .inMessages, .outMessages, .inBytes, .outBytes: true
        default: false
        }
    }

    /// The original's width.
    var fullWidth: Int {
        switch self {
        case .host: 15
        case .cid, .subs: 6
        case .lang, .version, .uptime: 7
        case .lastActivity, .start, .stop: 40
        case .pending, .msgsTo, .msgsFrom, .bytesTo, .bytesFrom: 10
        case .subscriptions: 13
        default: 0
        }
    }
}
