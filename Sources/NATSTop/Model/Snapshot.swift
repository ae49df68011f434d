/// What is known of a server: the last good answers, and what follows from those before.
package struct Snapshot: Sendable, Equatable {
    /// Whether the server answers.
    package enum Link: Sendable, Equatable {
        case connecting
        case up
        /// - Parameters:
        ///   - since: Our time of the first failure.
        ///   - problem: The last failure in one line.
        case lost(since: Duration, problem: String)
    }

    /// What a round of answers was of.
    enum Change: Sendable, Equatable {
        case none
        /// The server has begun anew: its counters and the numbers of its connections too.
        case restarted
        case anotherServer
    }

    package private(set) var link = Link.connecting
    /// Of the last answer; neutral values before the first one.
    package private(set) var server = ServerStatus()
    /// Of the whole server.
    package private(set) var rates = Rates()
    package private(set) var history = History()
    /// How often another life of the server answered.
    package private(set) var restarts = 0
    /// Pages that failed while the server was reached.
    package private(set) var problem = ""
    package private(set) var connections: [Row] = []
    package private(set) var connectionTotal: UInt64 = 0
    package private(set) var closed: [Row] = []
    package private(set) var closedTotal: UInt64 = 0
    package private(set) var routes: [Row] = []
    package private(set) var accounts: [Row] = []
    package private(set) var subscriptions: [Row] = []
    /// Of the cluster, the one that is shown included.
    package private(set) var servers: [Row] = []
    /// Whose subscriptions they are.
    package private(set) var subscriber: UInt64?
    package private(set) var subscriptionStatistics: Sample.SubscriptionStatistics?
    package private(set) var jetStream: JetStreamStatus?
    /// Of the last successful sample, by our clock.
    package private(set) var lastAnswer: Duration?

    private var moment: Moment?
    private var connectionBook = RateBook()
    private var routeBook = RateBook()
    private var accountBook = RateBook()
    private var subscriptionBook = RateBook()
    private var serverBook = ServerBook()

    package init() {}

    /// A new snapshot of another server of the same cluster.
    init(inClusterOf other: Snapshot) {
        self.servers = other.servers
        self.serverBook = other.serverBook
    }

    /// Takes one round of answers.
    ///
    /// - Parameters:
    ///   - sample: The answers.
    ///   - isElsewhere: Whether they come from another address than those before.
    ///   - now: Our time.
    ///   - took: How long the round took.
    ///   - idleSeconds: From which on a connection is idle.
    /// - Returns: Whether the server is another one than before.
    mutating func take(
        _ sample: Sample,
        isElsewhere: Bool,
        at now: Duration,
        took: Duration?,
        idleSeconds: Double
    ) -> Change {
        if let servers = sample.servers {
            self.servers = servers.map { Row(content: .server($0)) }
            self.serverBook.take(&self.servers, at: now, took: took)
        }
        guard let server = sample.server else {
            let problem = sample.problems.first ?? "no answer"
            if case .lost(let since, _) = self.link {
                self.link = .lost(since: since, problem: problem)
            } else {
                self.link = .lost(since: now, problem: problem)
            }
            self.rates = Rates()
            self.history.append(nil)
            return .none
        }
        let moment = Moment(serverTime: server.now, local: now, took: took)
        let change = self.moment == nil ? Change.none : Self.change(self.server, server, isElsewhere: isElsewhere)
        switch change {
        case .none: break
        case .restarted:
            self.restarts += 1
            self.forget()
        case .anotherServer:
            self.restarts = 0
            self.history = History()
            self.forget()
        }
        self.takeServer(server, at: moment)
        let slowBytes = self.slowBytes
        self.takeRows(sample) { book, rows, time in
            book.take(
                &rows,
                at: Moment(serverTime: time, local: now, took: took),
                slowBytes: slowBytes,
                idleSeconds: idleSeconds
            )
        }
        self.subscriptionStatistics = sample.subscriptionStatistics ?? self.subscriptionStatistics
        self.jetStream = sample.jetStream ?? self.jetStream
        self.problem = sample.problems.first ?? ""
        self.link = .up
        self.lastAnswer = now
        return change
    }

    private static func change(_ old: ServerStatus, _ new: ServerStatus, isElsewhere: Bool) -> Change {
        if new.id == old.id { return new.start == old.start ? .none : .restarted }
        // A server without name has another id in each life: only its address tells.
        if old.name.isEmpty || new.name.isEmpty { return isElsewhere ? .anotherServer : .restarted }
        return new.name == old.name ? .restarted : .anotherServer
    }

    /// Takes over what it has none of, pages that were not asked for before a pause, if they are of the same server.
    mutating func complete(from other: Snapshot) {
        if self.servers.isEmpty { self.servers = other.servers }
        guard self.server.id == other.server.id, self.server.start == other.server.start else { return }
        if self.closed.isEmpty { (self.closed, self.closedTotal) = (other.closed, other.closedTotal) }
        if self.routes.isEmpty { self.routes = other.routes }
        if self.accounts.isEmpty { self.accounts = other.accounts }
        if self.subscriber != other.subscriber {
            (self.subscriber, self.subscriptions) = (other.subscriber, other.subscriptions)
        }
        self.subscriptionStatistics = self.subscriptionStatistics ?? other.subscriptionStatistics
        self.jetStream = self.jetStream ?? other.jetStream
    }

    /// A sixteenth of what makes the server cut a client off.
    private var slowBytes: UInt64 {
        max(65_536, (self.server.maxPending == 0 ? 64 << 20 : self.server.maxPending) / 16)
    }

    private mutating func forget() {
        self.moment = nil
        self.connectionBook.forget()
        self.routeBook.forget()
        self.accountBook.forget()
        self.subscriptionBook.forget()
        (self.connections, self.closed, self.routes, self.accounts, self.subscriptions) = ([], [], [], [], [])
        (self.connectionTotal, self.closedTotal) = (0, 0)
        (self.subscriptionStatistics, self.jetStream) = (nil, nil)
    }

    private mutating func takeServer(_ server: ServerStatus, at moment: Moment) {
        var point = History.Point()
        if let old = self.moment {
            if let seconds = moment.seconds(since: old) {
                self.rates = Rates(from: self.server.counters, to: server.counters, seconds: seconds)
            }
            let (before, now) = (self.server.slowConsumers, server.slowConsumers)
            point.slowConsumers = now > before ? Double(now - before) : 0
        } else {
            self.rates = Rates()
        }
        point.rates = self.rates
        point.cpu = server.cpu
        point.memory = Double(server.memory)
        point.connections = Double(server.connections)
        self.history.append(point)
        self.server = server
        self.moment = moment
    }

    private mutating func takeRows(_ sample: Sample, fill: (inout RateBook, inout [Row], _ time: String) -> Void) {
        func rows(_ connections: [Connection]) -> [Row] {
            connections.map { Row(content: .connection($0)) }
        }
        if let list = sample.connections {
            self.connections = rows(list.connections)
            self.connectionTotal = list.total
            fill(&self.connectionBook, &self.connections, list.now)
        }
        if let list = sample.closed {
            self.closed = rows(list.connections)
            self.closedTotal = list.total
        }
        if let list = sample.routes {
            self.routes = rows(list.connections)
            fill(&self.routeBook, &self.routes, list.now)
        }
        if let list = sample.accounts {
            self.accounts = list.accounts.map { Row(content: .account($0)) }
            fill(&self.accountBook, &self.accounts, list.now)
        }
        if let list = sample.subscriptions {
            if list.connection != self.subscriber { self.subscriptionBook.forget() }
            self.subscriber = list.connection
            self.subscriptions = list.subscriptions.map { Row(content: .subscription($0)) }
            fill(&self.subscriptionBook, &self.subscriptions, list.now)
        }
    }
}
