/// Decides how a client drains: subscriptions first, then requests, then publishes, then the end.
///
/// nats.go `drainConnection`, but the caller learns when all of it is done.
struct DrainStateMachine {
    enum Action: Equatable {
        /// Refuse subscriptions, unsubscribe all but the inbox and flush.
        case unsubscribeAndFlush
        /// Wait until those who iterate have their messages.
        case awaitConsumers
        /// Wait until the requests have their replies.
        case awaitRequests
        /// Refuse publishes and flush what is there.
        case refusePublishesAndFlush
        case close(NATSError.Code?)
        /// Nothing to do now.
        case none
    }

    private enum State {
        case idle
        case flushingSubscriptions
        case awaitingConsumers
        case awaitingRequests
        case flushingPublishes
        case closing
    }

    private var state = State.idle
    private var timedOut = false

    var isDraining: Bool {
        switch self.state {
        case .idle:
            false
        case .flushingSubscriptions, .awaitingConsumers, .awaitingRequests, .flushingPublishes, .closing:
            true
        }
    }

    /// Somebody wants the client drained; a second wish joins the first.
    mutating func start() -> Action {
        guard case .idle = self.state else {
            return .none
        }
        self.state = .flushingSubscriptions
        return .unsubscribeAndFlush
    }

    /// The server answered the PING behind the last operation.
    mutating func flushed() -> Action {
        switch self.state {
        case .flushingSubscriptions:
            self.state = .awaitingConsumers
            return .awaitConsumers
        case .flushingPublishes:
            self.state = .closing
            return .close(self.timedOut ? .drainTimeout : nil)
        case .idle, .awaitingConsumers, .awaitingRequests, .closing:
            return .none
        }
    }

    /// No consumer has anything left.
    mutating func consumersAreDone() -> Action {
        guard case .awaitingConsumers = self.state else {
            return .none
        }
        self.state = .awaitingRequests
        return .awaitRequests
    }

    /// No request is waiting.
    mutating func requestsAreDone() -> Action {
        guard case .awaitingRequests = self.state else {
            return .none
        }
        self.state = .flushingPublishes
        return .refusePublishesAndFlush
    }

    /// The time given for draining is over: what is buffered still goes out, nobody is waited for.
    mutating func deadlinePassed() -> Action {
        switch self.state {
        case .flushingSubscriptions, .awaitingConsumers, .awaitingRequests:
            self.timedOut = true
            self.state = .flushingPublishes
            return .refusePublishesAndFlush
        case .flushingPublishes:
            self.state = .closing
            return .close(.drainTimeout)
        case .idle, .closing:
            return .none
        }
    }

    /// The connection was lost, or a flush failed.
    mutating func connectionLost() -> Action {
        switch self.state {
        case .idle, .closing:
            return .none
        case .flushingSubscriptions, .awaitingConsumers, .awaitingRequests, .flushingPublishes:
            self.state = .closing
            return .close(.disconnected)
        }
    }
}
