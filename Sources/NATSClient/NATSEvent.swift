/// Something that happened to a client beside its operations.
public enum NATSEvent: Sendable {
    /// Names a subscription in an event.
    public struct Subscription: Sendable, Hashable {
        /// The subscription's identifier on the wire.
        public let sid: UInt64
        /// Its subject.
        public let subject: String
        /// Its queue group, if it has one.
        public let queueGroup: String?
    }

    /// The first connection was made.
    case connected
    /// The connection was lost, or closed while connected; nil if the client was closed by its owner.
    case disconnected(NATSError?)
    /// An attempt to connect to one server failed.
    case reconnectAttemptFailed(server: String, error: NATSError)
    /// The connection was made again; subscriptions and buffered publishes have been written.
    case reconnected
    /// The cluster announced servers that were unknown so far; all that are known now.
    case discovered([String])
    /// The server is going to shut down.
    case lameDuckMode
    /// The client has left a server that is going to shut down; see ``NATSClientConfiguration/LameDuck/migrate``.
    case migrated(NATSMigration)
    /// A subscription's pending limits were reached: messages are being dropped, or the connection is not read.
    case slowConsumer(Subscription, dropped: UInt64)
    /// A slow subscription caught up; `dropped` counts the messages lost in the whole episode.
    case slowConsumerEnded(Subscription, dropped: UInt64)
    /// An error that no caller waits for; of a subscription if there is one.
    case error(NATSError, Subscription?)
    /// The client is closed for good; the error that ended it, or nil. Always the last event.
    case closed(NATSError?)
}

/// The events of a client from the call of ``NATSClient/events`` on; the newest 256 are kept for a slow reader.
///
/// Ends after ``NATSEvent/closed(_:)``.
public struct NATSEvents: AsyncSequence, Sendable {
    /// The iterator of ``NATSEvents``.
    public struct AsyncIterator: AsyncIteratorProtocol {
        var base: AsyncStream<NATSEvent>.AsyncIterator

        /// The next event, or nil after the last or when the task is cancelled.
        public mutating func next(isolation actor: isolated (any Actor)? = #isolation) async -> NATSEvent? {
            await self.base.next(isolation: actor)
        }

        /// The next event, or nil after the last or when the task is cancelled.
        public mutating func next() async -> NATSEvent? {
            await self.base.next(isolation: #isolation)
        }
    }

    let stream: AsyncStream<NATSEvent>

    /// An iterator; a second one shares the events with the first.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(base: self.stream.makeAsyncIterator())
    }
}
