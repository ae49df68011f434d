/// Match results by subject; one per event loop and account.
///
/// A four-way set-associative table that starts small and doubles while it is crowded. Bounded twice: in slots, and in
/// bytes of results. Entries are found by hash, length and comparison of the subject's bytes.
struct MatchCache: ~Copyable {
    private struct Slot {
        var hash: UInt64
        var result: MatchResult.Pointer?
    }

    private static let ways = 4
    private static let smallestCapacity = 256
    private static let largestCapacity = 1 << 18

    private let index: SubscriptionIndex
    private let budget: MatchCacheBudget
    private var slots: UnsafeMutablePointer<Slot>
    private(set) var capacity: Int
    private(set) var count = 0
    private(set) var size = 0
    private var clock = 0
    /// Changes whenever a result is freed: pointers kept elsewhere are only good within an epoch.
    private(set) var epoch: UInt64 = 1
    /// How often a result was looked for in the table, and how often it had to be made.
    private(set) var lookUps = 0
    private(set) var misses = 0
    /// The result for a subject that is not worth keeping, until the next such one.
    private var passing: MatchResult.Pointer?
    private var recentInboxes: UnsafeMutablePointer<UInt32>

    /// Subjects below this are kept only when they are used again.
    ///
    /// Replies come to a new inbox each: keeping their results would only push others out. The second message to the same
    /// inbox, if not too many others come between, makes it an ordinary subject.
    private static let inboxPrefix: StaticString = "_INBOX."
    /// Answers to requests of other accounts, each under a subject of its own.
    private static let answerPrefix: StaticString = "_R_."
    private static let recentInboxCount = 1024

    init(index: SubscriptionIndex, budget: MatchCacheBudget) {
        self.index = index
        self.budget = budget
        self.capacity = Self.smallestCapacity
        self.slots = Self.allocate(Self.smallestCapacity)
        self.recentInboxes = .allocate(capacity: Self.recentInboxCount)
        self.recentInboxes.initialize(repeating: 0, count: Self.recentInboxCount)
    }

    deinit {
        self.budget.change(by: -self.size)
        if let passing { MatchResult.destroy(passing) }
        self.recentInboxes.deallocate()
        for slot in 0..<self.capacity {
            if let result = self.slots[slot].result { MatchResult.destroy(result) }
        }
        self.slots.deallocate()
    }

    // MARK: Hot path

    /// The result for a subject, right at `generation` or later.
    @inline(__always)
    mutating func lookUp(
        _ subject: UnsafePointer<UInt8>,
        _ count: Int,
        generation: UInt64,
        loop: ServerLoop
    ) -> MatchResult.Pointer {
        self.lookUps &+= 1
        let hash = self.index.hash(subject, count)
        let first = Int(truncatingIfNeeded: hash) & (self.capacity - 1) & ~(Self.ways - 1)
        for slot in first..<first + Self.ways where self.slots[slot].hash == hash {
            guard let result = self.slots[slot].result else { continue }
            guard result.pointee.subjectLength == count,
                ByteCompare.equal(result.pointee.subject, subject, count)
            else { continue }
            if result.pointee.generation >= generation { return result }
            return self.refresh(slot, result, subject, count, hash, loop)
        }
        if self.isNewInbox(subject, count, hash) { return self.pass(subject, count, loop) }
        return self.insert(subject, count, hash, loop)
    }

    // MARK: Misses

    private mutating func isNewInbox(_ subject: UnsafePointer<UInt8>, _ count: Int, _ hash: UInt64) -> Bool {
        guard
            Self.begins(subject, count, with: Self.inboxPrefix) || Self.begins(subject, count, with: Self.answerPrefix)
        else { return false }
        let tag = UInt32(truncatingIfNeeded: hash >> 32)
        let place = self.recentInboxes + Int(truncatingIfNeeded: hash) & (Self.recentInboxCount - 1)
        defer { place.pointee = tag }
        return place.pointee != tag
    }

    @inline(__always)
    private static func begins(_ subject: UnsafePointer<UInt8>, _ count: Int, with prefix: StaticString) -> Bool {
        count > prefix.utf8CodeUnitCount && ByteCompare.equal(subject, prefix.utf8Start, prefix.utf8CodeUnitCount)
    }

    @inline(never)
    private mutating func pass(_ subject: UnsafePointer<UInt8>, _ count: Int, _ loop: ServerLoop) -> MatchResult.Pointer
    {
        self.misses &+= 1
        let old = self.passing.take()
        if old != nil { self.epoch &+= 1 }
        let bytes = UnsafeBufferPointer(start: subject, count: count)
        let result = self.index.withMatch(bytes) { match, generation in
            MatchResult.make(
                subject: bytes,
                generation: generation,
                match: match,
                remote: self.index.remoteMatch(bytes),
                mapped: self.index.mapped(bytes),
                loop: loop,
                reusing: old
            )
        }
        self.passing = result
        return result
    }

    @inline(never)
    private mutating func refresh(
        _ slot: Int,
        _ result: MatchResult.Pointer,
        _ subject: UnsafePointer<UInt8>,
        _ count: Int,
        _ hash: UInt64,
        _ loop: ServerLoop
    ) -> MatchResult.Pointer {
        let bytes = UnsafeBufferPointer(start: subject, count: count)
        if let generation = self.index.revalidate(bytes, hash: hash, since: result.pointee.generation) {
            result.pointee.generation = generation
            return result
        }
        self.evict(slot)
        return self.fill(slot, bytes, hash, loop)
    }

    @inline(never)
    private mutating func insert(
        _ subject: UnsafePointer<UInt8>,
        _ count: Int,
        _ hash: UInt64,
        _ loop: ServerLoop
    ) -> MatchResult.Pointer {
        var slot = self.freeSlot(for: hash)
        if slot == nil, self.capacity < Self.largestCapacity, self.count * 4 >= self.capacity {
            self.grow()
            slot = self.freeSlot(for: hash)
        }
        let chosen: Int
        if let slot {
            chosen = slot
        } else {
            self.clock &+= 1
            let first = Int(truncatingIfNeeded: hash) & (self.capacity - 1) & ~(Self.ways - 1)
            chosen = first + self.clock & (Self.ways - 1)
            self.evict(chosen)
        }
        return self.fill(chosen, UnsafeBufferPointer(start: subject, count: count), hash, loop)
    }

    private mutating func fill(
        _ slot: Int,
        _ subject: UnsafeBufferPointer<UInt8>,
        _ hash: UInt64,
        _ loop: ServerLoop
    ) -> MatchResult.Pointer {
        self.misses &+= 1
        let result = self.index.withMatch(subject) { match, generation in
            MatchResult.make(
                subject: subject,
                generation: generation,
                match: match,
                remote: self.index.remoteMatch(subject),
                mapped: self.index.mapped(subject),
                loop: loop
            )
        }
        self.slots[slot] = Slot(hash: hash, result: result)
        self.count += 1
        self.size += result.pointee.size
        self.budget.change(by: result.pointee.size)
        // Results of other accounts may be in use, so those have to wait for the end of the tick.
        if self.budget.isExceeded { self.evict(untilBelow: self.size / 2, keeping: slot) }
        return result
    }

    private func freeSlot(for hash: UInt64) -> Int? {
        let first = Int(truncatingIfNeeded: hash) & (self.capacity - 1) & ~(Self.ways - 1)
        return (first..<first + Self.ways).first { self.slots[$0].result == nil }
    }

    private mutating func evict(_ slot: Int) {
        guard let result = self.slots[slot].result else { return }
        self.slots[slot].result = nil
        self.count -= 1
        self.size -= result.pointee.size
        self.budget.change(by: -result.pointee.size)
        self.epoch &+= 1
        MatchResult.destroy(result)
    }

    /// Throws away results for connections that are gone.
    mutating func evictDead() {
        for slot in 0..<self.capacity {
            if let result = self.slots[slot].result, result.pointee.hasDeadTarget { self.evict(slot) }
        }
        if let passing, passing.pointee.hasDeadTarget { self.dropPassing() }
    }

    private mutating func dropPassing() {
        guard let passing = self.passing.take() else { return }
        self.epoch &+= 1
        MatchResult.destroy(passing)
    }

    // MARK: Monitoring

    /// So many slots are looked at in one go.
    static let scannedAtOnce = 8192

    /// Subscriptions and queue groups in the results of the slots from `start`, in all and at most.
    func fanout(from start: Int) -> (total: Int, largest: Int) {
        var total = 0
        var largest = 0
        for slot in start..<max(start, min(self.capacity, start + Self.scannedAtOnce)) {
            guard let result = self.slots[slot].result else { continue }
            let fanout = result.pointee.plainCount + result.pointee.groupCount
            total += fanout
            largest = max(largest, fanout)
        }
        return (total, largest)
    }

    /// Throws away all results.
    mutating func clear() {
        self.dropPassing()
        guard self.count > 0 else { return }
        for slot in 0..<self.capacity { self.evict(slot) }
    }

    /// Throws away results until the rest is so small.
    mutating func evict(untilBelow size: Int, keeping kept: Int? = nil) {
        for slot in 0..<self.capacity where slot != kept {
            guard self.size > size else { return }
            self.evict(slot)
        }
    }

    private mutating func grow() {
        let old = self.slots
        let oldCapacity = self.capacity
        self.capacity *= 2
        self.slots = Self.allocate(self.capacity)
        for slot in 0..<oldCapacity {
            guard let result = old[slot].result else { continue }
            if let free = self.freeSlot(for: old[slot].hash) {
                self.slots[free] = old[slot]
            } else {
                self.count -= 1
                self.size -= result.pointee.size
                self.budget.change(by: -result.pointee.size)
                self.epoch &+= 1
                MatchResult.destroy(result)
            }
        }
        old.deallocate()
    }

    private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<Slot> {
        let slots = UnsafeMutablePointer<Slot>.allocate(capacity: capacity)
        slots.initialize(repeating: Slot(hash: 0, result: nil), count: capacity)
        return slots
    }
}

enum ByteCompare {
    @inline(__always)
    static func equal(_ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        let left = UnsafeRawPointer(left)
        let right = UnsafeRawPointer(right)
        if count >= 8 {
            var offset = 0
            let last = count - 8
            while offset < last {
                if left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                    != right.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                {
                    return false
                }
                offset += 8
            }
            return left.loadUnaligned(fromByteOffset: last, as: UInt64.self)
                == right.loadUnaligned(fromByteOffset: last, as: UInt64.self)
        }
        var offset = 0
        while offset < count {
            if left.load(fromByteOffset: offset, as: UInt8.self) != right.load(fromByteOffset: offset, as: UInt8.self) {
                return false
            }
            offset += 1
        }
        return true
    }
}
