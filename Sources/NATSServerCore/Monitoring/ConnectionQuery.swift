import NIOCore

/// What `/connz` is asked for.
struct ConnectionQuery: Sendable {
    enum State: Sendable {
        case open
        case closed
        case all
    }

    /// The names are those of the `sort` parameter.
    enum Sort: String, Sendable, CaseIterable {
        case cid
        case start
        case subs
        case pending
        case outgoingMessages = "msgs_to"
        case incomingMessages = "msgs_from"
        case outgoingBytes = "bytes_to"
        case incomingBytes = "bytes_from"
        case last
        case idle
        case uptime
        case stop
        case reason
        case rtt
    }

    enum Subscriptions: Sendable {
        case none
        case subjects
        case detail
    }

    static let defaultLimit = 1024

    var sort: Sort = .cid
    var state: State = .open
    var subscriptions: Subscriptions = .none
    /// Shows users and accounts.
    var auth = false
    var offset = 0
    var limit = Self.defaultLimit
    /// Only this connection; 0 means all.
    var id: UInt64 = 0
    var user = ""
    var account = ""
    var mqttClient = ""
    /// Only connections with a subscription that may get messages of this subject, wildcards included.
    var filterSubject = ""

    // MARK: Order

    /// What a connection is sorted by, smallest first; the client id decides between equals.
    ///
    /// - Parameters:
    ///   - figures: The connection's numbers.
    ///   - stop: When the connection ended, if it has.
    ///   - now: The time of the question.
    /// - Returns: a number by which the connections sort.
    func sortKey(_ figures: ConnectionFigures, stop: NIODeadline? = nil, now: NIODeadline) -> Int64 {
        switch self.sort {
        case .cid, .start, .reason: 0
        case .subs: -Int64(figures.subscriptions)
        case .pending: -Int64(figures.pendingBytes)
        case .outgoingMessages: -Int64(figures.traffic.messagesOut)
        case .incomingMessages: -Int64(figures.traffic.messagesIn)
        case .outgoingBytes: -Int64(figures.traffic.bytesOut)
        case .incomingBytes: -Int64(figures.traffic.bytesIn)
        case .last: -Int64(truncatingIfNeeded: figures.lastActivity.uptimeNanoseconds)
        case .idle: Int64(truncatingIfNeeded: figures.lastActivity.uptimeNanoseconds)
        case .uptime: ((stop ?? now) - figures.start).nanoseconds
        case .stop: -Int64(truncatingIfNeeded: (stop ?? now).uptimeNanoseconds)
        case .rtt: -figures.roundTripNanoseconds
        }
    }

    /// Whether ``sortKey(_:stop:now:)`` looks at a connection's numbers.
    var needsFigures: Bool {
        switch self.sort {
        case .cid, .start, .reason: false
        default: true
        }
    }

    /// Whether ``accepts(user:)`` may leave connections out.
    var filters: Bool { !self.user.isEmpty || !self.mqttClient.isEmpty }

    /// Whether a connection is listed at all (nats-server monitor.go Connz).
    ///
    /// - Parameter user: The user that it has given.
    /// - Returns: `false` if it is left out.
    func accepts(user: String) -> Bool {
        (self.user.isEmpty || user == self.user) && self.mqttClient.isEmpty
    }

    /// The part of so many connections that is shown.
    func page(of count: Int) -> Range<Int> {
        let start = min(max(0, self.offset), count)
        return start..<start + min(self.limit, count - start)
    }
}
