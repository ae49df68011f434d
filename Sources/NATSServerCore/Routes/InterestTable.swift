/// The keys of an ``InterestLedger``: entries at places that stay while the key is there, found by subject and queue group.
///
///     entries  [ foo | — | bar q | … ]     a free place is chained to the next one
///     slots    [ 0 3 0 0 1 … ]             open addressing with linear probing: place + 1, 0 is free
///
/// A place is good for as long as its entry is in use and ``compact()`` is not called.
struct InterestTable {
    struct Entry {
        var subject: [UInt8] = []
        /// Empty for plain interest.
        var queue: [UInt8] = []
        /// Number of the last change that peers are told of; 0 marks a free place.
        var number: UInt64 = 0
        /// Local subscriptions with this key; of a free place, the next free one.
        var count: Int32 = -1
        fileprivate var hash: UInt32 = 0
    }

    private static let smallest = 16
    /// Below this nothing is worth compacting.
    private static let sparseFrom = 1024

    private let hash: SubjectHash
    private(set) var entries: ContiguousArray<Entry> = []
    private var slots: ContiguousArray<Int32> = []
    private var firstFree: Int32 = -1
    /// Entries in use.
    private(set) var count = 0

    init(hash: SubjectHash) { self.hash = hash }

    /// Whether three of four places or more are free.
    var isSparse: Bool { self.entries.count > Self.sparseFrom && self.count * 4 < self.entries.count }

    /// Bytes held, without those of subjects and queue groups, which belong to the subscriptions as well.
    var memory: Int {
        self.entries.capacity * MemoryLayout<Entry>.stride + self.slots.capacity * MemoryLayout<Int32>.stride
    }

    /// The place of a key.
    func find(_ subject: [UInt8], _ queue: [UInt8]) -> Int? {
        guard !self.slots.isEmpty else { return nil }
        let hash = self.hash(of: subject, queue)
        var slot = self.home(of: hash)
        while self.slots[slot] != 0 {
            let place = Int(self.slots[slot]) - 1
            if self.entries[place].hash == hash, self.entries[place].subject == subject,
                self.entries[place].queue == queue
            {
                return place
            }
            slot = self.after(slot)
        }
        return nil
    }

    /// Adds a key that is not there.
    ///
    /// - Returns: its place.
    mutating func insert(_ subject: [UInt8], _ queue: [UInt8], count: Int32) -> Int {
        if (self.count + 1) * 4 > self.slots.count * 3 { self.resize(to: max(Self.smallest, self.slots.count * 2)) }
        var entry = Entry(subject: subject, queue: queue)
        entry.count = count
        entry.hash = self.hash(of: subject, queue)
        let place: Int
        if self.firstFree >= 0 {
            place = Int(self.firstFree)
            self.firstFree = self.entries[place].count
            self.entries[place] = entry
        } else {
            place = self.entries.count
            self.entries.append(entry)
        }
        self.count += 1
        self.link(place)
        return place
    }

    mutating func setCount(_ count: Int32, at place: Int) { self.entries[place].count = count }

    mutating func setNumber(_ number: UInt64, at place: Int) { self.entries[place].number = number }

    /// Frees the place of a key.
    mutating func remove(at place: Int) {
        self.unlink(place)
        self.entries[place] = Entry()
        self.entries[place].count = self.firstFree
        self.firstFree = Int32(truncatingIfNeeded: place)
        self.count -= 1
    }

    /// Gives back what free places take; every entry gets another place.
    mutating func compact() {
        self.entries = self.entries.filter { $0.number != 0 }
        self.firstFree = -1
        var capacity = Self.smallest
        while self.count * 4 > capacity * 3 { capacity *= 2 }
        self.resize(to: capacity)
    }

    // MARK: Slots

    private func home(of hash: UInt32) -> Int { Int(hash) & (self.slots.count - 1) }

    private func after(_ slot: Int) -> Int { (slot + 1) & (self.slots.count - 1) }

    private mutating func link(_ place: Int) {
        var slot = self.home(of: self.entries[place].hash)
        while self.slots[slot] != 0 { slot = self.after(slot) }
        self.slots[slot] = Int32(truncatingIfNeeded: place + 1)
    }

    /// Takes a place out of its slot and moves those behind it up, so that no search ends too early.
    private mutating func unlink(_ place: Int) {
        var hole = self.home(of: self.entries[place].hash)
        while self.slots[hole] != Int32(truncatingIfNeeded: place + 1) { hole = self.after(hole) }
        var slot = self.after(hole)
        while self.slots[slot] != 0 {
            let home = self.home(of: self.entries[Int(self.slots[slot]) - 1].hash)
            // It may move unless its home lies behind the hole.
            let distance = (slot - home) & (self.slots.count - 1)
            if distance >= (slot - hole) & (self.slots.count - 1) {
                self.slots[hole] = self.slots[slot]
                hole = slot
            }
            slot = self.after(slot)
        }
        self.slots[hole] = 0
    }

    private mutating func resize(to capacity: Int) {
        self.slots = ContiguousArray(repeating: 0, count: capacity)
        for place in self.entries.indices where self.entries[place].number > 0 { self.link(place) }
    }

    private func hash(of subject: [UInt8], _ queue: [UInt8]) -> UInt32 {
        let first = subject.withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map { self.hash($0, bytes.count) } ?? 0
        }
        guard !queue.isEmpty else { return UInt32(truncatingIfNeeded: first) }
        let both = queue.withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map { self.hash($0, bytes.count, salt: first) } ?? first
        }
        return UInt32(truncatingIfNeeded: both)
    }
}
