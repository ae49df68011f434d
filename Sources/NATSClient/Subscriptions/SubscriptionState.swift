import NATSWire
import NIOConcurrencyHelpers
import NIOCore
public import Synchronization

/// The inner half of a subscription: the queue between the event loop, which fills it, and the consumer.
///
/// `@unchecked Sendable`: `queue`, the consumer counts and `progressObserver` are touched only while `lock` is held,
/// `arrived` and its companions only on the event loop; the rest is constant or atomic.
@usableFromInline
final class SubscriptionState: @unchecked Sendable {
    typealias Waiter = UnsafeContinuation<Void, Never>
    typealias Queue = DeliveryQueue<Waiter>

    let sid: UInt64
    let subject: String
    let queueGroup: String?
    private let outbound: OutboundBuffer

    private let lock = NIOLock()
    private var queue: Queue
    private var attachedIterators = 0
    /// The iterator has come back for more after the last message it was given.
    private var consumerIsIdle = true
    private var progressObserver: (@Sendable () -> Void)?

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

    init(
        sid: UInt64,
        subject: String,
        queueGroup: String?,
        limits: NATSClientConfiguration.PendingLimits,
        outbound: OutboundBuffer
    ) {
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
    func deliver(in bytes: ByteBuffer) -> Queue.SlowConsumerChange? {
        var frames: [MessageFrame] = []
        swap(&frames, &self.arrived)
        let outbound = self.outbound
        let action = self.lock.withLock {
            self.queue.push(frames, consumed: self.consumed) { frames, payloadBytes in
                MessageBatch.make(frames: frames, in: bytes, payloadBytes: payloadBytes, outbound: outbound)
            }
        }
        for waiter in action.waiters {
            waiter.resume()
        }
        return action.slowConsumer
    }

    // MARK: Consumer

    private var consumed: Queue.Consumed {
        Queue.Consumed(
            messages: self.consumedMessages.load(ordering: .relaxed),
            bytes: self.consumedBytes.load(ordering: .relaxed)
        )
    }

    /// The next messages in the queue, waiting for some if need be; nil at the end.
    @usableFromInline
    func nextBatch() async throws(NATSError) -> (batch: MessageBatch, index: Int)? {
        while true {
            let next = self.lock.withLock { () -> (Queue.Next, (@Sendable () -> Void)?) in
                let next = self.queue.next(consumed: self.consumed)
                if case .messages = next {
                    self.consumerIsIdle = false
                    return (next, nil)
                }
                self.consumerIsIdle = true
                return (next, self.progressObserver)
            }
            next.1?()
            switch next.0 {
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
        while true {
            let next = self.lock.withLock { () -> (Queue.Next, (@Sendable () -> Void)?) in
                let next = self.queue.next(consumed: self.consumed)
                if case .messages(let batch, let index) = next {
                    let consumed = self.consumed
                    self.consumedMessages.store(consumed.messages + 1, ordering: .relaxed)
                    self.consumedBytes.store(consumed.bytes + batch.frames[index].payloadLength, ordering: .relaxed)
                    return (next, nil)
                }
                return (next, self.progressObserver)
            }
            next.1?()
            switch next.0 {
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
        let registration = WaiterRegistration()
        let timedOut = NIOLockedValueBox(false)
        let timer = deadline.map { deadline in
            self.outbound.eventLoop.scheduleTask(deadline: deadline) {
                timedOut.withLockedValue { $0 = true }
                if let id = registration.cancelled() {
                    self.cancelWaiter(id)
                }
            }
        }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: Waiter) in
                let id = self.lock.withLock { self.queue.addWaiter(continuation, consumed: self.consumed) }
                guard let id else {
                    continuation.resume()
                    return
                }
                if registration.registered(id) {
                    self.cancelWaiter(id)
                }
            }
        } onCancel: {
            if let id = registration.cancelled() {
                self.cancelWaiter(id)
            }
        }
        timer?.cancel()
        if Task.isCancelled {
            throw NATSError(.cancelled, "cancelled while waiting for a message on \"\(self.subject)\"")
        }
        if timedOut.withLockedValue({ $0 }) {
            // A message that came at the same moment is taken by the next call.
            throw NATSError(.timeout, "no message on \"\(self.subject)\" in time")
        }
    }

    private func cancelWaiter(_ id: UInt64) {
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
            return true
        }
    }

    /// The iterator is gone.
    func detachIterator() {
        let observer = self.lock.withLock {
            self.attachedIterators = 0
            return self.progressObserver
        }
        observer?()
    }

    // MARK: End

    /// No message arrives any more; what is queued stays, unless `discardingQueued`.
    func finish(_ error: NATSError?, discardingQueued: Bool = false) {
        let (waiters, observer) = self.lock.withLock {
            if discardingQueued {
                self.queue.discard()
                self.isDiscarded.store(true, ordering: .relaxed)
            }
            return (self.queue.finish(error), self.progressObserver)
        }
        for waiter in waiters {
            waiter.resume()
        }
        observer?()
    }

    /// Calls `observer`, on any thread, whenever ``isDrained`` may have become true.
    func observeProgress(_ observer: @escaping @Sendable () -> Void) {
        self.lock.withLock { self.progressObserver = observer }
        observer()
    }

    /// Nothing arrives any more, and whoever iterates has asked for more after the last message.
    ///
    /// Messages that nobody iterates over do not count: they stay readable after the client is closed.
    var isDrained: Bool {
        self.lock.withLock {
            guard !self.queue.isOpen else {
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
