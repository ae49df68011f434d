import NATSWebSocket
import NIOCore

/// Everything that one event loop owns: its connections, match results, buffers, and the output staged in this tick.
///
/// `@unchecked Sendable`: every member but the `let`s is only touched on `eventLoop`.
final class ServerLoop: @unchecked Sendable {
    /// Sums over the connections of this loop, closed ones included.
    struct Totals {
        var traffic = TrafficStatistics()
        /// The part of it that came from other servers of the cluster, and went to them.
        var routed = TrafficStatistics()
        /// The part of it that came from leaf nodes and hubs, and went to them.
        var leafTraffic = TrafficStatistics()
        var slowConsumers = 0
        var stalls = 0
        var staleConnections = 0
        /// How many of those were routes.
        var slowRoutes = 0
        var staleRoutes = 0
        /// How many were connections of leaf nodes.
        var slowLeafs = 0
        var staleLeafs = 0

        static func += (left: inout Self, right: Self) {
            left.traffic += right.traffic
            left.routed += right.routed
            left.leafTraffic += right.leafTraffic
            left.slowConsumers += right.slowConsumers
            left.stalls += right.stalls
            left.staleConnections += right.staleConnections
            left.slowRoutes += right.slowRoutes
            left.staleRoutes += right.staleRoutes
            left.slowLeafs += right.slowLeafs
            left.staleLeafs += right.staleLeafs
        }

        /// Messages have come from another server of the cluster.
        mutating func routedIn(messages: Int, bytes: Int) {
            self.traffic.messagesIn &+= messages
            self.traffic.bytesIn &+= bytes
            self.routed.messagesIn &+= messages
            self.routed.bytesIn &+= bytes
        }

        /// Messages have gone to another server of the cluster.
        mutating func routedOut(messages: Int, bytes: Int) {
            self.traffic.messagesOut &+= messages
            self.traffic.bytesOut &+= bytes
            self.routed.messagesOut &+= messages
            self.routed.bytesOut &+= bytes
        }

        /// Messages have come from a leaf node, or the hub.
        mutating func leafIn(messages: Int, bytes: Int) {
            self.traffic.messagesIn &+= messages
            self.traffic.bytesIn &+= bytes
            self.leafTraffic.messagesIn &+= messages
            self.leafTraffic.bytesIn &+= bytes
        }

        /// Messages have gone to a leaf node, or the hub.
        mutating func leafOut(messages: Int, bytes: Int) {
            self.traffic.messagesOut &+= messages
            self.traffic.bytesOut &+= bytes
            self.leafTraffic.messagesOut &+= messages
            self.leafTraffic.bytesOut &+= bytes
        }
    }

    let eventLoop: any EventLoop
    let index: Int
    let shared: ServerShared
    let mailbox = LoopMailbox()
    var pool = OutputChunkPool()
    var totals = Totals()
    var random: FastRandom
    private(set) var settings: LoopSettings
    /// Set while a batch is delivered, if a target has fallen behind: the producer should pause.
    var producersShouldStall = false
    /// Set while the input of a client is handled: what it publishes is not delivered to those that have fallen behind.
    ///
    /// What comes from other servers or from this one is (nats-server client.go deliverMsg).
    var dropsForCongested = false
    /// When messages were last received on this loop: the time of what is delivered at the end of the tick.
    var lastBatch = NIODeadline.now()
    private(set) var connections: [UInt64: ClientConnection] = [:]
    private(set) var routes: [UInt64: RouteConnection] = [:]
    private(set) var leafs: [UInt64: LeafConnection] = [:]
    /// All loops of the server, in order of their index; set once before the first connection.
    var siblings: [ServerLoop] = []

    private static let goneConnectionsKept = 4096

    private var timers = LoopTimers()
    /// The only task that is set for ``timers``.
    private var timerTask: Scheduled<Void>?
    private var goneConnections = 0
    private var touched: ContiguousArray<Outlet> = []
    /// The other of two arrays that take turns.
    private var flushing: ContiguousArray<Outlet> = []
    private var flushIsScheduled = false
    /// Outlets to connections of other loops, by client id.
    private var remoteOutlets: [UInt64: Outlet] = [:]
    private var blocked: [UInt64: ServerConnection] = [:]
    private var sweepIsScheduled = false
    /// By account, made when the first connection comes.
    private var routers: [ObjectIdentifier: AccountRouter] = [:]
    private let cacheBudget = MatchCacheBudget()
    private var ownPublisher: ClientConnection?
    private lazy var calloutQueue = CalloutQueue(
        mostAtOnce: self.shared.mostCalloutsAtOnce,
        loopCount: self.siblings.count
    )
    /// Answers whose time is watched.
    var watchedResponses = 0
    /// For the compressed messages of WebSocket clients.
    let webSocketCoder = WebSocketCoder()
    /// How the message under way has come from account to account.
    var way: [ServiceStep] = []
    /// Whether it comes from another account.
    var isCrossing: Bool { !self.way.isEmpty }

    init(eventLoop: any EventLoop, index: Int, shared: ServerShared) {
        self.eventLoop = eventLoop
        self.index = index
        self.shared = shared
        self.settings = LoopSettings(shared.options)
        var generator = SystemRandomNumberGenerator()
        self.random = FastRandom(seed: generator.next())
        self.cacheBudget.onExceeded = { [unowned self] in
            // Not at once: a delivery may be under way with any of the results.
            self.eventLoop.execute { self.trimCaches() }
        }
    }

    /// Publishes the server's own messages on this loop; no client is behind it.
    var publisher: ClientConnection {
        if let publisher = self.ownPublisher { return publisher }
        let publisher = ClientConnection(id: 0, loop: self)
        self.ownPublisher = publisher
        return publisher
    }

    /// Asks an authorization service about somebody, once others who came before have been asked about.
    func askLater(_ ticket: CalloutTicket, _ turn: CalloutQueue.Turn) {
        self.calloutQueue.add(ticket, turn) { [weak self] in self?.calloutLeft() }
    }

    private func calloutLeft() {
        guard !self.shared.isEnding else { return }
        // Never at once: each that fails may begin the next.
        self.eventLoop.execute {
            self.calloutQueue.left { [weak self] in self?.calloutLeft() }
        }
    }

    // MARK: Accounts

    /// This loop's view of an account.
    func router(for account: Account) -> AccountRouter {
        if let router = self.routers[ObjectIdentifier(account)] { return router }
        let router = AccountRouter(account: account, budget: self.cacheBudget)
        self.routers[ObjectIdentifier(account)] = router
        return router
    }

    /// The view of an account, if any connection has needed it.
    func existingRouter(for account: Account) -> AccountRouter? { self.routers[ObjectIdentifier(account)] }

    var allRouters: [AccountRouter] { Array(self.routers.values) }

    /// Lets go of accounts that are no more; their connections have been closed.
    func forgetRouters(except accounts: [Account]) {
        let kept = Set(accounts.map(ObjectIdentifier.init))
        self.routers = self.routers.filter { kept.contains($0.key) }
    }

    /// Makes room among the match results of all accounts, the largest first.
    private func trimCaches() {
        defer { self.cacheBudget.trimmed() }
        let target = MatchCacheBudget.largestSize / 2
        for router in self.routers.values.sorted(by: { $0.cache.pointee.size > $1.cache.pointee.size }) {
            guard self.cacheBudget.size > target else { return }
            router.cache.pointee.evict(untilBelow: max(0, router.cache.pointee.size - (self.cacheBudget.size - target)))
        }
    }

    // MARK: Connections

    func add(_ connection: ClientConnection) { self.connections[connection.id] = connection }

    func add(_ peer: PeerConnection) {
        if let route = peer as? RouteConnection { self.routes[peer.id] = route }
        if let leaf = peer as? LeafConnection { self.leafs[peer.id] = leaf }
    }

    /// Connections to other servers.
    var peers: [PeerConnection] { Array(self.routes.values) + Array(self.leafs.values) }

    func remove(_ connection: ServerConnection) {
        let isKnown =
            switch connection.kind {
            case .client: self.connections.removeValue(forKey: connection.id) != nil
            case .route: self.routes.removeValue(forKey: connection.id) != nil
            case .leaf: self.leafs.removeValue(forKey: connection.id) != nil
            }
        guard isKnown else { return }
        self.blocked[connection.id] = nil
        self.releaseTimers()
        self.connectionGone()
        guard !self.shared.isEnding else { return }
        for sibling in self.siblings where sibling !== self {
            let id = connection.id
            sibling.eventLoop.execute {
                guard let outlet = sibling.remoteOutlets.removeValue(forKey: id) else { return }
                outlet.detach()
                sibling.connectionGone()
            }
        }
    }

    /// Match results keep what is left of a closed connection alive; every now and then those are thrown away.
    private func connectionGone() {
        self.goneConnections += 1
        guard self.goneConnections == Self.goneConnectionsKept, !self.shared.isEnding else { return }
        // Not at once: a delivery may be under way with such a result.
        self.eventLoop.execute {
            self.goneConnections = 0
            for router in self.routers.values { router.cache.pointee.evictDead() }
        }
    }

    /// A reload has changed the options.
    func apply(_ settings: LoopSettings) {
        self.settings = settings
        for connection in self.connections.values { connection.settingsChanged() }
        for peer in self.peers { peer.settingsChanged() }
    }

    // MARK: Timers

    /// Lets a connection's ``ClientConnection/timerFired(_:deadline:)`` be called at a time, if it is still there.
    func setTimer(_ kind: LoopTimers.Kind, for connection: UInt64, at deadline: NIODeadline) {
        self.timers.set(kind, for: connection, at: deadline)
        self.scheduleTimers()
    }

    private func connection(_ id: UInt64) -> ServerConnection? {
        self.connections[id] ?? self.routes[id] ?? self.leafs[id]
    }

    private func scheduleTimers() {
        guard let next = self.timers.nextToSchedule() else { return }
        // One that was set for later would stay in the event loop until then, and so would its successors.
        self.timerTask?.cancel()
        self.timerTask = self.eventLoop.scheduleTask(deadline: next) {
            self.timerTask = nil
            while let due = self.timers.popDue(now: .now()) {
                self.connection(due.connection)?.timerFired(due.kind, deadline: due.deadline)
            }
            self.timers.scheduledFired(next)
            self.scheduleTimers()
        }
    }

    private func releaseTimers() {
        let remaining = self.connections.count + self.routes.count + self.leafs.count
        self.timers.connectionEnded(remaining: remaining) { self.connection($0) != nil }
        guard self.timers.count == 0, let task = self.timerTask else { return }
        task.cancel()
        self.timerTask = nil
        self.timers.taskCancelled()
    }

    /// Timers that are set, with some of past connections.
    var timerCount: Int { self.timers.count }

    /// The staging area of this loop for a connection, wherever that lives.
    func outlet(for connection: ServerConnection) -> Outlet {
        if connection.loop === self { return connection.outlet }
        if let outlet = self.remoteOutlets[connection.id] { return outlet }
        let outlet = Outlet(loop: self)
        outlet.attach(connection)
        self.remoteOutlets[connection.id] = outlet
        return outlet
    }

    // MARK: Output

    /// Something was staged for the first time in this tick.
    func touch(_ outlet: Outlet) {
        self.touched.append(outlet)
        guard !self.flushIsScheduled else { return }
        self.flushIsScheduled = true
        // Tasks run after all sockets that were ready in this tick have been read, so that one write per target carries
        // what all of them caused.
        self.eventLoop.execute { self.flush() }
    }

    private func flush() {
        self.flushIsScheduled = false
        guard !self.touched.isEmpty else { return }
        swap(&self.touched, &self.flushing)
        defer { self.flushing.removeAll(keepingCapacity: true) }
        // What goes to other loops is in their mailboxes before any PONG of this one leaves.
        if self.siblings.count > 1 {
            for outlet in self.flushing {
                guard let connection = outlet.connection, connection.loop !== self else { continue }
                let staged = outlet.takeStaged()
                if staged.last != nil { self.handOver(staged, to: connection) }
            }
        }
        for outlet in self.flushing {
            guard let connection = outlet.connection, connection.loop === self else { continue }
            connection.send(outlet.takeStaged(), now: self.lastBatch)
        }
    }

    /// Sends all that has been staged, without waiting for the end of the tick; not while a delivery is under way.
    func flushNow() { self.flush() }

    /// Sends at once what was staged, without waiting for the end of the tick.
    func send(_ staged: consuming Outlet.Staged, to connection: ServerConnection) {
        guard connection.loop === self else {
            self.handOver(staged, to: connection)
            return
        }
        // A PONG may be in it: what came before and goes to other loops has to be in their mailboxes first.
        if self.siblings.count > 1 {
            for outlet in self.touched {
                guard let target = outlet.connection, target.loop !== self else { continue }
                let staged = outlet.takeStaged(keepingTouched: true)
                if staged.last != nil { self.handOver(staged, to: target) }
            }
        }
        connection.send(staged, now: .now())
    }

    /// Calls `done`, on this loop, when every other loop has finished what it is delivering now, and its output has been sent.
    func afterOthersFlushed(_ done: @escaping @Sendable () -> Void) {
        let flushed = self.siblings.filter { $0 !== self }.map { sibling in
            sibling.eventLoop.submit { sibling.flush() }
        }
        EventLoopFuture.andAllComplete(flushed, on: self.eventLoop).whenComplete { _ in
            self.collectMail()
            done()
        }
    }

    private func handOver(_ staged: consuming Outlet.Staged, to connection: ServerConnection) {
        connection.backlog.change(by: staged.bytes)
        let target = connection.loop
        if target.mailbox.put(connection, staged) { target.eventLoop.execute { target.collectMail() } }
    }

    /// Sends what other loops have handed over.
    ///
    /// Called by a task, and before input is handled: a client that knows (by a PONG) that a message has been published must
    /// not get the answer to its own PING before that message.
    func collectMail() {
        guard self.mailbox.hasMail else { return }
        let now = NIODeadline.now()
        for (connection, staged) in self.mailbox.take() { connection.send(staged, isCounted: true, now: now) }
    }

    // MARK: Write deadlines

    /// For the monitoring pages.
    var stagedOutlets: Int { self.touched.count }
    var blockedConnections: Int { self.blocked.count }

    /// A connection's socket does not take all that it was given.
    func watch(_ connection: ServerConnection) {
        self.blocked[connection.id] = connection
        self.scheduleSweep()
    }

    private func scheduleSweep() {
        guard !self.sweepIsScheduled, !self.blocked.isEmpty else { return }
        self.sweepIsScheduled = true
        let deadline = self.settings.writeDeadline
        let period = TimeAmount.nanoseconds(max(10_000_000, min(250_000_000, deadline.nanoseconds / 4)))
        self.eventLoop.scheduleTask(in: period) {
            self.sweepIsScheduled = false
            let now = NIODeadline.now()
            for connection in Array(self.blocked.values) {
                switch connection.checkWriteDeadline(deadline, now: now) {
                case .flushed, .closed: self.blocked[connection.id] = nil
                case .blocked: break
                }
            }
            self.scheduleSweep()
        }
    }
}

/// xorshift64*: cheap and good enough to spread messages over the members of a queue group.
struct FastRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed | 1 }

    @inline(__always)
    mutating func next() -> UInt64 {
        self.state ^= self.state >> 12
        self.state ^= self.state << 25
        self.state ^= self.state >> 27
        return self.state &* 0x2545_f491_4f6c_dd1d
    }

    /// A number in `0..<bound`.
    @inline(__always)
    mutating func next(below bound: Int) -> Int {
        Int(truncatingIfNeeded: self.next().multipliedFullWidth(by: UInt64(truncatingIfNeeded: bound)).high)
    }
}

extension ServerLoop {
    /// Looks at every connection again after a reload of users and permissions.
    func reload(_ authenticator: Authenticator) {
        for connection in Array(self.connections.values) { connection.reload(authenticator) }
        for leaf in Array(self.leafs.values) {
            leaf.updateShadows()
            // Another account of the same name may come, or have come.
            let isStranded = leaf.isInAccount && self.shared.accounts[leaf.account.name] !== leaf.account
            if isStranded { leaf.close(.missingAccount) }
        }
        self.forgetRouters(except: self.shared.accounts.all)
    }

    /// Closes all connections of this loop, flushing what is queued, and waits until they are gone.
    ///
    /// - Returns: the final sums.
    func shutDown() async -> Totals {
        let closing = self.eventLoop.flatSubmit {
            let all: [ServerConnection] = Array(self.connections.values) + self.peers
            let futures = all.compactMap { $0.context?.channel.closeFuture }
            for connection in all { connection.close(.serverShutdown) }
            return EventLoopFuture.andAllComplete(futures, on: self.eventLoop).map { self.totals }
        }
        return (try? await closing.get()) ?? Totals()
    }

    /// Lets go of the other loops, which refer to each other; to be called when no loop runs any more.
    func dismantle() {
        self.siblings = []
        // It and its outlet refer to each other.
        self.ownPublisher?.outlet.detach()
        self.ownPublisher = nil
    }
}
