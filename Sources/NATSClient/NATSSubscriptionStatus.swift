/// Where a ``NATSSubscription`` is in its life.
public enum NATSSubscriptionStatus: Sendable {
    /// Messages arrive.
    case active
    /// The pending limits were reached: messages that arrive are dropped, or the connection is not read, as the policy says.
    /// The newest message that was accepted, or the consumer's progress, tells when that is over.
    case slowConsumer
    /// No more messages are asked for; those on their way still arrive.
    case draining
    /// No more messages arrive; the error that ended the subscription, or nil.
    case closed(NATSError?)

    func isSame(as other: NATSSubscriptionStatus) -> Bool {
        switch (self, other) {
        case (.active, .active), (.slowConsumer, .slowConsumer), (.draining, .draining), (.closed, .closed): true
        case (.active, _), (.slowConsumer, _), (.draining, _), (.closed, _): false
        }
    }
}

/// The status of a ``NATSSubscription`` when it was asked for and each that followed; the newest 16 are kept for a slow
/// reader.
///
/// Ends after ``NATSSubscriptionStatus/closed(_:)``, and does not keep the subscription alive.
public struct NATSSubscriptionStatuses: AsyncSequence, Sendable {
    /// The iterator of ``NATSSubscriptionStatuses``.
    public struct AsyncIterator: AsyncIteratorProtocol {
        var base: AsyncStream<NATSSubscriptionStatus>.AsyncIterator

        /// The next status, or nil after the last or when the task is cancelled.
        public mutating func next(isolation actor: isolated (any Actor)? = #isolation) async -> NATSSubscriptionStatus?
        {
            await self.base.next(isolation: actor)
        }

        /// The next status, or nil after the last or when the task is cancelled.
        public mutating func next() async -> NATSSubscriptionStatus? {
            await self.base.next(isolation: #isolation)
        }
    }

    let stream: AsyncStream<NATSSubscriptionStatus>

    /// An iterator; a second one shares the changes with the first.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(base: self.stream.makeAsyncIterator())
    }
}
