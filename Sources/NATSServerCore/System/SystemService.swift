import NATSWire
import NIOConcurrencyHelpers
import NIOCore

/// Speaks for the server in the system account: tells what happens, and answers questions (nats-server events.go).
///
/// Events and requests each have a queue, so each come in order; `$SYS.REQ.SERVER.PING` and STATSZ have one of their own,
/// so that a server tells how it is though long lists are asked of it. What other servers tell does not wait for either.
final class SystemService: Sendable {
    /// What only changes within the service.
    struct State {
        var ids = NUID()
        var sampler = ProcessorSampler()
        var pacer = StatisticsPacer()
        var statisticsTimer: Scheduled<Void>?
        /// By the names of accounts.
        var beats = BeatSchedule<String>()
        var beatTimer: Scheduled<Void>?
        /// Accounts whose number of clients is told when its turn comes, whatever it is then.
        var unsettled: Set<ObjectIdentifier> = []
        var hasEnded = false
    }

    let shared: ServerShared
    let account: Account
    let source: MonitoringSource
    let block: ServerBlock
    let client: InternalClient
    /// The monitoring pages, if they are served.
    let httpRequests: @Sendable () -> EventLoopFuture<[String: UInt64]>?
    /// Loads the configuration again; returns why not.
    let reload: @Sendable () async -> String?
    /// Where pages are put together.
    let pageThread = PageThread()
    let events: InternalQueue
    let pages: InternalQueue
    /// What other servers tell.
    let news: InternalQueue
    /// The other servers that are heard of.
    let tracking = NIOLockedValueBox(RemoteServers())
    let subscriberCounts: SubscriberCounts
    let latencies = RemoteLatencies()
    private let pings: InternalQueue
    private let state = NIOLockedValueBox(State())

    /// - Parameters:
    ///   - account: The system account.
    ///   - shared: What the connections share.
    ///   - source: Where the figures come from.
    ///   - httpRequests: How often each monitoring page was asked for; `nil` if there are none.
    ///   - reload: Loads the configuration again; returns why not.
    init(
        account: Account,
        shared: ServerShared,
        source: MonitoringSource,
        httpRequests: @escaping @Sendable () -> EventLoopFuture<[String: UInt64]>?,
        reload: @escaping @Sendable () async -> String?
    ) {
        self.account = account
        self.shared = shared
        self.source = source
        self.block = ServerBlock(shared: shared)
        self.client = shared.internalClient
        self.httpRequests = httpRequests
        self.reload = reload
        self.events = self.client.makeQueue(QueueLosses("events", logger: shared.logger))
        let losses = QueueLosses("requests", logger: shared.logger)
        self.pages = self.client.makeQueue(losses)
        self.pings = self.client.makeQueue(losses)
        self.news = self.client.makeQueue(QueueLosses("news of other servers", logger: shared.logger))
        let inboxes = SystemSubjects.inboxes(Self.hash(of: shared.serverName)).dropLast()
        self.subscriberCounts = SubscriberCounts(prefix: Array(inboxes.utf8))
    }

    /// The event loop where requests come in, and where what is quickly made is made.
    var eventLoop: (any EventLoop)? { self.shared.loops.all.first?.eventLoop }

    // MARK: Life

    /// Begins to listen and to tell; when the loops run.
    func start() {
        self.listen()
        self.scheduleStatistics(in: StatisticsPacer.firstInterval)
        if self.shared.routes != nil { self.scheduleSweep() }
    }

    /// Tells that the server ends, and nothing any more.
    ///
    /// What was told before is on its way to the clients when it returns.
    func stop() async {
        let timers = self.state.withLockedValue { state in
            state.hasEnded = true
            return [state.statisticsTimer, state.beatTimer]
        }
        for timer in timers { timer?.cancel() }
        await self.events.end(discarding: false)
        await self.tell("SHUTDOWN")
        await self.client.endQueues()
        self.subscriberCounts.end()
        await self.pageThread.end()
    }

    /// Tells something about the whole server, at once: `SHUTDOWN`, `LAMEDUCK`.
    func tell(_ name: String) async {
        let subject = SystemSubjects.event(of: self.shared.identity.id, name)
        let message = InternalMessage(subject, payload: SystemEvents.server(self.block))
        await self.client.publishAndFlush([message], in: self.account)
    }

    // MARK: Messages

    /// What an event begins with.
    func head(_ type: SystemEvents.Schema) -> SystemEvents.Head {
        let id = self.state.withLockedValue { $0.ids.next() }
        return SystemEvents.Head(type: type, id: id, time: self.shared.clock.wallNanoseconds(.now()))
    }

    /// Publishes something in its turn.
    ///
    /// - Parameters:
    ///   - subject: The subject.
    ///   - account: The account; the system account if `nil`.
    ///   - size: About how many bytes are kept until then.
    ///   - make: Makes the payload.
    func publish(
        _ subject: String,
        in account: Account? = nil,
        size: Int = 256,
        _ make: @escaping @Sendable (ServerBlock) -> [UInt8]
    ) {
        guard !self.state.withLockedValue({ $0.hasEnded }) else { return }
        // Who comes and goes without end shall not keep anything else from being told.
        self.events.put(InternalMessage(subject, payload: Array(repeating: 0, count: size)), share: 0.5) { _ in
            self.client.publish(InternalMessage(subject, payload: make(self.block)), in: account ?? self.account)
            return nil
        }
    }

    /// Whether anybody would get an event.
    func isWanted(_ subject: String, in account: Account? = nil) -> Bool {
        self.client.hasInterest(in: Array(subject.utf8), of: account ?? self.account)
    }

    // MARK: Connections of accounts

    /// A client has come to an account, or has left it.
    ///
    /// - Parameters:
    ///   - account: The account.
    ///   - connections: How many it has now.
    func connectionsChanged(of account: Account, connections: Int) {
        // nats-server events.go accConnsUpdate: not for `$G`.
        guard account !== self.shared.accounts.global, !self.state.withLockedValue({ $0.hasEnded }) else { return }
        self.setBeat(of: account)
        guard !self.wantedSubjects(of: account).isEmpty else { return }
        let message = InternalMessage(SystemSubjects.serverConnections(account.name))
        guard self.events.isCongested else {
            self.events.put(message) { _ in self.tellConnections(of: account, connections) }
            return
        }
        // Clients come and go faster than it can be told: only the last number of each account.
        let id = ObjectIdentifier(account)
        guard self.state.withLockedValue({ $0.unsettled.insert(id).inserted }) else { return }
        let pressure = self.events.put(message) { _ in
            self.state.withLockedValue { _ = $0.unsettled.remove(id) }
            return self.tellConnections(of: account, account.connectionCount)
        }
        if pressure == .full { self.state.withLockedValue { _ = $0.unsettled.remove(id) } }
    }

    private func tellConnections(of account: Account, _ connections: Int) -> EventLoopFuture<Void>? {
        self.tellConnections(of: account, connections, to: self.wantedSubjects(of: account))
    }

    /// Where the figures of an account go unasked, if anybody listens.
    private func wantedSubjects(of account: Account) -> [String] {
        let subjects = [
            SystemSubjects.oldServerConnections(account.name), SystemSubjects.serverConnections(account.name),
        ]
        return subjects.filter { self.isWanted($0) }
    }

    /// Sends an account's figures somewhere.
    func tellConnections(of account: Account, _ connections: Int, to subjects: [String]) -> EventLoopFuture<Void>? {
        guard !subjects.isEmpty, let eventLoop = self.eventLoop else { return nil }
        let head = self.head(.accountConnections)
        return self.source.traffic(of: account, on: eventLoop).map { snapshot in
            var snapshot = snapshot
            snapshot.connections = connections
            for subject in subjects {
                let payload = SystemEvents.accountConnections(head, self.block, snapshot)
                self.client.publish(InternalMessage(subject, payload: payload), in: self.account)
            }
        }
    }

    private func setBeat(of account: Account) {
        self.state.withLockedValue { state in
            // Counted here, so that the last one to come here knows what holds.
            state.beats.told(account.name, hasConnections: account.isInUse, now: .now())
        }
        self.scheduleBeat()
    }

    /// One timer for the earliest of all.
    private func scheduleBeat() {
        guard let eventLoop = self.eventLoop else { return }
        self.state.withLockedValue { state in
            guard !state.hasEnded, let next = state.beats.nextToSchedule() else { return }
            state.beatTimer = eventLoop.scheduleTask(deadline: next) { self.beat() }
        }
    }

    private func beat() {
        let due = self.state.withLockedValue { $0.beats.takeDue(now: .now()) }
        for account in due.compactMap({ self.shared.accounts[$0] }) {
            self.connectionsChanged(of: account, connections: account.connectionCount)
        }
        self.scheduleBeat()
    }

    // MARK: Statistics

    private func scheduleStatistics(in time: TimeAmount) {
        guard let eventLoop = self.eventLoop else { return }
        self.state.withLockedValue { state in
            state.statisticsTimer?.cancel()
            guard !state.hasEnded else { return }
            state.statisticsTimer = eventLoop.scheduleTask(in: time) {
                let interval = self.state.withLockedValue { state in
                    state.pacer.beat()
                    return state.pacer.interval
                }
                self.scheduleStatistics(in: interval)
                self.broadcastStatistics()
            }
        }
    }

    /// Somebody wants the figures on the common subject.
    func requestBroadcast() -> EventLoopFuture<Void>? {
        self.state.withLockedValue { $0.pacer.forgive() }
        return self.sendBroadcast()
    }

    func broadcastStatistics() {
        self.pings.put(InternalMessage(SystemSubjects.event(of: self.shared.identity.id, "STATSZ"))) { _ in
            self.sendBroadcast()
        }
    }

    private func sendBroadcast() -> EventLoopFuture<Void>? {
        let now = NIODeadline.now()
        let retry = self.state.withLockedValue { $0.pacer.limit(now: now) }
        if let retry {
            self.scheduleStatistics(in: max(.zero, retry - now))
            return nil
        }
        return self.sendStatistics(to: Array(SystemSubjects.event(of: self.shared.identity.id, "STATSZ").utf8))
    }

    /// Sends the figures to a subject, if anybody listens.
    func sendStatistics(to subject: [UInt8]) -> EventLoopFuture<Void>? {
        guard self.client.hasInterest(in: subject, of: self.account), let eventLoop = self.eventLoop else { return nil }
        let routes = self.source.routes(listing: false, on: eventLoop)
        return self.source.server(on: eventLoop).and(routes).map { snapshot, routes in
            var snapshot = snapshot
            snapshot.usage = self.usage
            var event = ServerStatisticsEvent(snapshot: snapshot, routes: routes)
            event.activeAccounts = self.shared.accounts.all.count { $0.isInUse || $0 === self.account }
            event.activeServers = self.tracking.withLockedValue { $0.count } + 1
            let document = event.json(self.block)
            self.client.publish(InternalMessage(to: subject, payload: document), in: self.account)
        }
    }

    /// What the process takes, now.
    var usage: ProcessUsage {
        let percent = self.state.withLockedValue { state in
            state.sampler.sample(SystemUsage.processorNanoseconds(), now: .now())
            return state.sampler.percent
        }
        let memory = SystemUsage.memory()
        return ProcessUsage(
            residentMemory: memory.resident,
            virtualMemory: memory.virtual,
            processorPercent: percent
        )
    }

    // MARK: Subscriptions

    /// Answers requests one after the other.
    func answer(
        _ subject: String,
        isPing: Bool = false,
        _ handler: @escaping @Sendable (InternalMessage) -> EventLoopFuture<Void>?
    ) {
        self.client.subscribe(subject, in: self.account, .queued(isPing ? self.pings : self.pages, handler))
    }
}
