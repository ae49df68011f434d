import NATSWire
import NIOConcurrencyHelpers
import NIOCore
public import Synchronization

/// The inner half of a subscription: the queue between the event loop, which fills it, and the consumer.
///
/// `@unchecked Sendable`: `queue`, the rest of the private variables are touched only while `lock` is held,
/// `arrived` and its companions only on the event loop; the rest is constant or atomic.
@usableFromInline
final class SubscriptionState: @unchecked Sendable {
    typealias Waiter = UnsafeContinuation<Void, Never>
    typealias Queue = DeliveryQueue<Waiter>
    typealias Observer = @Sendable () -> Void

    let sid: UInt64
    let subject: String
    let queueGroup: String?
    /// The inbox of one request: a draining client lets it have its reply.
    let isRequestInbox: Bool
    private let outbound: OutboundBuffer

    private let lock = NIOLock()
    private var queue: Queue
    private var attachedIterators = 0
    /// The iterator has come back for more after the last message it was given.
    private var consumerIsIdle = true
    /// What the consumer had finished when it last came for more.
    private var settled = Queue.Consumed()
    private var isDrainStarted = false
    /// Messages go to a handler.
    private var isHandled = false
    /// Handlers that work on messages.
    private var workers = 0
    private var observers: [(id: UInt64, call: Observer)] = []
    private var nextObserverID: UInt64 = 0
    private var listeners: [UInt64: AsyncStream<NATSSubscriptionStatus>.Continuation] = [:]
    private var announcedStatus = NATSSubscriptionStatus.active

    /// What the consumer has finished.
    ///
    /// Written by the consumer alone (or under the lock), read by the event loop: plain relaxed stores, so that a
    /// message costs the consumer no lock.
    @usableFromInline let consumedMessages = Atomic<Int>(0)
    @usableFromInline let consumedBytes = Atomic<Int>(0)

    /// Queued messages are not wanted any more; the iterator drops those it holds.
    @usableFromInline let isDiscarded = Atomic<Bool>(false)

    // Event loop only: messages of the read that is being taken apart.
    private var arrived: [MessageFrame] = []
    /// The last message is among them: who takes it must find that the subscription has ended.
    var endsWithRead = false

    init(
        sid: UInt64,
        subject: String,
        queueGroup: String?,
        limits: NATSClientConfiguration.PendingLimits,
        isRequestInbox: Bool = false,
        outbound: OutboundBuffer
    ) {
        self.isRequestInbox = isRequestInbox
        self.sid = sid
        self.subject = subject
        self.queueGroup = queueGroup
        self.queue = DeliveryQueue(limits: limits)
        self.outbound = outbound
    }

    var eventSubscription: NATSEvent.Subscription {
        NATSEvent.Subscription(sid: self.sid, subject: self.subject, queueGroup: self.queueGroup)
    }

    // MARK: Event loop

    /// Takes messages of the current read; true if they are the first of it.
    func arrive(_ frames: inout [MessageFrame], accepting count: Int) -> Bool {
        if count < frames.count {
            frames.removeLast(frames.count - count)
        }
        if self.arrived.isEmpty {
            swap(&self.arrived, &frames)
            return true
        }
        self.arrived.append(contentsOf: frames)
        return false
    }

    /// Hands the messages of the current read to the consumer.
    func deliver(in bytes: ByteBuffer) -> (slowConsumer: Queue.SlowConsumerChange?, reads: Queue.ReadsChange?) {
        var frames: [MessageFrame] = []
        swap(&frames, &self.arrived)
        let outbound = self.outbound
        let (action, waiters) = self.lock.withLock {
            let action = self.queue.push(frames, consumed: self.consumed) { frames, bodyBytes in
                MessageBatch.make(frames: frames, in: bytes, bodyBytes: bodyBytes, outbound: outbound)
            }
            let waiters = self.endsWithRead ? self.queue.finish(nil) : []
            if action.slowConsumer != nil || action.reads != nil || self.endsWithRead {
                self.announce()
            }
            return (action, waiters)
        }
        for waiter in action.waiters {
            waiter.resume()
        }
        for waiter in waiters {
            waiter.resume()
        }
        if action.dropped > 0 {
            outbound.countDropped(action.dropped)
        }
        if case .failed = action.slowConsumer {
            self.callObservers()
        }
        return (action.slowConsumer, action.reads)
    }

    // MARK: Consumer

    private var consumed: Queue.Consumed {
        Queue.Consumed(
            messages: self.consumedMessages.load(ordering: .relaxed),
            bytes: self.consumedBytes.load(ordering: .relaxed)
        )
    }

    /// What has been finished, corrected (under the lock) if an iterator and ``nextMessage(timeout:)`` were mixed: the
    /// iterator then counts messages that the other has finished, and its count lags behind.
    private func settledConsumed() -> Queue.Consumed {
        let consumed = self.consumed
        if consumed.messages < self.settled.messages {
            self.consumedMessages.store(self.settled.messages, ordering: .relaxed)
            self.consumedBytes.store(self.settled.bytes, ordering: .relaxed)
        } else {
            self.settled = consumed
        }
        return self.settled
    }

    /// The next messages in the queue, waiting for some if need be; nil at the end.
    @usableFromInline
    func nextBatch() async throws(NATSError) -> (batch: MessageBatch, index: Int)? {
        while true {
            let (next, observers) = self.lock.withLock { () -> (Queue.Next, [(id: UInt64, call: Observer)]) in
                let consumed = self.settledConsumed()
                self.resumeReads(consumed)
                let next = self.queue.next(consumed: consumed, takingBatch: true)
                if case .messages = next {
                    self.consumerIsIdle = false
                    return (next, [])
                }
                self.consumerIsIdle = true
                return (next, self.observers)
            }
            for observer in observers {
                observer.call()
            }
            switch next {
            case .messages(let batch, let index):
                return (batch, index)
            case .ended(nil):
                return nil
            case .ended(.some(let error)):
                throw error
            case .empty:
                try await self.waitForMessages(timeout: nil)
            }
        }
    }

    /// One message, at most `timeout` from now; nil at the end.
    ///
    /// Callers may be several.
    func nextMessage(timeout: Duration?) async throws(NATSError) -> NATSMessage? {
        let deadline = timeout.map { NIODeadline.now() + $0.timeAmount }
        // nats.go NextMsg: once for each episode, before the messages that are there.
        let hasLost = self.lock.withLock {
            self.queue.isUnattended = false
            return self.queue.takeLoss(consumed: self.settledConsumed())
        }
        if hasLost {
            throw NATSError(.slowConsumer, "messages on \"\(self.subject)\" were dropped: the consumer is too slow")
        }
        while true {
            let (next, observers) = self.lock.withLock { () -> (Queue.Next, [(id: UInt64, call: Observer)]) in
                let consumed = self.settledConsumed()
                self.resumeReads(consumed)
                let next = self.queue.next(consumed: consumed)
                if case .messages(let batch, let index) = next {
                    self.settled.messages = consumed.messages + 1
                    self.settled.bytes = consumed.bytes + batch.frames[index].bodyLength
                    self.consumedMessages.store(self.settled.messages, ordering: .relaxed)
                    self.consumedBytes.store(self.settled.bytes, ordering: .relaxed)
                    return (next, [])
                }
                return (next, self.observers)
            }
            for observer in observers {
                observer.call()
            }
            switch next {
            case .messages(let batch, let index):
                return NATSMessage(batch: batch, frame: batch.frames[index])
            case .ended(nil):
                return nil
            case .ended(.some(let error)):
                throw error
            case .empty:
                try await self.waitForMessages(timeout: deadline)
            }
        }
    }

    /// Waits until there is something to take, or the end.
    private func waitForMessages(timeout deadline: NIODeadline?) async throws(NATSError) {
        switch await self.wait(until: deadline, on: self.outbound.eventLoop) {
        case .resumed: return
        case .cancelled:
            throw NATSError(.cancelled, "cancelled while waiting for a message on \"\(self.subject)\"")
        case .timedOut:
            // A message that came at the same moment is taken by the next call.
            throw NATSError(.timeout, "no message on \"\(self.subject)\" in time")
        }
    }

    func addWaiter(_ waiter: Waiter) -> UInt64? {
        let id = self.lock.withLock { self.queue.addWaiter(waiter, consumed: self.consumed) }
        if id == nil {
            waiter.resume()
        }
        return id
    }

    func cancelWaiter(_ id: UInt64) {
        self.lock.withLock { self.queue.removeWaiter(id) }?.resume()
    }

    /// An iterator begins; false if there is one already.
    func attachIterator() -> Bool {
        self.lock.withLock {
            guard self.attachedIterators == 0 else {
                return false
            }
            self.attachedIterators = 1
            self.consumerIsIdle = true
            self.queue.isUnattended = false
            return true
        }
    }

    /// The iterator is gone.
    func detachIterator() {
        let observers = self.lock.withLock {
            self.attachedIterators = 0
            self.queue.isUnattended = true
            self.resumeReads(self.settledConsumed())
            return self.observers
        }
        for observer in observers {
            observer.call()
        }
    }

    // MARK: End

    /// No message arrives any more; what is queued stays, unless `discardingQueued`.
    func finish(_ error: NATSError?, discardingQueued: Bool = false) {
        let (waiters, observers) = self.lock.withLock {
            if discardingQueued {
                self.queue.discard()
                self.isDiscarded.store(true, ordering: .relaxed)
            }
            let waiters = self.queue.finish(error)
            self.resumeReads(self.consumed)
            self.announce()
            return (waiters, self.observers)
        }
        for waiter in waiters {
            waiter.resume()
        }
        for observer in observers {
            observer.call()
        }
    }

    /// The client closes: messages that wait for a handler are not handled any more, those for an iterator stay.
    func close(_ error: NATSError?) {
        self.finish(error, discardingQueued: self.lock.withLock { self.isHandled })
    }

    func markHandled() {
        self.lock.withLock { self.isHandled = true }
    }

    /// Somebody drains the subscription; false if it has ended otherwise.
    @discardableResult
    func startDrain() -> Bool {
        self.lock.withLock {
            if self.queue.isOpen {
                self.isDrainStarted = true
                self.queue.isDraining = true
                self.resumeReads(self.consumed)
                self.announce()
            }
            return self.isDrainStarted
        }
    }

    // MARK: Under the lock

    /// Tells the connection that it may read on, if this subscription held it back and need not do so any more.
    private func resumeReads(_ consumed: Queue.Consumed) {
        guard let resume = self.queue.takeResume(consumed: consumed) else {
            return
        }
        self.announce()
        // The event loop takes them in their order; nobody is called under the lock.
        self.outbound.resumeReads(of: self, number: resume.number, dropped: resume.dropped)
    }

    /// Tells the listeners of the status if it is another one.
    ///
    /// On the event loop, so that they hear of changes in their order and not under the lock.
    private func announce() {
        let status = self.currentStatus
        guard !status.isSame(as: self.announcedStatus) else {
            return
        }
        self.announcedStatus = status
        guard !self.listeners.isEmpty else {
            return
        }
        let listeners = Array(self.listeners.values)
        let isLast = !self.queue.isOpen
        if isLast {
            self.listeners.removeAll()
        }
        self.outbound.eventLoop.execute {
            for listener in listeners {
                listener.yield(status)
                if isLast {
                    listener.finish()
                }
            }
        }
    }

    private var currentStatus: NATSSubscriptionStatus {
        guard self.queue.isOpen else {
            return .closed(self.queue.endError)
        }
        if self.isDrainStarted {
            return .draining
        }
        return self.queue.isSlow ? .slowConsumer : .active
    }

    // MARK: Status

    /// The status now and each that follows; the newest few are kept for a slow listener.
    func listen() -> AsyncStream<NATSSubscriptionStatus> {
        let (stream, continuation) = AsyncStream<NATSSubscriptionStatus>.makeStream(
            bufferingPolicy: .bufferingNewest(16)
        )
        let (status, id) = self.lock.withLock { () -> (NATSSubscriptionStatus, UInt64?) in
            let status = self.currentStatus
            guard self.queue.isOpen else {
                return (status, nil)
            }
            // Nobody else can give this continuation anything before the lock is free.
            continuation.yield(status)
            self.announcedStatus = status
            self.nextObserverID += 1
            self.listeners[self.nextObserverID] = continuation
            return (status, self.nextObserverID)
        }
        if let id {
            continuation.onTermination = { [weak self] _ in
                self?.lock.withLock { _ = self?.listeners.removeValue(forKey: id) }
            }
        } else {
            continuation.yield(status)
            continuation.finish()
        }
        return stream
    }

    /// Calls `observer`, now and on any thread whenever ``isDrained`` may have become true, until it is removed.
    func observeProgress(_ observer: @escaping Observer) -> UInt64 {
        let id = self.lock.withLock {
            self.nextObserverID += 1
            self.observers.append((self.nextObserverID, observer))
            return self.nextObserverID
        }
        observer()
        return id
    }

    /// Somebody works on a message: the consumer is not done.
    func beginWork() {
        self.lock.withLock { self.workers += 1 }
    }

    func endWork() {
        let isLast = self.lock.withLock {
            self.workers -= 1
            return self.workers == 0
        }
        if isLast {
            self.callObservers()
        }
    }

    private func callObservers() {
        for observer in self.lock.withLock({ self.observers }) {
            observer.call()
        }
    }

    func removeObserver(_ id: UInt64) {
        self.lock.withLock { self.observers.removeAll { $0.id == id } }
    }

    var observerCount: Int {
        self.lock.withLock { self.observers.count }
    }

    /// Nothing arrives any more, and whoever iterates has asked for more after the last message.
    ///
    /// Messages that nobody iterates over do not count: they stay readable after the client is closed.
    var isDrained: Bool {
        self.lock.withLock {
            guard !self.queue.isOpen, self.workers == 0 else {
                return false
            }
            guard self.attachedIterators > 0 else {
                return true
            }
            return self.consumerIsIdle && self.queue.pendingMessages(self.consumed) == 0
        }
    }

    var isOpen: Bool {
        self.lock.withLock { self.queue.isOpen }
    }

    var limits: NATSClientConfiguration.PendingLimits {
        self.lock.withLock { self.queue.limits }
    }

    func setLimits(_ limits: NATSClientConfiguration.PendingLimits) {
        self.lock.withLock {
            self.queue.setLimits(limits)
            self.resumeReads(self.settledConsumed())
        }
    }

    var status: NATSSubscriptionStatus {
        self.lock.withLock { self.currentStatus }
    }

    /// The error that ended the subscription, if one did.
    var endError: NATSError? {
        self.lock.withLock { self.queue.endError }
    }

    var statistics: NATSSubscriptionStatistics {
        self.lock.withLock {
            let consumed = self.consumed
            return NATSSubscriptionStatistics(
                pendingMessages: max(0, self.queue.pendingMessages(consumed)),
                pendingBytes: max(0, self.queue.pendingBytes(consumed)),
                maxPendingMessages: self.queue.maxPendingMessages,
                maxPendingBytes: self.queue.maxPendingBytes,
                delivered: UInt64(consumed.messages),
                dropped: self.queue.dropped
            )
        }
    }
}

extension SubscriptionState: WaiterHolder {}
