import NIOConcurrencyHelpers
import NIOCore

/// The replies to one request, of which there may be many, as an asynchronous sequence.
///
/// Ends as ``NATSClient/requestMany(_:to:headers:timeout:stall:maximum:while:)`` was told; ``endReason`` says why. When the
/// last reference goes, so does the subscription behind it. One task iterates.
public final class NATSReplies: Sendable {
    /// Why there are no more replies.
    public enum EndReason: Sendable, Hashable {
        /// As many as were asked for arrived.
        case maximum
        /// After the last reply none came for the time given as stall.
        case stall
        /// The time for all replies passed.
        case timeout
        /// A reply was the sign that there are no more.
        case sentinel
        /// Nobody is subscribed to the request's subject.
        case noResponders
        /// An empty reply whose headers have this status, of 400 or above: JetStream ends a series so.
        case status(Int)
        /// The client was drained or closed.
        case closed
        /// The server forbids the subject, or the connection was lost; the sequence threw the error.
        case failed
    }

    private let request: InboxRequest
    private let isWanted: (@Sendable (NATSMessage) -> Bool)?
    private let machine: NIOLockedValueBox<RequestManyStateMachine>

    init(
        request: InboxRequest,
        machine: RequestManyStateMachine,
        isWanted: (@Sendable (NATSMessage) -> Bool)?
    ) {
        self.request = request
        self.machine = NIOLockedValueBox(machine)
        self.isWanted = isWanted
    }

    /// Why the sequence has ended; nil while it has not.
    public var endReason: EndReason? {
        self.machine.withLockedValue { $0.endReason }
    }

    private func next() async throws(NATSError) -> NATSMessage? {
        guard case .wait(let limit) = self.machine.withLockedValue({ $0.next() }) else {
            self.request.subscription.unsubscribe()
            return nil
        }
        let start = NIODeadline.now()
        func waited() -> Duration {
            .nanoseconds((NIODeadline.now() - start).nanoseconds)
        }
        do throws(NATSError) {
            guard let message = try await self.request.subscription.next(timeout: limit) else {
                self.machine.withLockedValue { $0.finish(.closed) }
                return nil
            }
            let status = message.payloadSize == 0 ? message.status.flatMap { $0 >= 400 ? $0 : nil } : nil
            let isSentinel = status == nil && self.isWanted.map { !$0(message) } ?? false
            let isReply = self.machine.withLockedValue {
                $0.received(after: waited(), status: status, isSentinel: isSentinel)
            }
            if isReply {
                return message
            }
        } catch {
            guard error.code == .timeout else {
                if error.code != .cancelled, error.code != .slowConsumer {
                    self.machine.withLockedValue { $0.finish(.failed) }
                }
                throw error
            }
            self.machine.withLockedValue { $0.timedOut(after: Swift.max(limit, waited())) }
        }
        self.request.subscription.unsubscribe()
        return nil
    }
}

extension NATSReplies: AsyncSequence {
    /// One reply.
    public typealias Element = NATSMessage
    /// ``NATSError/Code/cancelled``, or what ended the subscription behind the replies.
    public typealias Failure = NATSError

    /// Waits for replies, one after the other.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let replies: NATSReplies

        /// The next reply, or nil when there are no more.
        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(NATSError) -> NATSMessage? {
            try await self.replies.next()
        }

        /// The next reply, or nil when there are no more.
        public mutating func next() async throws(NATSError) -> NATSMessage? {
            try await self.replies.next()
        }
    }

    /// An iterator; a second one shares the replies with the first.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(replies: self)
    }
}
