import DequeModule

/// Finds the copies among the messages of two connections with the same subscriptions: each message is delivered once.
///
/// The old connection's messages are always delivered, in their order. Those of the new one are held until the old one has
/// brought its last; a copy of what the old one brought cancels one of them, counted: two equal messages on both
/// connections are two messages. What is left is then delivered in its order, behind the old connection's. So whoever
/// publishes to one server sees his messages arrive in his order: each connection brings a run of them in that order, the
/// old one's begins first, the new one's ends last, and they overlap.
///
/// Messages that the old connection brings before ``newIsComplete()`` may be from before the new subscriptions, and have no
/// copies: those are expected, but not relied on, until ``forgetSuspects()``.
///
/// Generic over what is held.
struct OverlapMatcher<Message> {
    /// What makes two messages copies of each other, of one subscription: subject, reply subject, header block, payload.
    struct Key: Hashable {
        var sid: UInt64
        /// A digest of all of them, keyed by the process.
        var digest: Int
        var length: Int
    }

    enum Verdict: Equatable {
        /// The old connection has brought it: drop it.
        case copy
        /// Keep it with ``hold(_:_:bytes:)``.
        case hold
        /// There is no old connection any more that could bring it.
        case deliver
    }

    private struct Entry {
        let key: Key
        let message: Message
        let bytes: Int
    }

    private let maximumMessages: Int
    private let maximumBytes: Int
    /// Those that were cancelled in between are nil.
    private var held: Deque<Entry?> = []
    /// The number of the first of them.
    private var firstNumber = 0
    private var heldNumbers: [Key: Deque<Int>] = [:]
    private var awaited: [Key: Int] = [:]
    /// Messages whose copies may come: the newest half of them, and the half before.
    private var suspects: [Key: Int] = [:]
    private var olderSuspects: [Key: Int] = [:]
    private var suspectCount = 0
    private var olderSuspectCount = 0
    /// Copies that were taken for those of suspects.
    private var copiesOfSuspects: [Key: Int] = [:]
    private var copiesOfSuspectsCount = 0
    private var isNewComplete = false
    private var areForgotten = false
    private var isOldDone = false

    private(set) var heldMessages = 0
    private(set) var heldBytes = 0
    private(set) var awaitedMessages = 0
    private(set) var largestHeldMessages = 0
    private(set) var largestHeldBytes = 0
    /// Copies found so far.
    private(set) var copies: UInt64 = 0
    /// Messages whose copies would not be known any more.
    private(set) var forgotten: UInt64 = 0

    init(maximumMessages: Int = 65_536, maximumBytes: Int = 8 << 20) {
        self.maximumMessages = maximumMessages
        self.maximumBytes = maximumBytes
    }

    /// There is no room for more; one read more is taken all the same.
    var isFull: Bool {
        self.heldMessages >= self.maximumMessages || self.heldBytes >= self.maximumBytes
            || self.held.count >= 4 * self.maximumMessages
    }

    /// No copy is expected, and nothing held.
    var isSettled: Bool {
        self.isOldDone && self.awaitedMessages == 0 && self.suspects.isEmpty && self.olderSuspects.isEmpty
    }

    /// The old connection brought a message, which is delivered.
    mutating func arrivedOnOld(_ key: Key) {
        if self.areForgotten, Self.take(key, from: &self.copiesOfSuspects) {
            // Of equal messages one too many may have been dropped: rather one too many is delivered.
            self.copiesOfSuspectsCount -= 1
            return
        }
        if let index = self.heldNumbers.index(forKey: key), let number = self.heldNumbers.values[index].popFirst() {
            if self.heldNumbers.values[index].isEmpty {
                self.heldNumbers.remove(at: index)
            }
            self.cancel(number)
            self.copies += 1
            if !self.isNewComplete {
                // This one may be from before the new subscriptions, and the one that was held a copy of the next.
                self.tookCopyOfSuspect(key)
            }
            return
        }
        guard self.isNewComplete else {
            return self.areForgotten ? () : self.suspect(key)
        }
        if Self.take(key, from: &self.copiesOfSuspects) {
            // That was this one's copy: one of an equal message before may still come, or not.
            self.copiesOfSuspectsCount -= 1
            return self.suspect(key)
        }
        // Beyond the bound a copy may be delivered; nothing is lost by that.
        guard self.awaitedMessages < self.maximumMessages else {
            self.forgotten += 1
            return
        }
        self.awaitedMessages += 1
        self.awaited[key, default: 0] += 1
    }

    private mutating func suspect(_ key: Key) {
        if self.suspectCount >= self.maximumMessages / 2 {
            // The oldest of them are the least likely to have copies that are still to come.
            self.forgotten += UInt64(self.olderSuspectCount)
            self.olderSuspects = self.suspects
            self.olderSuspectCount = self.suspectCount
            self.suspects = [:]
            self.suspectCount = 0
        }
        self.suspects[key, default: 0] += 1
        self.suspectCount += 1
    }

    /// The new connection brought a message.
    mutating func arrivedOnNew(_ key: Key) -> Verdict {
        if Self.take(key, from: &self.awaited) {
            self.awaitedMessages -= 1
            self.copies += 1
            return .copy
        }
        let isNewer = Self.take(key, from: &self.suspects)
        if isNewer || Self.take(key, from: &self.olderSuspects) {
            if isNewer {
                self.suspectCount -= 1
            } else {
                self.olderSuspectCount -= 1
            }
            self.tookCopyOfSuspect(key)
            self.copies += 1
            return .copy
        }
        return self.isOldDone ? .deliver : .hold
    }

    private mutating func tookCopyOfSuspect(_ key: Key) {
        if self.copiesOfSuspectsCount < self.maximumMessages {
            self.copiesOfSuspects[key, default: 0] += 1
            self.copiesOfSuspectsCount += 1
        }
    }

    mutating func hold(_ message: Message, _ key: Key, bytes: Int) {
        self.heldNumbers[key, default: []].append(self.firstNumber + self.held.count)
        self.held.append(Entry(key: key, message: message, bytes: bytes))
        self.heldMessages += 1
        self.heldBytes += bytes
        self.largestHeldMessages = max(self.largestHeldMessages, self.heldMessages)
        self.largestHeldBytes = max(self.largestHeldBytes, self.heldBytes)
    }

    /// Both connections bring everything that is published from now on.
    mutating func newIsComplete() {
        self.isNewComplete = true
    }

    /// Copies of what came before have had their time.
    ///
    /// Those that were taken for copies of suspects may have been of messages that the old connection is still to bring, and
    /// are remembered.
    mutating func forgetSuspects() {
        self.areForgotten = true
        self.suspects = [:]
        self.olderSuspects = [:]
        self.suspectCount = 0
        self.olderSuspectCount = 0
    }

    /// The old connection has brought its last message; gives those that it did not bring, in their order.
    mutating func oldEnded() -> [Message] {
        self.isOldDone = true
        let messages = self.held.compactMap { $0?.message }
        self.firstNumber += self.held.count
        self.held = []
        self.heldNumbers = [:]
        self.heldMessages = 0
        self.heldBytes = 0
        return messages
    }

    private mutating func cancel(_ number: Int) {
        let index = number - self.firstNumber
        guard self.held.indices.contains(index), let entry = self.held[index] else {
            return
        }
        self.held[index] = nil
        self.heldMessages -= 1
        self.heldBytes -= entry.bytes
        while let first = self.held.first, first == nil {
            self.held.removeFirst()
            self.firstNumber += 1
        }
    }

    private static func take(_ key: Key, from counts: inout [Key: Int]) -> Bool {
        guard let index = counts.index(forKey: key) else {
            return false
        }
        counts.values[index] -= 1
        if counts.values[index] == 0 {
            counts.remove(at: index)
        }
        return true
    }
}
