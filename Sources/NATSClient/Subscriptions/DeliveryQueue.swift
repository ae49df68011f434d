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
        /// Messages that were dropped, older ones for newer included.
        var dropped = 0
        var waiters: [Waiter] = []
        var slowConsumer: SlowConsumerChange?
        var reads: ReadsChange?
    }

    /// What the policy ``NATSClientConfiguration/SlowConsumerPolicy/pauseReads`` wants of the connection.
    enum ReadsChange: Equatable {
        /// Stop reading, for the reason with this number.
        case pause(UInt64)
        /// Go on: the reason with this number is gone.
        case resume(UInt64)
    }

    enum SlowConsumerChange: Equatable {
        /// The first message of an episode was dropped.
        case began(dropped: UInt64)
        /// The consumer caught up; messages lost in the whole episode.
        case ended(dropped: UInt64)
        /// Messages were dropped, and that ended the queue.
        case failed(dropped: UInt64)
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

    /// A batch, and how many of its first messages were dropped.
    private struct Entry {
        let batch: MessageBatch
        var skipped = 0
    }

    private(set) var limits: NATSClientConfiguration.PendingLimits
    private var batches: Deque<Entry> = []
    /// Number of the first message of the first batch; less for each that was dropped from its front.
    private var headNumber = 0
    /// The consumer serves itself from the first batch: nothing of it can be dropped.
    private var isHeadTaken = false
    /// Somebody has still to be told that messages were dropped.
    private var hasUnreportedLoss = false
    private var pushedMessages = 0
    private var pushedBytes = 0
    private var waiters: [UInt64: Waiter] = [:]
    private var nextWaiterID: UInt64 = 0
    private var end = End.open
    private var isDiscarded = false
    private var episodeStart: UInt64?
    private var isPausing = false
    private var pauseNumber: UInt64 = 0
    /// An iterator is gone and nobody has come since: reads do not wait for nobody, the newest messages are dropped.
    var isUnattended = false
    /// The server has been asked for no more: what is still on its way is taken in, and reads do not wait.
    var isDraining = false
    private(set) var dropped: UInt64 = 0
    private(set) var maxPendingMessages = 0
    private(set) var maxPendingBytes = 0

    init(limits: NATSClientConfiguration.PendingLimits) {
        self.limits = limits
    }

    private var maximumMessages: Int {
        self.limits.messages ?? .max
    }

    private var maximumBytes: Int {
        self.limits.bytes ?? .max
    }

    /// Counts for messages that arrive from now on.
    mutating func setLimits(_ limits: NATSClientConfiguration.PendingLimits) {
        self.limits = limits
    }

    /// Whether messages were dropped since the last call; true once for each episode.
    ///
    /// Not at the end: whoever has had everything is told why it ended.
    mutating func takeLoss(consumed: Consumed) -> Bool {
        guard self.hasUnreportedLoss, self.isOpen || self.pendingMessages(consumed) > 0 else {
            return false
        }
        self.hasUnreportedLoss = false
        return true
    }

    /// Whether reads that were paused may go on; they count as resumed then.
    ///
    /// Gives the number of the reason, and how many messages were lost in the episode that ends.
    mutating func takeResume(consumed: Consumed) -> (number: UInt64, dropped: UInt64)? {
        guard self.isPausing else {
            return nil
        }
        let isOver = self.isOpen && self.holdsReads
        guard !isOver || self.isBelow80Percent(self.pendingMessages(consumed), self.pendingBytes(consumed)) else {
            return nil
        }
        self.isPausing = false
        let dropped = self.episodeStart.map { self.dropped - $0 } ?? 0
        self.episodeStart = nil
        return (self.pauseNumber, dropped)
    }

    private var holdsReads: Bool {
        self.limits.policy == .pauseReads && !self.isUnattended && !self.isDraining
    }

    /// Whether messages are being dropped.
    var isSlow: Bool {
        self.episodeStart != nil
    }

    /// Never below zero: whoever takes single messages may have finished one that was dropped behind its back.
    func pendingMessages(_ consumed: Consumed) -> Int {
        self.isDiscarded ? 0 : max(0, self.pushedMessages - consumed.messages)
    }

    func pendingBytes(_ consumed: Consumed) -> Int {
        self.isDiscarded ? 0 : max(0, self.pushedBytes - consumed.bytes)
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
            if self.isPausing {
                self.isPausing = false
                action.reads = .resume(self.pauseNumber)
            }
        }

        var accepted = frames
        var bodyBytes = frames.reduce(0) { $0 &+ $1.bodyLength }
        if self.limits.policy == .pauseReads, !self.isUnattended {
            // What has been read is kept; that is one read more than the limits say.
        } else if frames.count > self.maximumMessages - min(messages, self.maximumMessages)
            || bodyBytes > self.maximumBytes - min(bytes, self.maximumBytes)
        {
            var lost = 0
            if self.limits.policy == .dropOldest {
                // A message that can never have room drives no other out.
                let possible = self.fitting(frames, 0, 0)
                lost = self.dropOldest(for: possible.frames.count, possible.bytes, consumed: consumed)
                messages = self.pendingMessages(consumed)
                bytes = self.pendingBytes(consumed)
            }
            (accepted, bodyBytes) = self.fitting(frames, messages, bytes)
            lost += frames.count - accepted.count
            if self.episodeStart == nil, lost > 0 {
                // One that ended with this very push goes on: it is told of once, at its end.
                self.episodeStart = previousEpisode ?? self.dropped
                if previousEpisode == nil {
                    self.hasUnreportedLoss = true
                    action.slowConsumer = .began(dropped: UInt64(lost))
                }
            }
            self.dropped += UInt64(lost)
            action.dropped = lost
        }
        if let previousEpisode, self.episodeStart == nil {
            action.slowConsumer = .ended(dropped: self.dropped - previousEpisode)
        }
        let lost = frames.count - accepted.count
        if lost > 0, self.limits.policy == .fail {
            action.slowConsumer = .failed(dropped: UInt64(lost))
            self.end = .ended(NATSError(.slowConsumer, "the pending limits of the subscription were reached"))
            action.waiters = self.takeWaiters()
        }
        guard !accepted.isEmpty else {
            return action
        }
        self.batches.append(Entry(batch: makeBatch(accepted, bodyBytes)))
        self.pushedMessages += accepted.count
        self.pushedBytes += bodyBytes
        messages += accepted.count
        bytes += bodyBytes
        self.maxPendingMessages = max(self.maxPendingMessages, messages)
        self.maxPendingBytes = max(self.maxPendingBytes, bytes)
        action.waiters += self.takeWaiters()
        if self.holdsReads, !self.isPausing, messages >= self.maximumMessages || bytes >= self.maximumBytes {
            self.isPausing = true
            self.pauseNumber += 1
            action.reads = .pause(self.pauseNumber)
            if self.episodeStart == nil {
                self.episodeStart = previousEpisode ?? self.dropped
                action.slowConsumer = previousEpisode == nil ? .began(dropped: 0) : nil
            }
        }
        return action
    }

    /// The messages that there is room for: the first ones, or the last ones if older ones go for newer.
    private func fitting(
        _ frames: [MessageFrame],
        _ messages: Int,
        _ bytes: Int
    ) -> (frames: [MessageFrame], bytes: Int) {
        var accepted: [MessageFrame] = []
        var bodyBytes = 0
        func take(_ frame: MessageFrame) {
            guard messages + accepted.count < self.maximumMessages,
                frame.bodyLength <= self.maximumBytes - min(bytes + bodyBytes, self.maximumBytes)
            else {
                return
            }
            accepted.append(frame)
            bodyBytes += frame.bodyLength
        }
        if self.limits.policy == .dropOldest {
            frames.reversed().forEach(take)
            accepted.reverse()
        } else {
            frames.forEach(take)
        }
        return (accepted, bodyBytes)
    }

    /// Drops the oldest messages until so many more, with so many bytes, have room; returns how many it dropped.
    private mutating func dropOldest(for count: Int, _ bodyBytes: Int, consumed: Consumed) -> Int {
        var lost = 0
        while true {
            let messages = self.pendingMessages(consumed)
            let bytes = self.pendingBytes(consumed)
            let isOver =
                count > self.maximumMessages - min(messages, self.maximumMessages)
                || bodyBytes > self.maximumBytes - min(bytes, self.maximumBytes)
            guard isOver, let frame = self.dropFirst(consumed: consumed) else {
                return lost
            }
            self.pushedMessages -= 1
            self.pushedBytes -= frame.bodyLength
            lost += 1
        }
    }

    /// Takes the oldest message out that the consumer has not got hold of.
    private mutating func dropFirst(consumed: Consumed) -> MessageFrame? {
        while let head = self.batches.first, !self.isHeadTaken {
            let index = max(0, consumed.messages - self.headNumber)
            if index < head.batch.frames.count {
                // The head begins one later; what is behind it keeps its numbers.
                self.headNumber -= 1
                return head.batch.frames[index]
            }
            self.removeHead()
        }
        while self.batches.count > 1 {
            let skipped = self.batches[1].skipped
            if skipped < self.batches[1].batch.frames.count {
                self.batches[1].skipped += 1
                return self.batches[1].batch.frames[skipped]
            }
            self.batches.remove(at: 1)
        }
        return nil
    }

    private mutating func removeHead() {
        guard let head = self.batches.popFirst() else {
            return
        }
        self.isHeadTaken = false
        self.headNumber += head.batch.frames.count - (self.batches.first?.skipped ?? 0)
    }

    /// What the consumer gets next, given what it has finished.
    ///
    /// `takingBatch`: it goes on to serve itself from the batch.
    mutating func next(consumed: Consumed, takingBatch: Bool = false) -> Next {
        while let batch = self.batches.first?.batch {
            let index = max(0, consumed.messages - self.headNumber)
            if index < batch.frames.count {
                if takingBatch {
                    self.isHeadTaken = true
                }
                return .messages(batch, index: index)
            }
            self.removeHead()
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
