import Logging
import NATSWire
import NIOConcurrencyHelpers
import NIOCore
import Synchronization

/// The inner half of a client: connects, reconnects, and joins the outgoing buffer, the subscriptions and the requests
/// to the connection of the moment.
///
/// Decisions come from the state machines; this class carries them out. `@unchecked Sendable`: the variables below the
/// mark are touched only on `eventLoop`, everything above is constant and safe by itself.
final class ConnectionCore: @unchecked Sendable {
    enum Phase {
        /// Looking for a server; `isFirst` until the client has been connected once.
        case connecting(isFirst: Bool)
        case connected
        case closed
    }

    /// What any thread may ask for.
    struct Status {
        var serverInfo: NATSServerInfo?
        var lastError: NATSError?
        var isConnected = false
        var isReconnecting = false
        var isDraining = false
        var isClosed = false
        var pool: [ServerPool.Server] = []
    }

    let configuration: NATSClientConfiguration
    let eventLoop: any EventLoop
    let logger: Logger?
    let taskExecutor: NATSTaskExecutor
    let outbound: OutboundBuffer
    let requests: RequestCenter
    let events = EventHub()
    let status = NIOLockedValueBox(Status())
    let nuid = NIOLockedValueBox(NUID())
    let messagesIn = Atomic<UInt64>(0)
    let bytesIn = Atomic<UInt64>(0)
    let socketBytesIn = Atomic<UInt64>(0)
    let reconnects = Atomic<UInt64>(0)
    /// Completed when the first connection is made, or will not be.
    let started = ResultBox<Void>()
    /// Completed when nothing of the client is left.
    let finished: EventLoopFuture<Void>

    // MARK: Event loop only

    let finishedPromise: EventLoopPromise<Void>
    var registry = SubscriptionRegistry<SubscriptionHandle>()
    var pool: ServerPool {
        didSet {
            let servers = self.pool.servers
            self.status.withLockedValue { $0.pool = servers }
        }
    }
    var reconnector: ReconnectStateMachine
    var drainMachine = DrainStateMachine()
    var drainWaiters: [ResultBox<Void>] = []
    var drainTimer: Scheduled<Void>?
    var drainDeadline = NIODeadline.distantFuture
    private var lastWarningAt = NIODeadline.uptimeNanoseconds(0)
    var drainingSubscriptions: [SubscriptionState] = []
    var phase = Phase.connecting(isFirst: true)
    /// Has no state. (Stored, it has no size either, and the thread sanitizer stumbles over its address.)
    var random: SystemRandomNumberGenerator {
        get { SystemRandomNumberGenerator() }
        set { _ = newValue }
    }
    var attempt: UInt64 = 0
    /// When the connection in use, or the last one, was made.
    var connectedAt = NIODeadline.uptimeNanoseconds(0)
    /// The handler of the connection in use, or in the handshake.
    var handler: NATSChannelHandler?
    /// Sockets that are being opened.
    var openingChannels: [any Channel] = []
    /// The call of the user's dialer that is under way.
    var dialAttempt: DialAttempt?
    /// Whom the attempt that is under way is to reach.
    var attemptAddress: ServerAddress?
    /// Subscriptions for which nothing is read, and the number of each one's reason.
    var pausingReads: [UInt64: UInt64] = [:]
    var attemptTimer: Scheduled<Void>?
    /// What is under way to leave a server in lame duck mode.
    var migration: Migration?
    /// Connections beside the one in use, until they are closed.
    var extraHandlers: [NATSChannelHandler] = []
    /// The connection is about to be another one: publishes wait for that.
    var holdsWrites = false
    /// ``finished`` has been completed.
    var isFinished = false
    /// The server that the user chose, while the wait before the attempt on it runs.
    var delayedChoice: ServerAddress?
    var keepAlive = KeepAlive(maxPingsOut: 0)
    var keepAliveTimer: Scheduled<Void>?
    /// The owner gave the connection up, and wants another one at once.
    var isReconnectForced = false
    /// Connections lost so far: another one may be lost while the loss of one is dealt with.
    var losses: UInt64 = 0
    var writeProgress = WriteProgress()
    var writeTimer: Scheduled<Void>?
    /// The best explanation of why no server could be reached.
    var lastAttemptError: NATSError?
    /// Bytes that the socket has not taken yet.
    var writeInFlight: ByteBuffer?
    /// Subscriptions that got messages in the read that is being taken apart.
    var touched: [SubscriptionState] = []
    var arrivedMessages: UInt64 = 0
    var arrivedBytes: UInt64 = 0

    init(configuration: NATSClientConfiguration, addresses: [ServerAddress], eventLoop: any EventLoop, logger: Logger?)
    {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.logger = logger
        self.taskExecutor = NATSTaskExecutor(eventLoop: eventLoop)
        self.outbound = OutboundBuffer(
            eventLoop: eventLoop,
            highWaterMark: configuration.publishHighWaterMark,
            reconnectBufferSize: configuration.reconnectBufferSize,
            disconnectedPublish: configuration.disconnectedPublish,
            validatesSubjects: configuration.validatesPublishSubjects,
            writeBufferSize: configuration.writeBufferSize
        )
        let inbox = configuration.inboxPrefix + "." + self.nuid.withLockedValue { $0.next() }
        self.requests = RequestCenter(inbox: inbox, outbound: self.outbound)
        self.finishedPromise = eventLoop.makePromise(of: Void.self)
        self.finished = self.finishedPromise.futureResult
        var random = SystemRandomNumberGenerator()
        self.pool = ServerPool(
            addresses: addresses,
            randomize: configuration.randomizeServers,
            ignoreDiscovered: configuration.ignoreDiscoveredServers,
            maxReconnects: configuration.maxReconnects.flatMap { $0 < 0 ? nil : $0 },
            ignoreAuthErrorAbort: configuration.ignoreAuthErrorAbort,
            random: &random
        )
        self.reconnector = ReconnectStateMachine(
            backoff: Self.backoff(configuration),
            isSinglePass: !configuration.retryOnFailedConnect
        )
        if configuration.tls.isWanted || addresses.contains(where: \.isSecure) {
            self.reconnector.connectionIsSecure()
        }
        let servers = self.pool.servers
        self.status.withLockedValue { $0.pool = servers }
        self.outbound.setInbox(subject: inbox + ".*")
        self.outbound.flushTask = { [weak self] in
            self?.flush()
        }
    }

    static func backoff(_ configuration: NATSClientConfiguration) -> ReconnectStateMachine.Backoff {
        // Without any wait an unreachable server would be asked in a loop.
        let initial = max(.milliseconds(1), configuration.reconnectWait)
        return .init(
            initial: initial,
            maximum: max(initial, configuration.maxReconnectWait),
            jitter: configuration.reconnectJitter,
            secureJitter: configuration.secureReconnectJitter,
            waitsBeforeFirstAttempt: configuration.waitsBeforeFirstReconnect,
            custom: configuration.reconnectDelay
        )
    }

    /// Begins to connect; ``started`` tells the outcome.
    func start() {
        self.eventLoop.execute {
            self.perform(self.reconnector.started(using: &self.random))
        }
    }

    /// The user's last reference is gone.
    func abandon() {
        self.eventLoop.execute {
            self.close(error: nil)
        }
    }

    // MARK: Writing

    /// Carries out what other threads asked for, and writes what they appended.
    func flush() {
        let work = self.outbound.takeWork(
            canWrite: self.writeInFlight == nil,
            isHeld: self.holdsWrites,
            now: NIODeadline.now().uptimeNanoseconds
        )
        self.apply(work.operations)
        if let bytes = work.bytes {
            self.write(bytes)
        }
        for waiter in work.waiters {
            waiter.resume()
        }
    }

    func write(_ bytes: ByteBuffer) {
        guard let handler = self.handler, let context = handler.context else {
            return
        }
        self.writeInFlight = bytes
        let attempt = handler.attempt
        let promise = self.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenSuccess {
            self.writeCompleted(attempt: attempt)
        }
        context.writeAndFlush(handler.wrapOutboundOut(bytes), promise: promise)
    }

    private func writeCompleted(attempt: UInt64) {
        guard attempt == self.handler?.attempt, let bytes = self.writeInFlight.take() else {
            return
        }
        let next = self.outbound.writeCompleted(bytes, now: NIODeadline.now().uptimeNanoseconds)
        if self.migration?.wantsLastWrite == true {
            return self.writeLastToOld()
        }
        switch next {
        case .none:
            break
        case .now:
            self.eventLoop.execute(self.outbound.flushTask)
        case .delayed:
            self.eventLoop.scheduleTask(in: .nanoseconds(Int64(FlushPacer.delay)), self.outbound.flushTask)
        }
    }

    func apply(_ operations: [RegistryOperation]) {
        for state in self.register(operations) {
            state.finish(nil)
        }
        if let migration = self.migration {
            self.sendMirrored(migration)
        }
    }

    /// Carries out operations and returns the subscriptions that have come to their end by that.
    func register(_ operations: [RegistryOperation]) -> [SubscriptionState] {
        var ended: [SubscriptionState] = []
        for operation in operations {
            if let migration = self.migration {
                self.mirror(operation, migration)
            }
            switch operation {
            case .add(let sid, let subject, let queueGroup, let handle):
                self.registry.add(sid: sid, subject: subject, queueGroup: queueGroup, handle: handle)
            case .remove(let sid):
                _ = self.registry.remove(sid: sid)
            case .limit(let sid, let maximum):
                if case .subscription(let state) = self.registry.limit(sid: sid, maximum: maximum) {
                    ended.append(state)
                }
            case .stop:
                break
            case .resumeReads(let state, let number, let dropped):
                // Not here, where a lock may be held.
                self.eventLoop.execute {
                    self.resumeReads(sid: state.sid, number: number)
                    if state.isOpen {
                        self.events.send(.slowConsumerEnded(state.eventSubscription, dropped: dropped))
                    }
                }
            }
        }
        return ended
    }

    // MARK: Reading

    func receivedBytes(_ count: Int, from handler: NATSChannelHandler) {
        if handler === self.handler {
            self.keepAlive.receivedBytes()
        } else if let migration = self.migration, migration.retiring === handler {
            migration.hasHeardOld = true
        }
        self.socketBytesIn.add(UInt64(count), ordering: .relaxed)
    }

    /// Messages of one subscription, in order.
    func received(_ frames: inout [MessageFrame], sid: UInt64, in bytes: ByteBuffer) {
        self.arrivedMessages &+= UInt64(frames.count)
        var headerBytes = 0
        for frame in frames {
            self.arrivedBytes &+= UInt64(truncatingIfNeeded: frame.bodyLength)
            headerBytes |= frame.headerLength
        }
        if headerBytes != 0 {
            self.checkHeaders(frames, sid: sid, in: bytes)
        }
        guard let arrival = self.registry.received(frames.count, sid: sid) else {
            return
        }
        switch arrival.handle {
        case .subscription(let state):
            if state.arrive(&frames, accepting: arrival.accepted) {
                self.touched.append(state)
            }
            if arrival.isComplete {
                state.endsWithRead = true
                self.deliver(in: bytes)
                state.finish(nil)
                if arrival.needsUnsubscribe {
                    self.outbound.unsubscribe(sid: sid, maximum: nil)
                }
            }
        case .requests:
            self.requests.received(frames, in: bytes)
        }
    }

    /// Tells of messages whose header blocks cannot be read: once for those of one read.
    ///
    /// nats.go processMsg: the message is delivered all the same, without headers.
    @inline(never)
    private func checkHeaders(_ frames: [MessageFrame], sid: UInt64, in bytes: ByteBuffer) {
        let bad = bytes.withUnsafeReadableBytes { raw in
            frames.first { frame in
                frame.headerLength > 0
                    && !HeaderBlock.isReadable(
                        UnsafeRawBufferPointer(rebasing: raw[Int(frame.bodyStart)..<Int(frame.payloadStart)])
                    )
            }
        }
        guard let bad else {
            return
        }
        let subject = bytes.withUnsafeReadableBytes { raw in
            String(decoding: raw[Int(bad.subjectStart)..<Int(bad.subjectEnd)], as: UTF8.self)
        }
        let error = NATSError(.badHeader, "a message on \"\(subject)\" has a header block that cannot be read")
        self.status.withLockedValue { $0.lastError = error }
        var subscription: NATSEvent.Subscription?
        if case .subscription(let state) = self.registry.handle(sid: sid) {
            subscription = state.eventSubscription
        }
        self.report(error, subscription)
    }

    // MARK: Reads that wait for a consumer

    private func pauseReads(sid: UInt64, number: UInt64) {
        self.pausingReads[sid] = number
        self.handler?.setReading(false)
        for handler in self.extraHandlers {
            handler.setReading(false)
        }
    }

    func resumeReads(sid: UInt64, number: UInt64) {
        // It may have begun again meanwhile.
        guard self.pausingReads[sid] == number else {
            return
        }
        self.pausingReads[sid] = nil
        if self.pausingReads.isEmpty {
            self.keepAlive.receivedBytes()
            self.handler?.setReading(self.migration?.isFull != true)
            for handler in self.extraHandlers {
                handler.setReading(true)
            }
        }
    }

    /// Hands over what ``received(_:sid:in:)`` collected.
    func deliver(in bytes: ByteBuffer) {
        guard self.arrivedMessages > 0 else {
            return
        }
        self.messagesIn.add(self.arrivedMessages, ordering: .relaxed)
        self.bytesIn.add(self.arrivedBytes, ordering: .relaxed)
        self.arrivedMessages = 0
        self.arrivedBytes = 0
        for state in self.touched {
            let change = state.deliver(in: bytes)
            switch change.reads {
            case .pause(let number):
                self.pauseReads(sid: state.sid, number: number)
            case .resume(let number):
                self.resumeReads(sid: state.sid, number: number)
            case nil:
                break
            }
            switch change.slowConsumer {
            case .began(let dropped):
                self.reportSlowConsumer(state.eventSubscription, dropped: dropped)
            case .ended(let dropped):
                self.events.send(.slowConsumerEnded(state.eventSubscription, dropped: dropped))
            case .failed(let dropped):
                _ = self.registry.remove(sid: state.sid)
                self.outbound.unsubscribe(sid: state.sid, maximum: nil)
                self.reportSlowConsumer(state.eventSubscription, dropped: dropped)
                if let error = state.endError {
                    self.report(error, state.eventSubscription)
                }
            case nil:
                break
            }
        }
        self.touched.removeAll(keepingCapacity: true)
    }

    func receivedPong(from handler: NATSChannelHandler) {
        if self.migration != nil || handler !== self.handler, self.receivedMigrationPong(from: handler) {
            return
        }
        self.keepAlive.receivedPong()
        self.outbound.receivedPong()?.complete(.success(.now()))
    }

    /// A later `INFO`.
    func receivedInfo(_ info: ServerInfo, from handler: NATSChannelHandler) {
        guard handler === self.handler else {
            if info.lameDuckMode, handler === self.migration?.successor {
                self.giveUpSuccessor(
                    handler,
                    NATSError(.disconnected, "the server \(handler.address.url) is in lame duck mode as well")
                )
            }
            return
        }
        self.outbound.update(maxPayload: info.maxPayload, headersSupported: info.headers)
        self.status.withLockedValue { $0.serverInfo = NATSServerInfo(info, url: handler.address.url) }
        self.merge(info)
        if info.lameDuckMode {
            self.enteredLameDuckMode(handler.address)
        }
    }

    func enteredLameDuckMode(_ address: ServerAddress) {
        self.logger?.debug("NATS server enters lame duck mode", metadata: ["nats.server": "\(address.url)"])
        self.events.send(.lameDuckMode)
        if self.configuration.lameDuck == .migrate {
            self.migrate()
        }
    }

    func merge(_ info: ServerInfo, announcing: Bool = true) {
        if let all = self.pool.merge(connectURLs: info.connectURLs, random: &self.random), announcing {
            self.events.send(.discovered(all))
        }
    }

    /// An `-ERR` on a connection in use.
    ///
    /// What a server refuses that is not the client's, or not any more, ends no subscription: the other one has it.
    func receivedError(_ text: ServerErrorText, from handler: NATSChannelHandler) {
        let error = text.error
        let isCurrent = handler === self.handler
        if !isCurrent, handler === self.migration?.successor {
            switch text.treatment {
            case .permission, .subscriptionLimit:
                return self.giveUpSuccessor(handler, error)
            case .authentication, .reconnect, .reconnectLater, .fatalForServer, .report:
                break
            }
        }
        self.status.withLockedValue { $0.lastError = error }
        var refused: SubscriptionRegistry<SubscriptionHandle>.Entry?
        switch text.treatment {
        case .permission:
            guard let permission = text.permission else {
                break
            }
            switch permission.operation {
            case .subscribe:
                if isCurrent {
                    refused = self.registry.removeRefused(permission)
                }
            case .publish:
                self.requests.publishRefused(subject: permission.subject, error: error)
            }
        case .subscriptionLimit:
            refused = isCurrent ? self.registry.removeNewest() : nil
            if let refused {
                // The server does not say which: what it has after all must not come for nobody.
                self.outbound.unsubscribe(sid: refused.sid, maximum: nil)
            }
        case .authentication, .reconnect, .reconnectLater, .fatalForServer, .report:
            break
        }
        if let refused, self.migration != nil {
            self.unsubscribeEverywhere(sid: refused.sid)
        }
        var subscription: NATSEvent.Subscription?
        switch refused?.handle {
        case .subscription(let state):
            subscription = state.eventSubscription
            state.finish(error)
        case .requests:
            self.outbound.inboxWasRefused()
            self.requests.inboxRefused(error)
        case nil:
            break
        }
        self.report(error, subscription)
    }

    // MARK: Errors that no caller waits for

    func report(_ error: NATSError, _ subscription: NATSEvent.Subscription? = nil) {
        self.events.send(.error(error, subscription))
        var metadata: Logger.Metadata = ["nats.error": "\(error)"]
        if let subscription {
            metadata["nats.subject"] = "\(subscription.subject)"
        }
        self.logger?.log(level: self.levelOfReport(), "NATS client reports an error", metadata: metadata)
    }

    private func reportSlowConsumer(_ subscription: NATSEvent.Subscription, dropped: UInt64) {
        self.events.send(.slowConsumer(subscription, dropped: dropped))
        self.logger?.log(
            level: self.levelOfReport(),
            "NATS subscription is too slow for its messages",
            metadata: ["nats.subject": "\(subscription.subject)", "nats.dropped": "\(dropped)"]
        )
    }

    /// Whoever listens to events decides what is worth a line; otherwise nobody else would tell.
    ///
    /// What a peer can cause as often as it likes is a warning once in a second.
    private func levelOfReport() -> Logger.Level {
        let now = self.eventLoop.now
        guard !self.events.hasListeners, now - self.lastWarningAt >= .seconds(1) else {
            return .debug
        }
        self.lastWarningAt = now
        return .warning
    }
}
