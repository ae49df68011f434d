import NATSWire
import NIOCore
public import Synchronization

/// Messages of one subject, or of one queue group's share of it, as an asynchronous sequence.
///
/// Messages arrive in the order in which the server sent them and wait in memory up to the subscription's pending limits;
/// what comes beyond is dropped and reported by ``NATSEvent/slowConsumer(_:dropped:)``. A subscription survives
/// reconnects. It ends when it is unsubscribed or drained, when its automatic limit is reached, when the server refuses
/// it (the sequence then throws ``NATSError/Code/permissionViolation``), or with its client. When the last reference
/// to it goes, it is unsubscribed.
///
/// One task iterates; ``next(timeout:)`` may be called by many.
public final class NATSSubscription: Sendable {
    @usableFromInline let state: SubscriptionState
    private let lifetime: ClientLifetime

    init(state: SubscriptionState, lifetime: ClientLifetime) {
        self.state = state
        self.lifetime = lifetime
    }

    deinit {
        if self.state.isOpen {
            self.state.finish(nil, discardingQueued: true)
            self.lifetime.core.outbound.unsubscribe(sid: self.state.sid, maximum: nil)
        }
    }

    /// The subscription's identifier on the wire.
    public var sid: UInt64 {
        self.state.sid
    }

    /// The subject subscribed to.
    public var subject: String {
        self.state.subject
    }

    /// The queue group, if the subscription has one.
    public var queueGroup: String? {
        self.state.queueGroup
    }

    /// Counters of this subscription.
    public var statistics: NATSSubscriptionStatistics {
        self.state.statistics
    }

    /// Where the subscription is in its life.
    public var status: NATSSubscriptionStatus {
        self.state.status
    }

    /// The status now and each change from the call on, for one listener; call it again for another.
    ///
    /// ``NATSSubscriptionStatus/slowConsumer`` begins an episode and ``NATSSubscriptionStatus/active`` ends it.
    public var statuses: NATSSubscriptionStatuses {
        NATSSubscriptionStatuses(stream: self.state.listen())
    }

    /// How much waits for the consumer at most.
    public var pendingLimits: NATSClientConfiguration.PendingLimits {
        self.state.limits
    }

    /// Changes how much may wait, for messages that arrive from now on; nothing that waits is dropped by that.
    ///
    /// - Throws: ``NATSError/Code/invalidConfiguration`` if a limit is not above zero.
    public func setPendingLimits(_ limits: NATSClientConfiguration.PendingLimits) throws(NATSError) {
        try limits.check()
        self.state.setLimits(limits)
    }

    /// Messages dropped because the pending limits were reached.
    public var droppedCount: UInt64 {
        self.state.statistics.dropped
    }

    /// Waits for one message.
    ///
    /// Do not mix with an iteration that goes on at the same time: both would see the same messages.
    ///
    /// What there is comes in this order: an ended subscription of which nothing is left ends; messages that were dropped
    /// are told of, once for each time that it began; then the messages that wait, also those of an ended subscription;
    /// then the wait. A status message, such as 503 of a request without responders, is a message like any other.
    ///
    /// - Parameter timeout: How long to wait; nil for without limit.
    /// - Returns: The message, or nil when the subscription has ended.
    /// - Throws: The error that ended the subscription; ``NATSError/Code/slowConsumer``, after which the next call goes on;
    ///   ``NATSError/Code/cancelled`` when the task is cancelled, without losing a message; ``NATSError/Code/timeout``.
    public func next(timeout: Duration? = nil) async throws(NATSError) -> NATSMessage? {
        try await self.state.nextMessage(timeout: timeout)
    }

    /// Ends the subscription at once; messages that are queued are discarded.
    ///
    /// Does nothing when it has ended.
    public func unsubscribe() {
        guard self.state.isOpen else {
            return
        }
        self.state.finish(nil, discardingQueued: true)
        self.lifetime.core.outbound.unsubscribe(sid: self.state.sid, maximum: nil)
    }

    /// Ends the subscription after it has received `count` messages in its whole life, those before this call included.
    ///
    /// At once if it has received as many already, and with 0; messages that are queued are still delivered.
    public func unsubscribe(after count: UInt64) {
        guard self.state.isOpen else {
            return
        }
        self.lifetime.core.outbound.unsubscribe(sid: self.state.sid, maximum: count)
    }

    /// Ends the subscription without losing a message: asks the server for no more, waits until all that were sent have
    /// arrived, then until the task that iterates has asked for more after the last of them.
    ///
    /// - Parameter timeout: Limit for all of that; nil for ``NATSClientConfiguration/drainTimeout``.
    /// - Throws: ``NATSError/Code/drainTimeout``, after which the subscription has ended all the same;
    ///   ``NATSError/Code/disconnected``, ``NATSError/Code/connectionClosed``; ``NATSError/Code/cancelled``.
    public func drain(timeout: Duration? = nil) async throws(NATSError) {
        try await self.lifetime.core.drain(self.state, timeout: timeout)
    }
}

extension NATSSubscription: AsyncSequence {
    /// One message.
    public typealias Element = NATSMessage
    /// Why a subscription ends otherwise than orderly, or ``NATSError/Code/cancelled``.
    public typealias Failure = NATSError

    /// Takes messages from a subscription, a batch under one lock.
    public struct AsyncIterator: AsyncIteratorProtocol {
        @usableFromInline let state: SubscriptionState
        // Keeps the subscription, and tells it when this iterator is gone.
        private let attachment: IteratorAttachment
        @usableFromInline var batch: MessageBatch?
        @usableFromInline var frames: [MessageFrame] = []
        @usableFromInline var index = 0
        @usableFromInline var consumedMessages = 0
        @usableFromInline var consumedBytes = 0

        init(_ subscription: NATSSubscription) {
            self.state = subscription.state
            self.attachment = IteratorAttachment(subscription)
        }

        // MARK: Hot path

        /// The next message, waiting for one if need be; nil when the subscription has ended.
        ///
        /// Runs where its caller runs. (An isolated parameter would mean the same, but a loop in a function that itself runs
        /// where its caller runs would then switch executors twice for each message.)
        @inlinable
        public nonisolated(nonsending) mutating func next(
            isolation actor: (any Actor)?
        ) async throws(NATSError) -> NATSMessage? {
            if self.index == self.frames.count || self.state.isDiscarded.load(ordering: .relaxed) {
                guard try await self.refill() else {
                    return nil
                }
            }
            return self.take()
        }

        /// The next message, waiting for one if need be; nil when the subscription has ended.
        @inlinable
        public nonisolated(nonsending) mutating func next() async throws(NATSError) -> NATSMessage? {
            try await self.next(isolation: nil)
        }

        @inlinable
        @inline(__always)
        mutating func take() -> NATSMessage? {
            guard let batch = self.batch else {
                return nil
            }
            let frame = self.frames[self.index]
            self.index &+= 1
            self.consumedMessages &+= 1
            self.consumedBytes &+= frame.bodyLength
            self.state.consumedMessages.store(self.consumedMessages, ordering: .relaxed)
            self.state.consumedBytes.store(self.consumedBytes, ordering: .relaxed)
            return NATSMessage(batch: batch, frame: frame)
        }

        @usableFromInline
        mutating func refill() async throws(NATSError) -> Bool {
            self.batch = nil
            self.frames = []
            self.index = 0
            guard let (batch, index) = try await self.state.nextBatch() else {
                return false
            }
            self.batch = batch
            self.frames = batch.frames
            self.index = index
            self.consumedMessages = self.state.consumedMessages.load(ordering: .relaxed)
            self.consumedBytes = self.state.consumedBytes.load(ordering: .relaxed)
            return true
        }

        mutating func nextMessages() async throws(NATSError) -> NATSMessageBatch? {
            guard try await self.refill(), let batch = self.batch else {
                return nil
            }
            let messages = NATSMessageBatch(batch: batch, range: self.index..<self.frames.count)
            var bytes = 0
            for frame in self.frames[self.index...] {
                bytes += frame.bodyLength
            }
            self.state.consumedMessages.store(self.consumedMessages + messages.count, ordering: .relaxed)
            self.state.consumedBytes.store(self.consumedBytes + bytes, ordering: .relaxed)
            self.index = self.frames.count
            return messages
        }
    }

    /// The iterator.
    ///
    /// A subscription has one at a time: a second one traps while the first exists.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(self)
    }

    /// The same messages, as they arrive: those of one read together.
    ///
    /// Counts as the subscription's iteration.
    public var batches: NATSMessageBatches {
        NATSMessageBatches(subscription: self)
    }
}

/// Ties an iterator to its subscription for as long as a copy of the iterator exists.
private final class IteratorAttachment: Sendable {
    private let subscription: NATSSubscription

    init(_ subscription: NATSSubscription) {
        precondition(
            subscription.state.attachIterator(),
            "a NATSSubscription has one iterator at a time; make one subscription for each consumer"
        )
        self.subscription = subscription
    }

    deinit {
        self.subscription.state.detachIterator()
    }
}
