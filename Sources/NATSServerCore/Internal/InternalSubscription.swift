import NIOConcurrencyHelpers
import NIOCore

/// A subject of an account that the server itself listens to; see ``InternalClient``.
final class InternalSubscription: Sendable {
    /// Where the messages go.
    enum Delivery: Sendable {
        /// To a function on the first event loop, one after the other; if it returns something, that is waited for before
        /// the next message of the queue.
        case queued(InternalQueue, InternalQueue.Handler)
        /// The same, with the client that published the message; `nil` if the server did.
        case queuedWithSender(InternalQueue, @Sendable (InternalMessage, InternalSender?) -> EventLoopFuture<Void>?)
        /// To a function on the event loop of the publishing connection, while the message is delivered: it must be
        /// quick, and may publish through ``InternalClient`` only. What is caused by each message belongs into a queue,
        /// whose pressure is returned.
        case inline(@Sendable (InternalMessage, ServerConnection) -> InternalQueue.Pressure)
    }

    let account: Account
    /// Whether other servers are not told of it: who asks them is not meant.
    let isLocal: Bool
    private let delivery: Delivery
    private let subscription = NIOLockedValueBox<Subscription?>(nil)

    init(account: Account, isLocal: Bool = false, delivery: Delivery) {
        self.account = account
        self.isLocal = isLocal
        self.delivery = delivery
    }

    /// Takes its place among the account's subscriptions.
    ///
    /// - Returns: `false` if the subject cannot be subscribed to.
    func begin(_ subject: [UInt8]) -> Bool {
        let subscription = Subscription(
            subject: subject,
            sid: self.account.register(self),
            service: .server(self),
            index: self.account.index
        )
        guard self.account.index.insert(subscription) else {
            self.account.forget(self)
            return false
        }
        self.subscription.withLockedValue { $0 = subscription }
        return true
    }

    /// Ends the subscription; messages that wait are still handled.
    func cancel() {
        guard let subscription = self.subscription.withLockedValue({ $0.take() }) else { return }
        self.account.forget(self)
        subscription.index.remove(subscription)
    }

    /// Takes a message in, within a delivery.
    func deliver(_ message: InternalMessage, from connection: ServerConnection) -> InternalQueue.Pressure {
        switch self.delivery {
        case .queued(let queue, let handler):
            return queue.put(message, handler)
        case .queuedWithSender(let queue, let handler):
            let sender = connection.internalSender
            return queue.put(message) { handler($0, sender) }
        case .inline(let handler):
            return handler(message, connection)
        }
    }
}
