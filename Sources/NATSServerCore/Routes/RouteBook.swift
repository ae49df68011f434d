internal import Logging
internal import NATSText
internal import NIOCore

/// Who a server is connected with, and what it does to be connected with every server of its cluster, once for each link.
///
/// Decides who is dialled and when, which of two connections is a duplicate, who is told of whom, which cluster name holds
/// and which client URLs are known. Events go in, actions come out; the owner performs them in their order. All `RouteBook`s
/// of a cluster, with official servers among them, come to the same result; the simulation in the tests shows it.
///
/// Performs no I/O, reads no clock, takes no lock; what is random comes from the seed.
struct RouteBook {
    /// Names a connection; chosen by the owner, never used twice.
    typealias ConnectionID = UInt64

    /// A connection from its first byte on.
    struct Connection {
        enum Phase: Equatable {
            case awaitingConnect
            case awaitingInfo
            case registered(since: NIODeadline)
            /// Another connection has the link; which of the two stays is not decided before the deadline.
            case rival(until: NIODeadline)
        }

        /// What it was dialled for; `nil` if it was accepted.
        let plan: RouteDialler.Plan?
        /// The peer's address, as the socket has it.
        let host: String
        var phase: Phase
        var link = RouteLink.slot(0)
        /// What the peer said of itself, once it has.
        var peer: RoutePeer?
        /// The peer sent `-ERR`.
        var hasError = false
        /// It is closed if it has not said who it is by then.
        var handshakeEnd: NIODeadline

        var isHandshaking: Bool { self.phase == .awaitingConnect || self.phase == .awaitingInfo }

        var isRival: Bool {
            if case .rival = self.phase { true } else { false }
        }
    }

    /// A server that is connected.
    struct Peer {
        var info: RoutePeer
        /// Grows with each peer.
        let serial: UInt64
        /// 0: one connection for everything.
        var poolSize = 0
        var links: [RouteLink: ConnectionID] = [:]
        var rivals: [RouteLink: ConnectionID] = [:]
        /// Accounts for which it wants no connection.
        var refused: Set<String> = []
        /// How it was found, if it was dialled; it is dialled again when all links are lost.
        var plan: RouteDialler.Plan?
        /// The connection of slot 0 has proven itself.
        var hasPonged = false
        /// The others have been told of it.
        var isMet = false
        /// The others have not been told of it a second time.
        var isNew = true
        /// It is on the list of those that clients are told of.
        var isAnnounced = false
        var allowance: GossipAllowance

        /// The connection for what belongs to no account.
        var main: ConnectionID? {
            self.links.filter { $0.key.isSlot }.min { $0.key < $1.key }?.value
        }
    }

    /// What is known of a route of the configuration.
    struct Configured {
        /// Who was found there last.
        var peerID: String?
        var isSelf = false
        /// The configuration does not name it any more.
        var isRemoved = false
    }

    var options: RouteBookOptions
    var connections: [ConnectionID: Connection] = [:]
    var peers: [String: Peer] = [:]
    var configured: [Configured]
    var dialler: RouteDialler
    /// What connections are in their handshake for.
    var handshaking: Set<RouteDialler.Purpose> = [] {
        didSet {
            self.dialler.newcomers = self.handshaking.reduce(0) { count, purpose in
                if case .implicit = purpose { count + 1 } else { count }
            }
        }
    }
    /// Accepted connections in their handshake.
    var handshakeCount = 0
    /// How many unknown addresses may still be dialled.
    var newcomers: GossipAllowance?
    var resting = RestingAddresses()
    var clientURLs = RemoteClientURLs()
    var webSocketURLs = RemoteClientURLs()
    /// When those that are new are told of a second time, and since when that is so.
    var secondRound: (due: NIODeadline, first: NIODeadline)?
    /// When links that are missing are opened, whoever's turn that was.
    var repair: NIODeadline?
    /// The peer whose missing links were tried last.
    var lastRepaired: UInt64 = 0
    var lastSerial: UInt64 = 0
    private var jitter: JitterSource
    private var actions: [RouteAction] = []

    /// A book with no connections.
    ///
    /// - Parameters:
    ///   - options: What stays the same until a reload.
    ///   - seed: From which the random parts of waits come.
    init(_ options: RouteBookOptions, seed: UInt64) {
        self.options = options
        self.configured = options.routes.map { Configured(isSelf: options.ownAddresses.contains($0)) }
        self.dialler = RouteDialler(options)
        self.jitter = JitterSource(seed: seed)
    }

    // MARK: What others want to know

    /// When ``timePassed(now:)`` has to be called, if nothing else happens before.
    var nextDeadline: NIODeadline? {
        let connections = self.connections.values.lazy.compactMap { connection -> NIODeadline? in
            switch connection.phase {
            case .rival(let deadline): deadline
            case .awaitingConnect, .awaitingInfo: connection.handshakeEnd
            case .registered: nil
            }
        }
        return [connections.min(), self.secondRound?.due, self.repair, self.dialler.nextDeadline].compactMap { $0 }
            .min()
    }

    /// Whether every peer has all the connections that it is to have.
    var isComplete: Bool {
        self.peers.values.allSatisfy { self.missingLinks(of: $0).isEmpty }
    }

    /// The connection that carries an account to a peer; `nil` while there is none.
    func connection(to peerID: String, for account: String) -> ConnectionID? {
        guard let peer = self.peers[peerID] else { return nil }
        guard peer.poolSize > 0 else { return peer.links[.slot(0)] }
        if self.options.accounts.contains(account), !peer.refused.contains(account) {
            return peer.links[.account(account)]
        }
        return peer.links[.slot(RoutePool.slot(of: account, size: self.options.poolSize))]
    }

    // MARK: Events

    /// The server has begun to listen: configured routes are dialled.
    mutating func started(now: NIODeadline) -> [RouteAction] {
        for index in self.configured.indices {
            self.planConfigured(index, at: now, isReconnect: false)
        }
        return self.finish(now: now)
    }

    /// Time has passed.
    mutating func timePassed(now: NIODeadline) -> [RouteAction] {
        let rivals = self.connections.filter { _, connection in
            if case .rival(let deadline) = connection.phase { deadline <= now } else { false }
        }
        for id in rivals.keys.sorted() { self.decideForRival(id, now: now) }
        let silent = self.connections.filter { $0.value.isHandshaking && $0.value.handshakeEnd <= now }
        for (id, connection) in silent.sorted(by: { $0.key < $1.key }) {
            self.close(id, .authenticationTimeout, text: connection.plan == nil ? "Authentication Timeout" : nil)
            self.handshakeFailed(connection, now: now)
        }
        self.startSecondRound(now: now)
        self.startRepair(now: now)
        return self.finish(now: now)
    }

    /// A server (or anybody else) has connected; its TLS handshake is over, if there is one.
    mutating func accepted(_ id: ConnectionID, from host: String, now: NIODeadline) -> [RouteAction] {
        guard self.handshakeCount < self.options.limits.handshakes else {
            self.act(.close(id, .maxConnectionsExceeded, text: nil))
            return self.finish(now: now)
        }
        let end = now + self.options.limits.handshakeTime
        self.connections[id] = Connection(plan: nil, host: host, phase: .awaitingConnect, handshakeEnd: end)
        self.handshakeCount += 1
        // The dialler says nothing beyond CONNECT before it has seen this.
        self.act(.sendInfo(id, link: .slot(0), gossipMode: .normal))
        return self.finish(now: now)
    }

    /// A dial has succeeded; the TLS handshake is over, if there is one.
    mutating func dialled(_ number: UInt64, as id: ConnectionID, at host: String, now: NIODeadline) -> [RouteAction] {
        if let plan = self.dialler.ended(number), self.isNeeded(plan) {
            let end = now + self.options.limits.handshakeTime
            self.connections[id] = Connection(plan: plan, host: host, phase: .awaitingInfo, handshakeEnd: end)
            self.handshaking.insert(plan.purpose)
            self.act(.sendConnect(id))
        } else {
            self.act(.close(id, .clientClosed, text: nil))
        }
        return self.finish(now: now)
    }

    /// A dial has failed.
    mutating func dialFailed(_ number: UInt64, _ error: String, now: NIODeadline) -> [RouteAction] {
        if let plan = self.dialler.ended(number) { self.attemptFailed(plan, error, now: now) }
        return self.finish(now: now)
    }

    /// A peer answered a PING.
    mutating func ponged(_ id: ConnectionID, now: NIODeadline) -> [RouteAction] {
        if let connection = self.connections[id], let peerID = connection.peer?.id,
            self.peers[peerID]?.links[connection.link] == id
        {
            if connection.link == .slot(0) { self.peers[peerID]?.hasPonged = true }
            self.dropProbingRival(of: peerID, connection.link, now: now)
            self.openMissingLinks(to: peerID, now: now)
        }
        return self.finish(now: now)
    }

    /// A peer sent `-ERR`; it will close the connection.
    mutating func errorReceived(_ id: ConnectionID) { self.connections[id]?.hasError = true }

    /// A connection has ended that was not closed by an action.
    mutating func closed(_ id: ConnectionID, now: NIODeadline) -> [RouteAction] {
        if let connection = self.remove(id) { self.lost(connection, id, now: now) }
        return self.finish(now: now)
    }

    // MARK: Within

    mutating func act(_ action: RouteAction) { self.actions.append(action) }

    mutating func log(_ level: Logger.Level, _ text: String, about id: ConnectionID? = nil) {
        self.actions.append(.log(level, text, about: id))
    }

    /// A text of a peer's for a log line.
    func quote(_ text: String) -> String { GoString.quoted(Array(text.utf8)) }

    /// Some time of up to a tenth of a second, so that two servers that dial each other do not go on doing so.
    mutating func randomDelay() -> TimeAmount { self.jitter.next() }

    /// Ends an event: what it made due is dialled.
    mutating func finish(now: NIODeadline) -> [RouteAction] {
        self.startDials(now: now)
        defer { self.actions = [] }
        return self.actions
    }

    /// Takes a connection out of the book.
    mutating func remove(_ id: ConnectionID) -> Connection? {
        guard let connection = self.connections.removeValue(forKey: id) else { return nil }
        if connection.isHandshaking { self.endHandshake(of: connection) }
        return connection
    }

    mutating func endHandshake(of connection: Connection) {
        if let purpose = connection.plan?.purpose { self.handshaking.remove(purpose) } else { self.handshakeCount -= 1 }
    }

    /// Ends a connection that has no link.
    mutating func close(_ id: ConnectionID, _ reason: ClosedReason, text: String? = nil) {
        _ = self.remove(id)
        self.act(.close(id, reason, text: text))
    }
}

/// Random delays below a tenth of a second, from a seed.
private struct JitterSource {
    private static let below: UInt64 = 100_000_000

    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> TimeAmount {
        // One step of a linear congruential generator; its high bits are the good ones.
        self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return .nanoseconds(Int64((self.state >> 33) % Self.below))
    }
}
