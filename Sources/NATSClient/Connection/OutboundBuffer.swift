import NATSWire
import NIOConcurrencyHelpers
import NIOCore

/// Everything on its way to the server: operations as bytes in one buffer under one lock, one flush per batch.
///
/// Any thread appends; the event loop takes. `@unchecked Sendable`: every stored variable is touched only while `lock` is
/// held, except `flushTask`, which is set before the object is shared. The lock also excludes overlapping accesses, so the
/// variables of the hot path go without the run-time check for them, which costs a tenth of a publish.
@usableFromInline
final class OutboundBuffer: @unchecked Sendable {
    let eventLoop: any EventLoop
    private let highWaterMark: Int
    private let reconnectBufferSize: Int
    private let disconnectedPublish: NATSClientConfiguration.DisconnectedPublish
    private let validatesSubjects: Bool
    /// As many waiting bytes are written without a delay.
    private let writeBufferSize: Int
    /// Runs on the event loop and takes ``Work``.
    var flushTask: @Sendable () -> Void = {}

    private let lock = NIOLock()
    @exclusivity(unchecked) private var frames = FrameBuffer()
    private var spare: ByteBuffer?
    @exclusivity(unchecked) private var mode = Mode.buffering
    private var closeError: NATSError?
    /// A publish is accepted below this many waiting bytes; depends on `mode`.
    @exclusivity(unchecked) private var limit: Int
    @exclusivity(unchecked) private var flush = Flush.none
    /// Somebody waits for something that has been appended: no delay.
    @exclusivity(unchecked) private var isUrgent = false
    private var pacer = FlushPacer()
    private var operations: [RegistryOperation] = []
    private var waiters: [UInt64: Waiter] = [:]
    private var nextWaiterID: UInt64 = 0
    private var pings = PingQueue()
    @exclusivity(unchecked) private var maxPayload = 64 << 20
    @exclusivity(unchecked) private var headersSupported = true
    private var inboxSubscription: (sid: UInt64, subject: String)?
    /// Messages that subscriptions had received before the server was told of them anew; it counts from there.
    private var receivedBefore: [UInt64: UInt64] = [:]
    @exclusivity(unchecked) private var isInboxSubscribed = false
    private var nextSid: UInt64 = 1
    private var refusesSubscriptions = false

    @exclusivity(unchecked) private var messagesOut: UInt64 = 0
    @exclusivity(unchecked) private var bytesOut: UInt64 = 0
    private var socketBytesOut: UInt64 = 0
    /// Kept here for the statistics: it is what all subscriptions have.
    private var dropped: UInt64 = 0
    /// Messages up to this one have been given to a socket.
    private var messagesHandedOver: UInt64 = 0

    // The subject that was checked last, so that a series of publishes to one subject is checked once.
    private static let knownSubjectCapacity = 256
    private let knownSubject: UnsafeMutableRawPointer
    @exclusivity(unchecked) private var knownSubjectLength = -1

    init(
        eventLoop: any EventLoop,
        highWaterMark: Int,
        reconnectBufferSize: Int,
        disconnectedPublish: NATSClientConfiguration.DisconnectedPublish = .buffer,
        validatesSubjects: Bool = true,
        writeBufferSize: Int = 262_144
    ) {
        self.writeBufferSize = max(1, writeBufferSize)
        self.eventLoop = eventLoop
        self.highWaterMark = max(1, highWaterMark)
        self.disconnectedPublish = disconnectedPublish
        self.validatesSubjects = validatesSubjects
        self.reconnectBufferSize = disconnectedPublish == .fail ? 0 : max(0, reconnectBufferSize)
        self.limit = self.reconnectBufferSize
        self.knownSubject = .allocate(byteCount: Self.knownSubjectCapacity, alignment: 8)
    }

    deinit {
        self.knownSubject.deallocate()
    }

    // MARK: Hot path

    /// Appends one message, or says why not.
    ///
    /// Never waits.
    @usableFromInline
    func publish(
        subject: UnsafeRawBufferPointer,
        reply: UnsafeRawBufferPointer,
        headers: UnsafeRawBufferPointer,
        payload: UnsafeRawBufferPointer
    ) -> PublishOutcome {
        if reply.count > 0, !SubjectGrammar.isValidPublishSubject(reply) {
            return .badReply
        }
        self.lock.lock()
        let outcome = self.append(subject: subject, reply: reply, headers: headers, payload: payload)
        let needsFlush = outcome == .accepted && self.wantsFlush(atOnce: false)
        self.lock.unlock()
        if needsFlush {
            self.eventLoop.execute(self.flushTask)
        }
        return outcome
    }

    /// Appends messages whose payloads are slices of the same bytes, under one lock, until one is not accepted.
    ///
    /// Never waits. Returns how many were accepted.
    func publish(
        subject: UnsafeRawBufferPointer,
        reply: UnsafeRawBufferPointer,
        headers: UnsafeRawBufferPointer,
        payloads: ArraySlice<Range<Int>>,
        of bytes: UnsafeRawBufferPointer
    ) -> Int {
        if reply.count > 0, !SubjectGrammar.isValidPublishSubject(reply) {
            return 0
        }
        var head = FrameHead(subject: subject, reply: reply, headersLength: headers.count)
        self.lock.lock()
        let accepted =
            self.isKnown(subject) || self.learn(subject) ? self.append(payloads, of: bytes, headers: headers, &head) : 0
        let needsFlush = accepted > 0 && self.wantsFlush(atOnce: false)
        self.lock.unlock()
        if needsFlush {
            self.eventLoop.execute(self.flushTask)
        }
        return accepted
    }

    /// Appends one request; the first one subscribes to the inbox before it, unless the request has its own.
    ///
    /// Returns the message's number as well.
    func publishRequest(
        subject: UnsafeRawBufferPointer,
        reply: UnsafeRawBufferPointer,
        headers: UnsafeRawBufferPointer,
        payload: UnsafeRawBufferPointer,
        hasOwnInbox: Bool = false
    ) -> (outcome: PublishOutcome, number: UInt64) {
        self.lock.lock()
        if !self.isInboxSubscribed, !hasOwnInbox {
            self.subscribeInbox()
        }
        let outcome = self.append(subject: subject, reply: reply, headers: headers, payload: payload)
        let number = self.messagesOut
        self.isUrgent = true
        let needsFlush = self.wantsFlush(atOnce: true)
        self.lock.unlock()
        if needsFlush {
            self.eventLoop.execute(self.flushTask)
        }
        return (outcome, number)
    }

    /// True if the event loop must be asked to flush; it then counts as asked.
    @inline(__always)
    private func wantsFlush(atOnce: Bool) -> Bool {
        if self.flush == .soon {
            return false
        }
        return self.wantsFlushNow(atOnce: atOnce)
    }

    @inline(never)
    private func wantsFlushNow(atOnce: Bool) -> Bool {
        guard self.mode != .buffering, self.mode != .ending else {
            return false
        }
        if self.flush == .delayed, !atOnce, self.frames.count < min(self.writeBufferSize, self.limit) {
            return false
        }
        self.flush = .soon
        return true
    }

    @inline(__always)
    private func append(
        subject: UnsafeRawBufferPointer,
        reply: UnsafeRawBufferPointer,
        headers: UnsafeRawBufferPointer,
        payload: UnsafeRawBufferPointer
    ) -> PublishOutcome {
        guard self.isKnown(subject) || self.learn(subject) else {
            return .badSubject
        }
        let bodyLength = headers.count &+ payload.count
        guard bodyLength <= self.maxPayload, self.frames.count < self.limit, headers.count == 0 || self.headersSupported
        else {
            return self.refusal(bodyLength: bodyLength, hasHeaders: headers.count > 0)
        }
        let target = self.frames.reserve(subject.count &+ reply.count &+ bodyLength &+ FrameWriter.overhead)
        let length = FrameWriter.write(subject: subject, reply: reply, headers: headers, payload: payload, to: target)
        self.frames.commit(length)
        self.messagesOut &+= 1
        self.bytesOut &+= UInt64(truncatingIfNeeded: bodyLength)
        return .accepted
    }

    private func append(
        _ payloads: ArraySlice<Range<Int>>,
        of bytes: UnsafeRawBufferPointer,
        headers: UnsafeRawBufferPointer,
        _ head: inout FrameHead
    ) -> Int {
        guard headers.count == 0 || self.headersSupported else {
            return 0
        }
        var (accepted, bodyBytes) = (0, 0)
        for range in payloads {
            let bodyLength = headers.count &+ range.count
            guard range.lowerBound >= 0, range.upperBound <= bytes.count, bodyLength <= self.maxPayload,
                self.frames.count < self.limit
            else {
                break
            }
            let line = head.line(payloadLength: range.count)
            let target = self.frames.reserve(line.count &+ bodyLength &+ FrameWriter.overhead)
            var position = target
            FrameWriter.copy(line, to: &position)
            FrameWriter.copy(headers, to: &position)
            FrameWriter.copy(UnsafeRawBufferPointer(rebasing: bytes[range]), to: &position)
            FrameWriter.writeLineEnd(to: &position)
            self.frames.commit(position - target)
            accepted &+= 1
            bodyBytes &+= bodyLength
        }
        self.messagesOut &+= UInt64(truncatingIfNeeded: accepted)
        self.bytesOut &+= UInt64(truncatingIfNeeded: bodyBytes)
        return accepted
    }

    @inline(__always)
    private func isKnown(_ subject: UnsafeRawBufferPointer) -> Bool {
        guard subject.count == self.knownSubjectLength, let bytes = subject.baseAddress else {
            return false
        }
        return equalBytes(bytes, UnsafeRawPointer(self.knownSubject), subject.count)
    }

    @inline(never)
    private func learn(_ subject: UnsafeRawBufferPointer) -> Bool {
        let isValid =
            self.validatesSubjects
            ? SubjectGrammar.isValidPublishSubject(subject) : SubjectRules.isOneWord(subject)
        guard isValid, let bytes = subject.baseAddress else {
            return false
        }
        if subject.count <= Self.knownSubjectCapacity {
            self.knownSubject.copyMemory(from: bytes, byteCount: subject.count)
            self.knownSubjectLength = subject.count
        }
        return true
    }

    // MARK: Refusals

    @inline(never)
    private func refusal(bodyLength: Int, hasHeaders: Bool) -> PublishOutcome {
        switch self.mode {
        case .closed, .drainingPublishes, .ending:
            return .refused
        case .connected, .buffering:
            break
        }
        if hasHeaders, !self.headersSupported {
            return .headersNotSupported
        }
        if bodyLength > self.maxPayload {
            return .payloadTooLarge
        }
        guard self.mode == .buffering else {
            return .full
        }
        switch self.disconnectedPublish {
        case .buffer:
            return .reconnectBufferExceeded
        case .fail:
            return .disconnected
        case .wait:
            return .full
        }
    }

    /// The error that says why an operation was refused.
    func error(for outcome: PublishOutcome, subject: String, reply: String?, bodyLength: Int) -> NATSError {
        switch outcome {
        case .accepted, .full:
            NATSError(.publishBufferFull, "more than \(self.highWaterMark) bytes wait to be written")
        case .badSubject:
            NATSError(.badSubject, "cannot publish to \"\(subject)\"")
        case .badReply:
            NATSError(.badSubject, "cannot publish with reply subject \"\(reply ?? "")\"")
        case .badHeader:
            NATSError(.badHeader, "a header has an invalid name, or a line break in its value")
        case .headersNotSupported:
            NATSError(.headersNotSupported, "the server does not support headers")
        case .payloadTooLarge:
            NATSError(
                .maximumPayloadExceeded,
                "headers and payload for \"\(subject)\" have \(bodyLength) bytes, "
                    + "the server allows \(self.lock.withLock { self.maxPayload })"
            )
        case .reconnectBufferExceeded:
            NATSError(.reconnectBufferExceeded, "the buffer for publishes while disconnected is full")
        case .disconnected:
            NATSError(.disconnected, "the client is not connected")
        case .refused:
            self.refusalError()
        }
    }

    /// Why nothing is accepted any more.
    func refusalError() -> NATSError {
        self.lock.withLock {
            self.mode == .drainingPublishes
                ? NATSError(.connectionDraining, "the client is draining")
                : NATSError(.connectionClosed, "the client is closed", cause: self.closeError)
        }
    }

    // MARK: Waiting for room

    /// Registers a task that waits until the buffer was taken; returns nil, having resumed it, if there is room already.
    func addWaiter(_ waiter: Waiter) -> UInt64? {
        let id: UInt64? = self.lock.withLock {
            let canWait = self.mode == .connected || self.mode == .buffering && self.disconnectedPublish == .wait
            guard canWait, self.frames.count >= self.limit else {
                return nil
            }
            self.nextWaiterID += 1
            self.waiters[self.nextWaiterID] = waiter
            return self.nextWaiterID
        }
        if id == nil {
            waiter.resume()
        }
        return id
    }

    /// The waiting task was cancelled.
    func cancelWaiter(_ id: UInt64) {
        self.lock.withLock { self.waiters.removeValue(forKey: id) }?.resume()
    }

    private func takeWaiters() -> [Waiter] {
        guard !self.waiters.isEmpty else {
            return []
        }
        let waiters = Array(self.waiters.values)
        self.waiters.removeAll()
        return waiters
    }

    // MARK: Subscriptions and PING

    /// Makes a subscription: its number, its `SUB` if there is a connection, its entry for the event loop.
    func subscribe(
        subject: String,
        queueGroup: String?,
        limits: NATSClientConfiguration.PendingLimits,
        isRequestInbox: Bool = false
    ) throws(NATSError) -> SubscriptionState {
        let result: Result<SubscriptionState, NATSError> = self.lock.withLock {
            let isLastStep = self.mode == .drainingPublishes
            guard self.mode == .connected || self.mode == .buffering || isLastStep else {
                return .failure(NATSError(.connectionClosed, "the client is closed", cause: self.closeError))
            }
            guard !isLastStep, !self.refusesSubscriptions || isRequestInbox else {
                return .failure(NATSError(.connectionDraining, "the client is draining"))
            }
            let sid = self.takeSid()
            let state = SubscriptionState(
                sid: sid,
                subject: subject,
                queueGroup: queueGroup,
                limits: limits,
                isRequestInbox: isRequestInbox,
                outbound: self
            )
            self.operations.append(
                .add(sid: sid, subject: subject, queueGroup: queueGroup, handle: .subscription(state))
            )
            if self.mode == .connected {
                self.frames.append(SubscriptionCommands.subscribe(subject: subject, queueGroup: queueGroup, sid: sid))
            }
            return .success(state)
        }
        let state = try result.get()
        self.scheduleFlush()
        return state
    }

    /// Ends a subscription at once, or after `maximum` messages in its whole life.
    func unsubscribe(sid: UInt64, maximum: UInt64?) {
        self.lock.withLock {
            guard self.mode != .closed else {
                return
            }
            if let maximum {
                self.operations.append(.limit(sid: sid, maximum: maximum))
            } else {
                self.operations.append(.remove(sid: sid))
            }
            if self.mode == .connected || self.mode == .drainingPublishes {
                let before = self.receivedBefore[sid] ?? 0
                // What was received already needs no number: the registry ends the subscription.
                let remainder = maximum.flatMap { $0 > before ? $0 - before : nil }
                self.frames.append(SubscriptionCommands.unsubscribe(sid: sid, maximum: remainder))
            }
        }
        self.scheduleFlush()
    }

    /// Asks the server for no more messages, while those on their way still count.
    func unsubscribeForDrain(sid: UInt64) {
        self.lock.withLock {
            guard self.mode != .closed else {
                return
            }
            self.operations.append(.stop(sid: sid))
            if self.mode == .connected || self.mode == .drainingPublishes {
                self.frames.append(SubscriptionCommands.unsubscribe(sid: sid, maximum: nil))
            }
        }
        self.scheduleFlush()
    }

    /// A subscription that held the reads back does so no longer.
    func resumeReads(of state: SubscriptionState, number: UInt64, dropped: UInt64) {
        self.lock.withLock {
            guard self.mode != .closed else {
                return
            }
            self.operations.append(.resumeReads(state, number: number, dropped: dropped))
        }
        self.scheduleFlush()
    }

    /// Sets the subject on which replies arrive; it is subscribed to by the first request.
    func setInbox(subject: String) {
        self.lock.withLock {
            self.inboxSubscription = (self.takeSid(), subject)
        }
    }

    private func takeSid() -> UInt64 {
        defer {
            self.nextSid += 1
        }
        return self.nextSid
    }

    private func subscribeInbox() {
        guard let (sid, subject) = self.inboxSubscription, self.mode == .connected || self.mode == .buffering else {
            return
        }
        self.isInboxSubscribed = true
        self.operations.append(.add(sid: sid, subject: subject, queueGroup: nil, handle: .requests))
        if self.mode == .connected {
            self.frames.append(SubscriptionCommands.subscribe(subject: subject, queueGroup: nil, sid: sid))
        }
    }

    /// The server refused the inbox: the next request subscribes anew.
    func inboxWasRefused() {
        self.lock.withLock {
            guard self.isInboxSubscribed, let subject = self.inboxSubscription?.subject else {
                return
            }
            self.isInboxSubscribed = false
            self.inboxSubscription = (self.takeSid(), subject)
        }
    }

    /// Sends a PING behind everything appended so far; without a connection, behind the buffered publishes once there
    /// is one.
    ///
    /// False if the client is closed.
    func ping(_ waiter: PingQueue.Waiter) -> Bool {
        let isOpen = self.lock.withLock {
            switch self.mode {
            case .connected, .drainingPublishes:
                self.frames.append(Array("PING\r\n".utf8))
                self.pings.append(waiter)
                return true
            case .buffering:
                self.pings.append(waiter)
                return true
            case .ending, .closed:
                return false
            }
        }
        if isOpen {
            self.scheduleFlush()
        }
        return isOpen
    }

    /// The server answered a PING: who sent the oldest unanswered one.
    func receivedPong() -> PingQueue.Waiter? {
        self.lock.withLock { self.pings.answered() }
    }

    /// Somebody waits for what was appended last: it does not gather with more.
    func endDelay() {
        let needsFlush = self.lock.withLock {
            self.isUrgent = true
            guard self.flush == .delayed else {
                return false
            }
            self.flush = .soon
            return true
        }
        if needsFlush {
            self.eventLoop.execute(self.flushTask)
        }
    }

    private func scheduleFlush() {
        let needsFlush = self.lock.withLock {
            self.isUrgent = true
            guard self.flush != .soon else {
                return false
            }
            self.flush = .soon
            return true
        }
        if needsFlush {
            self.eventLoop.execute(self.flushTask)
        }
    }

    // MARK: Event loop

    /// Takes what has to be done.
    ///
    /// With `canWrite` false the bytes stay, and ``writeCompleted(_:now:)`` or ``connected`` asks again. With `isHeld`
    /// nobody may do so for a while: the next operation has to ask by itself. `lastPing` sends a PING behind all bytes.
    func takeWork(canWrite: Bool, isHeld: Bool = false, now: UInt64, lastPing: PingQueue.Waiter? = nil) -> Work {
        self.lock.withLock {
            var work = Work()
            swap(&work.operations, &self.operations)
            guard canWrite, !isHeld else {
                if isHeld {
                    self.flush = .none
                }
                return work
            }
            let wasDelayed = self.flush == .delayed
            self.flush = .none
            self.isUrgent = false
            if let lastPing {
                self.frames.append(Array("PING\r\n".utf8))
                self.pings.append(lastPing)
            }
            if self.frames.count > 0, self.mode != .buffering, self.mode != .ending {
                self.pacer.took(self.messagesOut &- self.messagesHandedOver, wasDelayed: wasDelayed, now: now)
                work.bytes = self.handOver()
                work.waiters = self.takeWaiters()
                // Until the write completes nobody needs to wake the event loop.
                self.flush = .soon
            } else if wasDelayed {
                self.pacer.took(0, wasDelayed: true, now: now)
            }
            return work
        }
    }

    private func handOver() -> ByteBuffer {
        self.socketBytesOut += UInt64(self.frames.count)
        self.messagesHandedOver = self.messagesOut
        self.pings.handedOver()
        return self.frames.take(replacement: &self.spare)
    }

    /// The socket took the bytes; their memory may be used again.
    ///
    /// Says when to flush next; a flush that is due counts as asked for.
    func writeCompleted(_ bytes: consuming ByteBuffer, now: UInt64) -> NextFlush {
        self.lock.withLock {
            self.spare = bytes
            self.pacer.wrote(now: now)
            if self.isUrgent || self.frames.count >= min(self.writeBufferSize, self.limit) {
                self.flush = .soon
                return .now
            }
            if self.pacer.isStreaming {
                self.flush = .delayed
                return .delayed
            }
            let hasMore = self.frames.count > 0
            self.flush = hasMore ? .soon : .none
            return hasMore ? .now : .none
        }
    }

    /// The connection is usable.
    ///
    /// `replay` takes every operation and gives the bytes that restore the subscriptions; behind them come the publishes
    /// kept and the PINGs of those who still wait. It runs under the lock and must call nobody else.
    func connected(
        maxPayload: Int,
        headersSupported: Bool,
        replay: ([RegistryOperation]) -> SubscriptionReplay
    ) -> (bytes: ByteBuffer?, waiters: [Waiter]) {
        self.lock.withLock {
            guard self.mode == .buffering else {
                return (nil, [])
            }
            var operations: [RegistryOperation] = []
            swap(&operations, &self.operations)
            let kept = self.frames.take(replacement: &self.spare)
            let replay = replay(operations)
            self.receivedBefore = replay.received
            self.frames.append(replay.bytes)
            kept.withUnsafeReadableBytes { self.frames.append($0) }
            for _ in 0..<self.pings.unwrittenCount {
                self.frames.append(Array("PING\r\n".utf8))
            }
            self.mode = .connected
            self.limit = self.highWaterMark
            self.setServerLimits(maxPayload: maxPayload, headersSupported: headersSupported)
            let waiters = self.takeWaiters()
            guard self.frames.count > 0 else {
                self.flush = .none
                return (nil, waiters)
            }
            self.flush = .soon
            return (self.handOver(), waiters)
        }
    }

    /// Another connection takes the place of the one in use: what has been handed over is the old one's affair.
    ///
    /// `apply` takes every operation and gives the bytes that the new server has not been told yet; behind them come the
    /// publishes kept and the PINGs that were not handed over. It runs under the lock and must call nobody else.
    func switchConnection(
        maxPayload: Int,
        headersSupported: Bool,
        apply: ([RegistryOperation]) -> SubscriptionReplay
    ) -> Switch {
        self.lock.withLock {
            var result = Switch(receivedBefore: self.receivedBefore)
            guard self.mode == .connected else {
                return result
            }
            var operations: [RegistryOperation] = []
            swap(&operations, &self.operations)
            let kept = self.frames.take(replacement: &self.spare)
            let replay = apply(operations)
            self.frames.append(replay.bytes)
            // The new server was told of subscriptions when their operations were taken: a second time could revive one.
            self.frames.append(kept.withUnsafeReadableBytes { OutboundFrames.publishes(in: $0) })
            result.pings = self.pings.connectionLost()
            for _ in 0..<self.pings.unwrittenCount {
                self.frames.append(Array("PING\r\n".utf8))
            }
            self.receivedBefore = replay.received
            self.setServerLimits(maxPayload: maxPayload, headersSupported: headersSupported)
            result.waiters = self.takeWaiters()
            guard self.frames.count > 0 else {
                self.flush = .none
                return result
            }
            self.flush = .soon
            result.bytes = self.handOver()
            return result
        }
    }

    /// A later `INFO` changed the server's limits.
    func update(maxPayload: Int, headersSupported: Bool) {
        self.lock.withLock { self.setServerLimits(maxPayload: maxPayload, headersSupported: headersSupported) }
    }

    private func setServerLimits(maxPayload: Int, headersSupported: Bool) {
        self.maxPayload = maxPayload > 0 ? min(maxPayload, 64 << 20) : 64 << 20
        self.headersSupported = headersSupported
    }

    /// The connection was lost: publishes not handed over stay, other operations are forgotten.
    ///
    /// `isFinal`: there will be no other. Publishes are refused then, as they are while draining.
    func disconnected(isFinal: Bool) -> Loss {
        self.lock.withLock {
            var loss = Loss(messagesHandedOver: self.messagesHandedOver)
            guard self.mode == .connected || self.mode == .drainingPublishes else {
                return loss
            }
            loss.pings = self.pings.connectionLost()
            loss.waiters = self.takeWaiters()
            let bytes = self.frames.take(replacement: &self.spare)
            self.frames.append(bytes.withUnsafeReadableBytes { OutboundFrames.publishes(in: $0) })
            if isFinal || self.mode == .drainingPublishes || self.refusesSubscriptions {
                // The client is about to close.
                self.mode = .ending
                self.limit = -1
            } else {
                self.mode = .buffering
                self.limit = self.reconnectBufferSize
            }
            self.flush = .none
            return loss
        }
    }

    /// From now on subscriptions are refused.
    func drainSubscriptions() {
        self.lock.withLock { self.refusesSubscriptions = true }
    }

    /// From now on publishes are refused.
    func drainPublishes() {
        self.lock.withLock {
            if self.mode == .connected {
                self.mode = .drainingPublishes
                self.limit = -1
            }
        }
    }

    /// What is left when the client closes.
    struct Remainder {
        /// Subscriptions that other threads made last are among them, and must end like the others.
        var operations: [RegistryOperation] = []
        /// The last bytes, if there is a connection to take them.
        var bytes: ByteBuffer?
        var pings: [PingQueue.Waiter] = []
        var waiters: [Waiter] = []
    }

    /// From now on everything is refused.
    func close(error: NATSError?) -> Remainder {
        self.lock.withLock {
            var remainder = Remainder()
            guard self.mode != .closed else {
                return remainder
            }
            let canWrite = self.mode == .connected || self.mode == .drainingPublishes
            remainder.bytes = canWrite && self.frames.count > 0 ? self.handOver() : nil
            self.mode = .closed
            self.limit = -1
            self.closeError = error
            swap(&remainder.operations, &self.operations)
            self.flush = .soon
            remainder.pings = self.pings.removeAll()
            remainder.waiters = self.takeWaiters()
            return remainder
        }
    }

    /// PINGs that wait for a connection.
    var unwrittenPings: Int {
        self.lock.withLock { self.pings.unwrittenCount }
    }

    /// Whether subscriptions are refused.
    var isDrainingSubscriptions: Bool {
        self.lock.withLock { self.refusesSubscriptions }
    }

    /// Messages were dropped, for a consumer that is slow.
    func countDropped(_ count: Int) {
        self.lock.withLock { self.dropped += UInt64(count) }
    }

    /// Adds what is counted here.
    func addStatistics(to statistics: inout NATSStatistics) {
        self.lock.withLock {
            statistics.messagesOut = self.messagesOut
            statistics.bytesOut = self.bytesOut
            statistics.socketBytesOut = self.socketBytesOut
            statistics.bufferedBytes = self.frames.count
            statistics.dropped = self.dropped
        }
    }
}
