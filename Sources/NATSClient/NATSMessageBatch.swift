package import NATSWire
import NIOCore

/// Messages that one read brought for one subscription.
public struct NATSMessageBatch: Sendable, RandomAccessCollection {
    private let batch: MessageBatch
    private let range: Range<Int>

    init(batch: MessageBatch, range: Range<Int>) {
        self.batch = batch
        self.range = range
    }

    /// The position of the first message.
    public var startIndex: Int {
        self.range.lowerBound
    }

    /// The position behind the last message.
    public var endIndex: Int {
        self.range.upperBound
    }

    /// Lends the bytes of the messages from `position` on, and where in them each message lies: for what copies payloads
    /// without looking at the rest.
    package func withFrames<Result>(
        from position: Int,
        _ body: (UnsafeRawBufferPointer, ArraySlice<MessageFrame>) throws -> Result
    ) rethrows -> Result {
        try self.batch.bytes.withUnsafeReadableBytes { bytes in
            try body(bytes, self.batch.frames[self.range].dropFirst(position - self.startIndex))
        }
    }

    /// The message at a position.
    public subscript(position: Int) -> NATSMessage {
        precondition(self.range.contains(position), "index out of range")
        return NATSMessage(batch: self.batch, frame: self.batch.frames[position])
    }
}

/// The messages of a ``NATSSubscription`` batch by batch.
public struct NATSMessageBatches: AsyncSequence, Sendable {
    /// The messages of one read.
    public typealias Element = NATSMessageBatch
    /// As of the subscription.
    public typealias Failure = NATSError

    /// Takes batches from a subscription.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private var base: NATSSubscription.AsyncIterator

        init(_ subscription: NATSSubscription) {
            self.base = subscription.makeAsyncIterator()
        }

        /// The next batch, never empty; nil when the subscription has ended.
        public nonisolated(nonsending) mutating func next(
            isolation actor: (any Actor)?
        ) async throws(NATSError) -> NATSMessageBatch? {
            try await self.base.nextMessages()
        }

        /// The next batch, never empty; nil when the subscription has ended.
        public nonisolated(nonsending) mutating func next() async throws(NATSError) -> NATSMessageBatch? {
            try await self.base.nextMessages()
        }
    }

    let subscription: NATSSubscription

    /// The iterator.
    ///
    /// A subscription has one at a time: a second one traps while the first exists.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(self.subscription)
    }
}
