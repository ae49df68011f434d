/// What the local subscribers of one account are interested in, and what each peer still has to be told of it.
///
/// Counts subscriptions by subject and queue group. A change that concerns peers gets the next number: plain interest when
/// its first subscription comes and its last one goes, a queue group whenever its weight changes. Nothing is kept for each
/// peer but a *cursor*: how far it has been told. What lies behind a cursor is told as it is now, each key once, in order of
/// its last change:
///
///     changes   1 foo   2 bar q   3 foo (gone)   4 bar q (weight 2)   5 baz
///     log               ·         3 foo          4 bar q              5 baz     cursor at 2: RS- foo, RS+ bar q 2, RS+ baz
///
/// A new cursor begins with a snapshot of all keys, and then reads the log from where it was when the snapshot began.
///
/// Memory. A key takes 65 bytes at 100,000 keys (measured; subject and queue group are the arrays of a subscription and
/// cost nothing more) with up to 64 cursors. A key that is gone stays only while a cursor has told its peer of it and not
/// yet of its end: a bit for each key and cursor says so, set when a key changes and meaningful only to cursors behind that
/// change. So a cursor that never moves on holds no more than the keys its peer knows, however many come and go. The log
/// holds at most twice as many changes (or 64) as there are keys.
///
/// A change costs a look-up and a bit for each cursor. A pure value: no lock, no clock.
struct InterestLedger {
    /// What a peer is to be told of one key.
    struct Update: Equatable {
        let subject: [UInt8]
        /// Empty for plain interest.
        let queue: [UInt8]
        /// Members of the queue group, or the number of plain subscriptions; 0: there is no interest any more.
        let weight: Int
    }

    /// Names one peer's place in the ledger.
    struct Cursor: Hashable {
        fileprivate let slot: Int
        fileprivate let serial: UInt64
    }

    private struct State {
        let serial: UInt64
        /// Number of the last change when the cursor was made.
        let start: UInt64
        /// Changes up to this number have been told.
        var position: UInt64
        /// The next place of the table that the snapshot looks at; `nil` once it is complete.
        var snapshot: Int?

        /// Whether the peer has been told of an entry as it is since its last change.
        func hasPassed(_ number: UInt64, at place: Int) -> Bool {
            guard number <= self.position else { return false }
            return number > self.start || place < (self.snapshot ?? .max)
        }
    }

    private struct Change {
        let number: UInt64
        let place: Int32
    }

    private static let smallLog = 64

    /// The number of the last change; a cursor at this position has nothing to tell.
    private(set) var latest: UInt64 = 0
    /// Keys with a subscription.
    private(set) var liveCount = 0
    private var table: InterestTable
    /// The changes that some cursor has not told, in order; those with another number than their entry are outdated.
    private var log: ContiguousArray<Change> = []
    private var bits = CursorBits()
    private var cursors: [State?] = []
    private var cursorCount = 0
    private var lastSerial: UInt64 = 0

    init(hash: SubjectHash) { self.table = InterestTable(hash: hash) }

    /// Keys that are kept: those with a subscription, and those whose end some peer has to be told of.
    var keyCount: Int { self.table.count }

    /// Changes that are kept, outdated ones included.
    var logCount: Int { self.log.count }

    /// Bytes held, without those of subjects and queue groups.
    var memory: Int {
        self.table.memory + self.bits.memory + self.log.capacity * MemoryLayout<Change>.stride
    }

    /// Subscriptions came (or went, if negative).
    ///
    /// - Parameters:
    ///   - subject: What they want, wildcards included.
    ///   - queue: Their queue group; empty if they have none.
    ///   - count: How many; no more go than there are.
    mutating func change(_ subject: [UInt8], queue: [UInt8], by count: Int) {
        guard let place = self.table.find(subject, queue) else {
            guard count > 0 else { return }
            self.liveCount += 1
            self.record(self.table.insert(subject, queue, count: Int32(clamping: count)), wasLive: false)
            return
        }
        let before = self.table.entries[place].count
        let after = Int32(clamping: max(0, Int(before) + count))
        guard after != before else { return }
        self.table.setCount(after, at: place)
        if before == 0 { self.liveCount += 1 }
        if after == 0 { self.liveCount -= 1 }
        guard !queue.isEmpty || before == 0 || after == 0 else { return }
        self.record(place, wasLive: before > 0)
    }

    private mutating func record(_ place: Int, wasLive: Bool) {
        let isKnown = self.noteBeliefs(of: place, wasLive: wasLive)
        guard isKnown || self.table.entries[place].count > 0 else {
            // It came and went unseen.
            self.table.remove(at: place)
            self.compactLog()
            if self.cursorCount == 0, self.table.isSparse { self.table.compact() }
            return
        }
        self.latest += 1
        self.table.setNumber(self.latest, at: place)
        guard self.cursorCount > 0 else { return }
        self.log.append(Change(number: self.latest, place: Int32(truncatingIfNeeded: place)))
        self.compactLog()
    }

    /// Notes which peers know a key before it changes.
    ///
    /// - Returns: whether any does.
    private mutating func noteBeliefs(of place: Int, wasLive: Bool) -> Bool {
        guard self.cursorCount > 0 else { return false }
        self.bits.reserve(entries: self.table.entries.count, cursors: self.cursors.count)
        let number = self.table.entries[place].number
        guard number > 0 else {
            self.bits.clear(place)
            return false
        }
        var isKnown = false
        for slot in self.cursors.indices {
            guard let cursor = self.cursors[slot] else {
                self.bits[place, slot] = false
                continue
            }
            if cursor.hasPassed(number, at: place) {
                self.bits[place, slot] = wasLive
            } else if number <= cursor.start {
                self.bits[place, slot] = false
            }
            isKnown = isKnown || self.bits[place, slot]
        }
        return isKnown
    }

    // MARK: Cursors

    /// Begins to tell a peer, which knows nothing.
    mutating func makeCursor() -> Cursor {
        self.lastSerial += 1
        var state = State(serial: self.lastSerial, start: self.latest, position: self.latest)
        if self.liveCount > 0 { state.snapshot = 0 }
        let slot = self.cursors.firstIndex { $0 == nil } ?? self.cursors.count
        if slot == self.cursors.count { self.cursors.append(nil) }
        self.cursors[slot] = state
        self.cursorCount += 1
        return Cursor(slot: slot, serial: state.serial)
    }

    /// The peer is gone.
    mutating func remove(_ cursor: Cursor) {
        guard let state = self.state(of: cursor) else { return }
        for change in self.log[self.firstChange(after: state.position)...] {
            let place = Int(change.place)
            let entry = self.table.entries[place]
            guard entry.number == change.number, entry.count == 0 else { continue }
            self.forget(place, cursor.slot)
        }
        self.cursors[cursor.slot] = nil
        self.cursorCount -= 1
        self.settle()
        self.compactLog()
    }

    /// The peer is to hear nothing more.
    ///
    /// - Returns: the end of everything that it knows.
    mutating func withdraw(_ cursor: Cursor) -> [Update] {
        guard let state = self.state(of: cursor) else { return [] }
        var known: [Update] = []
        for (place, entry) in self.table.entries.enumerated() where entry.number > 0 {
            let isKnown =
                state.hasPassed(entry.number, at: place)
                ? entry.count > 0 : entry.number > state.start && self.bits[place, cursor.slot]
            if isKnown { known.append(Update(subject: entry.subject, queue: entry.queue, weight: 0)) }
        }
        self.remove(cursor)
        return known
    }

    /// The peer may not have kept what it was told, and is to be told all of it again.
    ///
    /// - Returns: where it is told from now on, and the end of what it knows and nobody wants any more.
    mutating func restart(_ cursor: Cursor) -> (cursor: Cursor, gone: [Update]) {
        let known = self.withdraw(cursor)
        let gone = known.filter { update in
            self.table.find(update.subject, update.queue).map { self.table.entries[$0].count == 0 } ?? true
        }
        return (self.makeCursor(), gone)
    }

    /// Whether the peer knows everything.
    func isUpToDate(_ cursor: Cursor) -> Bool {
        guard let state = self.state(of: cursor) else { return true }
        return state.snapshot == nil && state.position == self.latest
    }

    /// What a peer is to be told next.
    ///
    /// - Parameters:
    ///   - cursor: The peer's.
    ///   - limit: How many keys are looked at; some of them may be nothing to tell.
    ///   - body: Gets the updates, in order.
    /// - Returns: whether there is more.
    mutating func next(_ cursor: Cursor, atMost limit: Int, _ body: (Update) -> Void) -> Bool {
        guard var state = self.state(of: cursor) else { return false }
        var rest = max(1, limit)
        if let start = state.snapshot {
            let end = min(self.table.entries.count, start + rest)
            for place in min(start, end)..<end {
                let entry = self.table.entries[place]
                // What has changed since is in the log.
                guard entry.number > 0, entry.number <= state.start, entry.count > 0 else { continue }
                body(Update(entry))
            }
            rest -= max(0, end - start)
            state.snapshot = end < self.table.entries.count ? end : nil
        }
        if state.snapshot == nil { self.readLog(&state, cursor.slot, atMost: rest, body) }
        self.cursors[cursor.slot] = state
        let hasMore = state.snapshot != nil || state.position != self.latest
        if !hasMore, self.log.count > Self.smallLog || self.table.isSparse { self.settle() }
        self.compactLog()
        return hasMore
    }

    private mutating func readLog(_ state: inout State, _ slot: Int, atMost limit: Int, _ body: (Update) -> Void) {
        let first = self.firstChange(after: state.position)
        let end = min(self.log.count, first + limit)
        for change in self.log[first..<end] {
            let place = Int(change.place)
            let entry = self.table.entries[place]
            state.position = change.number
            guard entry.number == change.number else { continue }
            let isKnown = self.bits[place, slot]
            if entry.count > 0 {
                if !isKnown || !entry.queue.isEmpty { body(Update(entry)) }
            } else if isKnown {
                body(Update(entry))
                self.forget(place, slot)
            }
        }
        if end == self.log.count { state.position = self.latest }
    }

    /// A peer that knew a key which is gone needs not be told of it any more.
    private mutating func forget(_ place: Int, _ slot: Int) {
        self.bits[place, slot] = false
        if self.bits.isClear(place) { self.table.remove(at: place) }
    }

    private func state(of cursor: Cursor) -> State? {
        guard self.cursors.indices.contains(cursor.slot), let state = self.cursors[cursor.slot],
            state.serial == cursor.serial
        else { return nil }
        return state
    }

    private func firstChange(after number: UInt64) -> Int {
        var low = 0
        var high = self.log.count
        while low < high {
            let middle = (low + high) / 2
            if self.log[middle].number <= number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: Giving back memory

    /// Drops outdated changes if they are more than half of the log.
    private mutating func compactLog() {
        guard self.log.count > max(Self.smallLog, 2 * self.table.count) else { return }
        let slowest = self.cursors.reduce(self.latest) { min($0, $1?.position ?? $0) }
        self.log = self.log.filter {
            $0.number > slowest && self.table.entries[Int($0.place)].number == $0.number
        }
    }

    /// Drops the log if every peer knows everything, and free places with it.
    private mutating func settle() {
        let isSettled = self.cursors.allSatisfy { state in
            state.map { $0.snapshot == nil && $0.position == self.latest } ?? true
        }
        guard isSettled else { return }
        self.log = []
        if self.cursorCount == 0 {
            self.cursors = []
            self.bits = CursorBits()
        }
        guard self.table.isSparse else { return }
        self.table.compact()
        self.bits = CursorBits()
    }
}

extension InterestLedger.Update {
    fileprivate init(_ entry: InterestTable.Entry) {
        self.init(subject: entry.subject, queue: entry.queue, weight: Int(entry.count))
    }
}
