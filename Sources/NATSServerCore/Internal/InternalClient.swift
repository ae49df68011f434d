import NIOConcurrencyHelpers
import NIOCore

/// The server as one of its own clients: it publishes into accounts, and listens to subjects of accounts.
///
/// Everything here may be called from anywhere: any event loop, within a delivery or not, or no loop at all.
///
///     let internalClient = shared.internalClient
///     internalClient.publish(InternalMessage("$SYS.SERVER.x.STATSZ", payload: json), in: systemAccount)
///     let queue = internalClient.makeQueue()              // one per independent service
///     let subscription = internalClient.subscribe("$SYS.REQ.SERVER.PING", in: account, .queued(queue) { request in
///         internalClient.publish(InternalMessage(to: request.reply, payload: answer), in: account)
///         return nil                                      // or a future: the next request waits for it
///     })
///     subscription?.cancel()
///
/// *Publishing* happens on the first event loop, in the order of the calls from one place. It goes through exports,
/// imports and answers like a client's publish, but not through mappings, and never comes back to the server's own
/// subscriptions in that account (nats-server: the system client has no echo). Nothing is sent once the server ends.
///
/// *Subscriptions* stand in the account's index like a client's, so `no_responders` knows them; a match result finds them
/// once (``ServiceMatches``), and subjects without them pay for nothing. They last until ``InternalSubscription/cancel()``
/// or the end of the account, reloads included.
///
/// *Memory* is bounded by the queue: while more than ``InternalQueue/congested`` requests wait, a client that makes another
/// one is paused (``ClientConnection/pauseInput()``); what comes past the limits of the queue all the same is lost.
final class InternalClient: Sendable {
    private let loops: ServerLoops
    private let queues = NIOLockedValueBox<[InternalQueue]>([])

    init(loops: ServerLoops) { self.loops = loops }

    /// A queue for the requests of one service, as long as the server runs.
    ///
    /// - Parameter losses: Hears of what the queue cannot take.
    /// - Returns: the queue.
    func makeQueue(_ losses: QueueLosses? = nil) -> InternalQueue {
        let queue = InternalQueue(loops: self.loops, losses: losses)
        self.queues.withLockedValue { $0.append(queue) }
        return queue
    }

    /// The server ends: requests that wait are thrown away, those under way are waited for.
    func endQueues() async {
        let queues = self.queues.withLockedValue { queues in
            defer { queues = [] }
            return queues
        }
        for queue in queues { await queue.end(discarding: true) }
    }

    /// Publishes a message in an account.
    func publish(_ message: InternalMessage, in account: Account) {
        self.loops.onLoop(0) { $0.publish(message, in: account) }
    }

    /// Publishes messages in an account and hands all that they cause to the sockets or the other loops before it
    /// completes, so that a loop which is told something then does it later.
    ///
    /// Nothing is published if the loops have ended.
    func publishAndFlush(_ messages: [InternalMessage], in account: Account) async {
        await self.loops.answer(of: 0) { loop in
            for message in messages { loop.publish(message, in: account) }
            loop.flushNow()
        }
    }

    /// Whether anybody would get a message with a subject; for messages that are costly to make.
    func hasInterest(in subject: [UInt8], of account: Account) -> Bool {
        subject.withUnsafeBufferPointer { subject in
            account.index.withMatch(subject) { match, _ in
                !match.groups.isEmpty || match.plain.contains { !($0.service?.isInternal ?? false) }
                    || account.index.remoteMatch(subject) != nil
            }
        }
    }

    /// Listens to a subject, which may have wildcards.
    ///
    /// - Parameters:
    ///   - subject: The subject.
    ///   - account: The account.
    ///   - isLocal: Whether other servers are not told of it.
    ///   - delivery: Where the messages go.
    /// - Returns: the subscription; `nil` if there is no such subject.
    @discardableResult
    func subscribe(
        _ subject: String,
        in account: Account,
        isLocal: Bool = false,
        _ delivery: InternalSubscription.Delivery
    ) -> InternalSubscription? {
        let subscription = InternalSubscription(account: account, isLocal: isLocal, delivery: delivery)
        guard subscription.begin(Array(subject.utf8)) else { return nil }
        return subscription
    }
}

extension ServerLoop {
    /// Publishes one of the server's own messages; not while a delivery is under way.
    fileprivate func publish(_ message: InternalMessage, in account: Account) {
        guard !self.shared.isEnding else { return }
        self.publisher.publishOwn(message, in: account)
    }
}
