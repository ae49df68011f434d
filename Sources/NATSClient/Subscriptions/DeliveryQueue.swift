import DequeModule
import NATSWire

/// What a subscription holds for its consumer: batches in order, under limits, until the end.
///
/// Generic over whoever waits, so that tests can wait with a string. What the consumer has finished is passed in, because
/// the consumer counts it without a lock.
struct DeliveryQueue<Waiter> {
    /// How much the consumer has finished since the beginning.
    struct Consumed: Equatable {
        var messages = 0
        var bytes = 0
    }

    /// What the arrival of messages leads to.
    struct PushAction {
        var waiters: [Waiter] = []
        var slowConsumer: SlowConsumerChange?
    }

    enum SlowConsumerChange: Equatable {
        /// The first message of an episode was dropped.
        case began(dropped: UInt64)
        /// The consumer caught up; messages lost in the whole episode.
        case ended(dropped: UInt64)
    }

    enum Next {
        /// Messages of a batch from `index` on.
        case messages(MessageBatch, index: Int)
        /// The queue is empty and stays so.
        case ended(NATSError?)
        /// The queue is empty.
        case empty
    }

    private enum End {
        case open
        /// What is queued is still delivered.
        case ended(NATSError?)
    }

    let maximumMessages: Int
    let maximumBytes: Int
    private var batches: Deque<MessageBatch> = []
    /// Number of the first message of the first batch.
    private var headNumber = 0
    private var pushedMessages = 0
    private var pushedBytes = 0
    private var waiters: [UInt64: Waiter] = [:]
    private var nextWaiterID: UInt64 = 0
    private var end = End.open
    private var isDiscarded = false
    private var episodeStart: UInt64?
    private(set) var dropped: UInt64 = 0
    private(set) var maxPendingMessages = 0
    private(set) var maxPendingBytes = 0

    init(limits: NATSClientConfiguration.PendingLimits) {
        self.maximumMessages = limits.messages ?? .max
        self.maximumBytes = limits.bytes ?? .max
    }

    func pendingMessages(_ consumed: Consumed) -> Int {
        self.isDiscarded ? 0 : self.pushedMessages - consumed.messages
    }

    func pendingBytes(_ consumed: Consumed) -> Int {
        self.isDiscarded ? 0 : self.pushedBytes - consumed.bytes
    }

    var isOpen: Bool {
        switch self.end {
        case .open:
            true
        case .ended:
            false
        }
    }

    /// Messages of one read arrived.
    ///
    /// `makeBatch` makes the batch of those that are accepted.
    mutating func push(
        _ frames: [MessageFrame],
        consumed: Consumed,
        makeBatch: ([MessageFrame], _ bodyBytes: Int) -> MessageBatch
    ) -> PushAction {
        var action = PushAction()
        guard self.isOpen else {
            return action
        }
        var messages = self.pendingMessages(consumed)
        var bytes = self.pendingBytes(consumed)
        // nats.go rearms with the next accepted message and so reports a busy consumer over and over (net.v1#506).
        let previousEpisode = self.episodeStart
        if previousEpisode != nil, self.isBelow80Percent(messages, bytes) {
            self.episodeStart = nil
        }

        var accepted = frames
        var bodyBytes = frames.reduce(0) { $0 &+ $1.bodyLength }
        if frames.count > self.maximumMessages - min(messages, self.maximumMessages)
            || bodyBytes > self.maximumBytes - min(bytes, self.maximumBytes)
        {
            accepted = []
            bodyBytes = 0
            for frame in frames {
                guard messages + accepted.count < self.maximumMessages,
                    frame.bodyLength <= self.maximumBytes - min(bytes + bodyBytes, self.maximumBytes)
                else {
                    continue
                }
                accepted.append(frame)
                bodyBytes += frame.bodyLength
            }
            if self.episodeStart == nil, accepted.count < frames.count {
                // One that ended with this very push goes on: it is told of once, at its end.
                self.episodeStart = previousEpisode ?? self.dropped
                if previousEpisode == nil {
                    action.slowConsumer = .began(dropped: UInt64(frames.count - accepted.count))
                }
            }
            self.dropped += UInt64(frames.count - accepted.count)
        }
        if let previousEpisode, self.episodeStart == nil {
            action.slowConsumer = .ended(dropped: self.dropped - previousEpisode)
        }
        guard !accepted.isEmpty else {
            return action
        }
        self.batches.append(makeBatch(accepted, bodyBytes))
        self.pushedMessages += accepted.count
        self.pushedBytes += bodyBytes
        messages += accepted.count
        bytes += bodyBytes
        self.maxPendingMessages = max(self.maxPendingMessages, messages)
        self.maxPendingBytes = max(self.maxPendingBytes, bytes)
        action.waiters = self.takeWaiters()
        return action
    }

    /// What the consumer gets next, given what it has finished.
    mutating func next(consumed: Consumed) -> Next {
        while let batch = self.batches.first {
            let index = max(0, consumed.messages - self.headNumber)
            if index < batch.frames.count {
                return .messages(batch, index: index)
            }
            self.headNumber += batch.frames.count
            self.batches.removeFirst()
        }
        if case .ended(let error) = self.end {
            return .ended(error)
        }
        return .empty
    }

    /// The error that ended the queue, if one did.
    var endError: NATSError? {
        switch self.end {
        case .open:
            nil
        case .ended(let error):
            error
        }
    }

    /// No more messages arrive; those queued are still delivered.
    ///
    /// Returns who waits for some.
    mutating func finish(_ error: NATSError?) -> [Waiter] {
        guard self.isOpen else {
            return []
        }
        self.end = .ended(error)
        return self.takeWaiters()
    }

    /// Drops what is queued.
    mutating func discard() {
        self.batches.removeAll()
        self.isDiscarded = true
    }

    /// Adds somebody who waits for messages; nil if there is no reason to wait.
    mutating func addWaiter(_ waiter: Waiter, consumed: Consumed) -> UInt64? {
        guard case .empty = self.next(consumed: consumed) else {
            return nil
        }
        self.nextWaiterID += 1
        self.waiters[self.nextWaiterID] = waiter
        return self.nextWaiterID
    }

    mutating func removeWaiter(_ id: UInt64) -> Waiter? {
        self.waiters.removeValue(forKey: id)
    }

    private mutating func takeWaiters() -> [Waiter] {
        guard !self.waiters.isEmpty else {
            return []
        }
        defer {
            self.waiters.removeAll(keepingCapacity: true)
        }
        return Array(self.waiters.values)
    }

    private func isBelow80Percent(_ messages: Int, _ bytes: Int) -> Bool {
        messages < self.maximumMessages - self.maximumMessages / 5 && bytes < self.maximumBytes - self.maximumBytes / 5
    }
}
