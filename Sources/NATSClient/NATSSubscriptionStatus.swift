/// Where a ``NATSSubscription`` is in its life.
public enum NATSSubscriptionStatus: Sendable {
    /// Messages arrive.
    case active
    /// Messages arrive and are dropped, because the pending limits were reached; the newest message that was accepted tells
    /// when that is over.
    case slowConsumer
    /// No more messages are asked for; those on their way still arrive.
    case draining
    /// No more messages arrive; the error that ended the subscription, or nil.
    case closed(NATSError?)
}
