import Logging
import NATSWire
import NIOConcurrencyHelpers
import NIOCore
import Synchronization

// How the client leaves a server in lame duck mode. Everything here runs on the event loop.
extension ConnectionCore {
    /// The server of the connection in use is in lame duck mode.
    func migrate() {
        guard case .connected = self.phase, !self.status.withLockedValue({ $0.isDraining }) else {
            return
        }
        let waits = MigrationStateMachine.Waits(
            retry: max(.milliseconds(10), self.configuration.maxReconnectWait),
            lead: self.configuration.migrationLead,
            overlap: self.configuration.migrationOverlap,
            linger: self.configuration.migrationLinger
        )
        let migration = self.migration ?? Migration(waits: waits)
        self.migration = migration
        let limit = self.configuration.migrationDelay.nanosecondsClamped
        let jitter = limit > 0 ? Duration.nanoseconds(Int64.random(in: 0..<limit, using: &self.random)) : .zero
        self.perform(migration.machine.lameDuck(jitter: jitter))
    }

    func perform(_ actions: [MigrationStateMachine.Action]) {
        for action in actions {
            guard let migration = self.migration else {
                return
            }
            self.perform(action, migration)
        }
    }

    private func perform(_ action: MigrationStateMachine.Action, _ migration: Migration) {
        switch action {
        case .wait(let duration):
            migration.timer?.cancel()
            migration.timer = self.eventLoop.scheduleTask(in: duration.timeAmount) { [weak self] in
                self?.migrationWaitIsOver()
            }
        case .connect(let candidate):
            // The pool may have been replaced since the candidates were chosen.
            guard let address = self.pool.known(candidate) else {
                return self.perform(migration.machine.newFailed())
            }
            migration.attemptAddress = address
            // Before: the socket may be made at once.
            migration.attempt = self.attempt + 1
            self.openConnection(to: address)
        case .watchOld:
            migration.matcher = OverlapMatcher()
            migration.matchedSids = Set(self.registry.all.filter(Self.isMatched).map(\.sid))
            self.handler?.delivery = .match
        case .subscribe:
            self.subscribeOnSuccessor(migration)
        case .holdWrites:
            migration.wantsLastWrite = true
            self.startDeadline(self.configuration.migrationAnswerLimit, migration) { core, migration in
                core.perform(migration.machine.newFailed())
            }
            self.writeLastToOld()
        case .switchOver:
            self.switchOver(migration)
        case .expectCopies:
            migration.matcher.newIsComplete()
        case .drainOld:
            self.drainOld(migration)
        case .finish:
            self.finishOverlap(migration)
        case .abandonNew:
            self.abandonSuccessor(migration)
        case .promote:
            self.promote(migration)
        case .revert:
            self.revert(migration)
        case .end:
            self.endMigration(migration)
        }
    }

    private func migrationWaitIsOver() {
        guard let migration = self.migration else {
            return
        }
        let current = self.handler?.address
        let servers = self.pool.candidates(now: .now()).filter { !($0.isSameServer(as: current ?? $0)) }
        self.perform(migration.machine.waited(candidates: servers))
    }

    private func startDeadline(
        _ limit: Duration,
        _ migration: Migration,
        _ passed: @escaping (ConnectionCore, Migration) -> Void
    ) {
        migration.deadline?.cancel()
        let passed = NIOLoopBound(passed, eventLoop: self.eventLoop)
        migration.deadline = self.eventLoop.scheduleTask(in: limit.timeAmount) { [weak self] in
            if let self, let migration = self.migration {
                passed.value(self, migration)
            }
        }
    }

    // MARK: The new connection

    /// The socket of the attempt is open, or will not be.
    func successorOpened(_ result: Result<NATSChannelHandler, NATSError>, address: ServerAddress) {
        guard let migration = self.migration else {
            return
        }
        switch result {
        case .success(let handler):
            migration.successor = handler
            self.extraHandlers.append(handler)
            self.startDeadline(self.configuration.connectTimeout, migration) { _, migration in
                migration.successor?.fail(NATSError(.timeout, "the server did not finish the handshake in time"))
            }
        case .failure(let error):
            self.successorFailed(address, error: error, migration)
        }
    }

    /// Returns false if the handler is not that of a migration.
    func successorReady(_ handler: NATSChannelHandler, info: ServerInfo) -> Bool {
        guard let migration = self.migration, migration.successor === handler else {
            return false
        }
        let current = self.status.withLockedValue { $0.serverInfo?.id }
        guard info.serverID != current, !info.lameDuckMode else {
            // The same server under another name is no better.
            handler.fail(NATSError(.disconnected, "the server \(handler.address.url) is in lame duck mode"))
            return true
        }
        migration.deadline?.cancel()
        self.perform(migration.machine.newReady())
        return true
    }

    private func subscribeOnSuccessor(_ migration: Migration) {
        guard let successor = migration.successor else {
            return
        }
        // A server that counts a copy which is slower than its SUB would end a subscription too early: the client does.
        let replay = self.registry.replay(limits: { !Self.isMatched($0) })
        self.registry.countsBecomeUncertain()
        migration.matchedSids = Set(self.registry.all.filter(Self.isMatched).map(\.sid))
        migration.receivedBeforeNew = replay.received
        migration.isMirroring = true
        migration.overlapBegan = self.eventLoop.now
        migration.fromURL = self.handler?.address.url ?? ""
        migration.toURL = successor.address.url
        migration.oldHasLastWrite = false
        successor.delivery = .match
        if !self.pausingReads.isEmpty {
            successor.setReading(false)
        }
        self.startDeadline(self.configuration.migrationAnswerLimit, migration) { core, migration in
            core.perform(migration.machine.newFailed())
        }
        successor.send(replay.bytes)
        // The old server may not have been told of these yet.
        self.apply(self.outbound.takeWork(canWrite: false, now: 0).operations)
        successor.send(Array("PING\r\n".utf8))
    }

    /// Members of a queue group share the messages, and a reply is taken once in any case.
    private static func isMatched(_ entry: SubscriptionRegistry<SubscriptionHandle>.Entry) -> Bool {
        if case .subscription = entry.handle { entry.queueGroup == nil } else { false }
    }

    private func abandonSuccessor(_ migration: Migration) {
        migration.deadline?.cancel()
        migration.wantsLastWrite = false
        migration.isMirroring = false
        migration.unsent = []
        // What is held back goes to the old server after all.
        migration.oldHasLastWrite = false
        migration.unsentOld = []
        migration.newSids = []
        migration.lateSids = []
        migration.matchedSids = []
        migration.matcher = OverlapMatcher()
        self.handler?.delivery = .direct
        if migration.attempt.take() != nil {
            migration.attemptAddress = nil
            if migration.successor == nil {
                self.cancelOpening()
            }
        }
        if let successor = migration.successor.take() {
            successor.delivery = .discard
            successor.fail(NATSError(.disconnected, "the connection is not needed any more"))
        }
        if self.holdsWrites {
            self.holdsWrites = false
            self.eventLoop.execute(self.outbound.flushTask)
        }
    }

    private func successorFailed(_ address: ServerAddress, error: NATSError, _ migration: Migration) {
        migration.attempt = nil
        migration.attemptAddress = nil
        self.logger?.debug(
            "cannot migrate to NATS server",
            metadata: ["nats.server": "\(address.url)", "nats.error": "\(error)"]
        )
        self.pool.failed(address, isFatal: false, now: .now())
        self.events.send(.reconnectAttemptFailed(server: address.url, error: error))
        self.perform(migration.machine.newFailed())
    }

    /// The connection that was to be the client's will not be: it may take a while to close.
    func giveUpSuccessor(_ handler: NATSChannelHandler, _ error: NATSError) {
        handler.fail(error)
        if let migration = self.migration, migration.successor === handler {
            self.successorFailed(handler.address, error: error, migration)
        }
    }

    /// A connection beside the client's is gone.
    func extraConnectionEnded(_ handler: NATSChannelHandler, error: NATSError) {
        self.extraHandlers.removeAll { $0 === handler }
        guard let migration = self.migration else {
            return self.finishIfClosed()
        }
        if migration.successor === handler {
            migration.successor = nil
            self.successorFailed(handler.address, error: error, migration)
        } else if migration.retiring === handler {
            migration.retiring = nil
            self.perform(migration.machine.oldLost())
        }
        self.finishIfClosed()
    }

    // MARK: Changes of subscriptions meanwhile

    /// An operation that the connection in use is told of by ``OutboundBuffer`` concerns the one beside it as well.
    func mirror(_ operation: RegistryOperation, _ migration: Migration) {
        switch operation {
        case .add(let sid, let subject, let queueGroup, let handle):
            if migration.isMirroring, migration.oldHasLastWrite {
                migration.unsent += SubscriptionCommands.subscribe(subject: subject, queueGroup: queueGroup, sid: sid)
                migration.newSids.insert(sid)
            } else if migration.isMirroring {
                // The new server must not have it before the old one: its first messages would come behind later ones.
                migration.lateSids.insert(sid)
                if case .subscription = handle, queueGroup == nil {
                    migration.matchedSids.insert(sid)
                }
            } else if migration.retiring != nil {
                migration.newSids.insert(sid)
            }
        case .remove(let sid), .stop(let sid):
            if migration.lateSids.remove(sid) != nil {
                // The new server does not know it.
            } else if migration.isMirroring || migration.retiring != nil {
                migration.unsent += SubscriptionCommands.unsubscribe(sid: sid, maximum: nil)
            }
            if migration.oldHasLastWrite {
                migration.unsentOld += SubscriptionCommands.unsubscribe(sid: sid, maximum: nil)
            }
        case .limit(let sid, let maximum):
            if migration.lateSids.contains(sid) {
                break
            }
            if migration.isMirroring, migration.matchedSids.contains(sid) {
                if self.registry.received(sid: sid) >= maximum {
                    migration.unsent += SubscriptionCommands.unsubscribe(sid: sid, maximum: nil)
                }
            } else if migration.isMirroring {
                let before = migration.receivedBeforeNew[sid] ?? 0
                let remainder = maximum > before ? maximum - before : nil
                migration.unsent += SubscriptionCommands.unsubscribe(sid: sid, maximum: remainder)
            }
        case .resumeReads:
            break
        }
    }

    /// Sends what ``mirror(_:_:)`` collected.
    func sendMirrored(_ migration: Migration) {
        guard !migration.unsent.isEmpty else {
            return
        }
        let bytes = migration.unsent
        migration.unsent = []
        (migration.successor ?? migration.retiring)?.send(bytes)
    }

    /// One server refused a subscription that the other one may have.
    func unsubscribeEverywhere(sid: UInt64) {
        let handlers = self.extraHandlers + (self.handler.map { [$0] } ?? [])
        // Not within the read in which the refusal came: a write that fails ends a connection at once.
        let bound = NIOLoopBound(handlers, eventLoop: self.eventLoop)
        self.eventLoop.execute {
            for handler in bound.value where handler.delivery == .match {
                handler.send(SubscriptionCommands.unsubscribe(sid: sid, maximum: nil))
            }
        }
    }

    // MARK: The switch

    /// Gives everything that was published so far to the old server, and asks it whether it has it.
    func writeLastToOld() {
        guard let migration = self.migration, migration.wantsLastWrite, self.writeInFlight == nil else {
            return
        }
        migration.wantsLastWrite = false
        self.holdsWrites = true
        let attempt = migration.attempt
        let flushed = PingQueue.Waiter { [weak self] result in
            guard let self, case .success = result else {
                return
            }
            self.eventLoop.execute {
                // The answer to an earlier attempt says nothing about this one.
                if let migration = self.migration, migration.attempt == attempt {
                    // A connection that has failed may take a while to close.
                    let isUsable = migration.successor.map { $0.failure == nil } ?? false
                    self.perform(isUsable ? migration.machine.oldFlushed() : migration.machine.newFailed())
                }
            }
        }
        let work = self.outbound.takeWork(canWrite: true, now: NIODeadline.now().uptimeNanoseconds, lastPing: flushed)
        self.apply(work.operations)
        // What is told from now on stays here until the switch.
        // (The attempt is over if it could not be told to the new server.)
        migration.oldHasLastWrite = self.holdsWrites
        if let bytes = work.bytes {
            self.write(bytes)
        }
        for waiter in work.waiters {
            waiter.resume()
        }
    }

    private func switchOver(_ migration: Migration) {
        guard let old = self.handler, let new = migration.successor.take(), let info = new.info else {
            return
        }
        migration.deadline?.cancel()
        migration.attempt = nil
        migration.attemptAddress = nil
        migration.retiring = old
        self.extraHandlers.removeAll { $0 === new }
        self.extraHandlers.append(old)
        self.stopKeepAlive()
        self.use(new, info: info)
        var ended: [SubscriptionState] = []
        let start = self.outbound.switchConnection(
            maxPayload: info.maxPayload,
            headersSupported: info.headers
        ) { operations in
            ended = self.register(operations)
            return self.takeReplay(migration)
        }
        self.registry.countsBecomeUncertain()
        migration.isMirroring = false
        migration.oldHasLastWrite = false
        old.send(migration.unsentOld)
        migration.unsentOld = []
        migration.receivedBeforeOld = start.receivedBefore
        for ping in start.pings {
            // None, unless the old server answered out of turn: the last PING was behind them.
            ping.complete(.failure(NATSError(.disconnected, "the connection was given up for another")))
        }
        self.begin(ended: ended, bytes: start.bytes, waiters: start.waiters)
        self.merge(info)
        self.logger?.debug(
            "migrates to another NATS server",
            metadata: ["nats.server": "\(new.address.url)", "nats.from": "\(old.address.url)"]
        )
    }

    /// What the new server has not been told yet, and what subscriptions had received when it was, or is.
    private func takeReplay(_ migration: Migration) -> SubscriptionReplay {
        let late = self.registry.replay(
            where: { migration.lateSids.contains($0) },
            limits: { !Self.isMatched($0) }
        )
        defer {
            migration.unsent = []
            migration.lateSids = []
        }
        return SubscriptionReplay(
            bytes: late.bytes + migration.unsent,
            received: migration.receivedBeforeNew.merging(late.received) { $1 }
        )
    }

    /// Makes a connection whose handshake is complete the client's.
    private func use(_ handler: NATSChannelHandler, info: ServerInfo) {
        self.handler = handler
        self.holdsWrites = false
        self.writeInFlight = nil
        self.phase = .connected
        self.connectedAt = self.eventLoop.now
        self.pool.connected(handler.address, isSecure: handler.isSecure)
        if handler.isSecure {
            self.reconnector.connectionIsSecure()
        }
        self.status.withLockedValue { status in
            status.serverInfo = NATSServerInfo(info, url: handler.address.url)
            status.isConnected = true
            status.isReconnecting = false
        }
    }

    private func begin(ended: [SubscriptionState], bytes: ByteBuffer?, waiters: [OutboundBuffer.Waiter]) {
        for state in ended {
            state.finish(nil)
        }
        if let bytes {
            self.write(bytes)
        }
        for waiter in waiters {
            waiter.resume()
        }
        // A write that fails ends the connection at once.
        if case .connected = self.phase {
            self.startKeepAlive()
        }
    }

    // MARK: The old connection's end

    private func drainOld(_ migration: Migration) {
        guard let retiring = migration.retiring else {
            return
        }
        migration.timer?.cancel()
        migration.matcher.newIsComplete()
        migration.matcher.forgetSuspects()
        let commands = self.registry.all.flatMap { SubscriptionCommands.unsubscribe(sid: $0.sid, maximum: nil) }
        retiring.send(commands + Array("PING\r\n".utf8))
        self.awaitOld(until: .now() + self.configuration.drainTimeout.timeAmount, migration)
    }

    /// An old server that has gone silent is not waited for longer than for any answer; one that has much to send may.
    private func awaitOld(until end: NIODeadline, _ migration: Migration) {
        let limit = min(
            self.configuration.migrationAnswerLimit,
            .nanoseconds(max(0, (end - .now()).nanoseconds))
        )
        migration.hasHeardOld = false
        self.startDeadline(limit, migration) { core, migration in
            let mayGoOn = migration.hasHeardOld || !core.pausingReads.isEmpty
            if mayGoOn, !migration.isFull, NIODeadline.now() < end {
                core.awaitOld(until: end, migration)
            } else {
                core.perform(migration.machine.oldDrained())
            }
        }
    }

    /// The PONG of a connection beside the client's; false if it is the client's.
    func receivedMigrationPong(from handler: NATSChannelHandler) -> Bool {
        guard let migration = self.migration else {
            return handler !== self.handler
        }
        if migration.successor === handler {
            self.perform(migration.machine.newFlushed())
            return true
        }
        if migration.retiring === handler {
            self.perform(migration.machine.oldDrained())
            return true
        }
        return handler !== self.handler
    }

    private func finishOverlap(_ migration: Migration) {
        migration.deadline?.cancel()
        // If the old connection was lost: equal messages would be taken for copies.
        migration.matcher.forgetSuspects()
        self.deliverHeld(migration.matcher.oldEnded())
        if migration.isFull {
            migration.isFull = false
            self.handler?.setReading(self.pausingReads.isEmpty)
        }
        if let retiring = migration.retiring.take() {
            retiring.delivery = .discard
            retiring.fail(NATSError(.disconnected, "the connection has been given up for another"))
        }
        self.events.send(
            .migrated(
                NATSMigration(
                    from: migration.fromURL,
                    to: migration.toURL,
                    overlap: .nanoseconds((self.eventLoop.now - migration.overlapBegan).nanoseconds),
                    copies: migration.matcher.copies,
                    largestHeldMessages: migration.matcher.largestHeldMessages,
                    largestHeldBytes: migration.matcher.largestHeldBytes,
                    unmatched: migration.matcher.forgotten
                )
            )
        )
        self.completeWaiters(migration)
        self.checkSettled()
    }

    private func completeWaiters(_ migration: Migration) {
        let waiters = migration.afterwards
        migration.afterwards = []
        for waiter in waiters {
            waiter.complete()
        }
    }

    func deliverHeld(_ messages: [Migration.HeldMessage]) {
        for message in messages {
            var frames = [message.frame]
            self.received(&frames, sid: message.sid, in: message.bytes)
            self.deliver(in: message.bytes)
        }
    }

    private func checkSettled() {
        if let migration = self.migration, migration.matcher.isSettled {
            // Not from within the actions of the machine.
            self.eventLoop.execute {
                if let migration = self.migration, migration.matcher.isSettled {
                    self.perform(migration.machine.settled())
                }
            }
        }
    }

    private func endMigration(_ migration: Migration) {
        migration.timer?.cancel()
        migration.deadline?.cancel()
        self.handler?.delivery = .direct
        // There are some if both connections were lost at once.
        self.deliverHeld(migration.matcher.oldEnded())
        migration.matchedSids = []
        migration.matcher = OverlapMatcher()
        migration.newSids = []
        migration.isFull = false
        if migration.machine.isIdle {
            self.migration = nil
        }
        self.completeWaiters(migration)
    }

    // MARK: Losses meanwhile

    /// The old connection is lost before the switch: the new one has all subscriptions.
    private func promote(_ migration: Migration) {
        guard let new = migration.successor.take(), let info = new.info else {
            return
        }
        migration.attempt = nil
        migration.attemptAddress = nil
        migration.wantsLastWrite = false
        migration.oldHasLastWrite = false
        migration.unsentOld = []
        migration.newSids = []
        self.extraHandlers.removeAll { $0 === new }
        self.use(new, info: info)
        self.resume(info) {
            defer {
                migration.isMirroring = false
            }
            return self.takeReplay(migration)
        }
        self.registry.countsBecomeUncertain()
        self.merge(info)
    }

    /// The new connection is lost after the switch: the old one still has all subscriptions but those made since.
    private func revert(_ migration: Migration) {
        guard let old = migration.retiring, let info = old.info else {
            return
        }
        self.extraHandlers.removeAll { $0 === old }
        old.delivery = .direct
        migration.isFull = false
        self.use(old, info: info)
        self.resume(info) {
            let replay = self.registry.replay { migration.newSids.contains($0) }
            defer {
                // Before anything is written, which may fail and end this connection too.
                migration.unsent = []
                migration.retiring = nil
                migration.newSids = []
                migration.matchedSids = []
                migration.matcher = OverlapMatcher()
            }
            return SubscriptionReplay(
                bytes: migration.unsent + replay.bytes,
                received: migration.receivedBeforeOld.merging(replay.received) { $1 }
            )
        }
        // The overlap is over for those who wait for its end. Not from within the actions of the machine.
        self.eventLoop.execute {
            if let migration = self.migration {
                self.completeWaiters(migration)
            }
        }
    }

    /// Goes on with a connection that has been there for a while; `replay` runs when all operations have been applied.
    private func resume(_ info: ServerInfo, replay: () -> SubscriptionReplay) {
        var ended: [SubscriptionState] = []
        let start = self.outbound.connected(maxPayload: info.maxPayload, headersSupported: info.headers) { operations in
            ended = self.register(operations)
            return replay()
        }
        self.begin(ended: ended, bytes: start.bytes, waiters: start.waiters)
        guard case .connected = self.phase else {
            return
        }
        self.reconnects.add(1, ordering: .relaxed)
        self.events.send(.reconnected)
    }

    /// Calls back at the end of an overlap that is under way, or at the deadline; at once if there is none.
    ///
    /// The overlap takes its time: other subscriptions need all of it.
    func afterOverlap(until deadline: NIODeadline? = nil, _ call: @escaping () -> Void) {
        guard let migration = self.migration, migration.machine.isSwitched else {
            return call()
        }
        let waiter = OverlapWaiter(call)
        if let deadline {
            let bound = NIOLoopBound(waiter, eventLoop: self.eventLoop)
            waiter.timer = self.eventLoop.scheduleTask(deadline: deadline) {
                bound.value.complete()
            }
        }
        migration.afterwards.append(waiter)
    }

    /// The client closes.
    func closeMigration() {
        let migration = self.migration.take()
        migration?.timer?.cancel()
        migration?.deadline?.cancel()
        for handler in self.extraHandlers {
            handler.fail(NATSError(.connectionClosed, "the client is closed"))
        }
        guard let migration else {
            return
        }
        self.completeWaiters(migration)
    }

    // MARK: Messages of both connections

    func receivedInOverlap(
        _ frames: inout [MessageFrame],
        sid: UInt64,
        in bytes: ByteBuffer,
        from handler: NATSChannelHandler
    ) {
        guard let migration = self.migration, migration.matchedSids.contains(sid) else {
            return self.received(&frames, sid: sid, in: bytes)
        }
        let isOld =
            migration.retiring.map { $0 === handler } ?? (migration.successor != nil && handler === self.handler)
        if isOld {
            bytes.withUnsafeReadableBytes { raw in
                for frame in frames {
                    migration.matcher.arrivedOnOld(migration.key(frame, sid: sid, in: raw))
                }
            }
            return self.received(&frames, sid: sid, in: bytes)
        }
        let isWanted = self.registry.handle(sid: sid) != nil
        let wasFull = migration.matcher.isFull
        var delivered: [MessageFrame] = []
        bytes.withUnsafeReadableBytes { raw in
            for frame in frames {
                let key = migration.key(frame, sid: sid, in: raw)
                switch migration.matcher.arrivedOnNew(key) {
                case .copy:
                    break
                case .hold:
                    if isWanted {
                        let message = migration.held(frame, sid: sid, in: raw)
                        migration.matcher.hold(message, key, bytes: frame.span.count)
                    }
                case .deliver:
                    delivered.append(frame)
                }
            }
        }
        if !delivered.isEmpty {
            self.received(&delivered, sid: sid, in: bytes)
        }
        if !wasFull, migration.matcher.isFull {
            self.overlapIsFull(migration)
        }
        self.checkSettled()
    }

    /// No more is read from the new server before the old one is done, which is hurried.
    private func overlapIsFull(_ migration: Migration) {
        if let successor = migration.successor {
            // It has not even answered yet, or the old one does not.
            self.giveUpSuccessor(
                successor,
                NATSError(.slowConsumer, "too many messages wait for the old connection's")
            )
        } else {
            migration.isFull = true
            self.handler?.setReading(false)
            // Not in the middle of a read: a failing write could end the overlap.
            self.eventLoop.execute {
                if let migration = self.migration {
                    self.perform(migration.machine.hurry())
                }
            }
        }
    }
}
