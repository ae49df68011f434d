import NATSTestSupport
import Testing

@testable import NATSServerCore

/// A ledger beside what it should be: counts by key, and for each peer what it has been told.
private struct LedgerModel {
    private struct Key: Hashable {
        let subject: [UInt8]
        let queue: [UInt8]
    }

    private struct Peer {
        let cursor: InterestLedger.Cursor
        var table: [Key: Int] = [:]
        /// The snapshot has been read, so that what follows is in order.
        var isOrdered = false
    }

    private var random: SeededGenerator
    private var ledger: InterestLedger
    private var counts: [Key: Int] = [:]
    /// When each key changed last, as peers see it.
    private var changes: [Key: Int] = [:]
    private var clock = 0
    private var peers: [Peer] = []
    /// What went wrong.
    private(set) var complaints: [String] = []

    init(seed: UInt64) {
        self.random = SeededGenerator(seed: seed)
        self.ledger = InterestLedger(hash: SubjectHash(using: &self.random))
    }

    mutating func run(steps: Int) {
        // From a few keys that change all the time to many that hardly do.
        let keys = self.random.pick(3, 30, 300, 3000)
        for _ in 0..<steps {
            switch Int.random(in: 0..<100, using: &self.random) {
            case 0: if self.peers.count < 70 { self.peers.append(Peer(cursor: self.ledger.makeCursor())) }
            case 1: if self.random.chance(30) { self.removePeer() }
            case 2..<12: self.drainSome()
            default: self.change(of: keys)
            }
        }
        for index in self.peers.indices { self.drain(index, atMost: 1000, calls: .max) }
        self.checkTables()
    }

    private mutating func change(of keys: Int) {
        let number = Int.random(in: 0..<keys, using: &self.random)
        let queue = self.random.pick("", "", "q", "r")
        let key = Key(subject: Array("s.\(number)".utf8), queue: Array(queue.utf8))
        let before = self.counts[key] ?? 0
        let change = self.random.pick(1, 1, -1, -1, 2, -3)
        let after = max(0, before + change)
        self.counts[key] = after > 0 ? after : nil
        if queue.isEmpty ? (before > 0) != (after > 0) : before != after {
            self.clock += 1
            self.changes[key] = self.clock
        }
        self.ledger.change(key.subject, queue: key.queue, by: change)
        self.checkMemory()
    }

    private mutating func removePeer() {
        guard let index = self.peers.indices.randomElement(using: &self.random) else { return }
        self.ledger.remove(self.peers.remove(at: index).cursor)
    }

    private mutating func drainSome() {
        guard let index = self.peers.indices.randomElement(using: &self.random) else { return }
        let limit = self.random.pick(1, 3, 20, 1000)
        self.drain(index, atMost: limit, calls: self.random.pick(1, 2, .max))
    }

    private mutating func drain(_ index: Int, atMost limit: Int, calls: Int) {
        var rest = calls
        var hasMore = true
        var told: [InterestLedger.Update] = []
        while hasMore, rest > 0 {
            let before = told.count
            hasMore = self.ledger.next(self.peers[index].cursor, atMost: limit) { told.append($0) }
            if told.count - before > limit { self.complaints.append("more than \(limit)") }
            rest -= 1
        }
        let keys = told.map { Key(subject: $0.subject, queue: $0.queue) }
        if Set(keys).count < keys.count { self.complaints.append("a key was told twice") }
        if self.peers[index].isOrdered {
            let order = keys.map { self.changes[$0] ?? 0 }
            if order != order.sorted() { self.complaints.append("out of order") }
        }
        for (key, update) in zip(keys, told) { self.apply(update, key, to: index) }
        guard !hasMore else { return }
        self.peers[index].isOrdered = true
        if !self.ledger.isUpToDate(self.peers[index].cursor) { self.complaints.append("drained, but not up to date") }
    }

    private mutating func apply(_ update: InterestLedger.Update, _ key: Key, to index: Int) {
        if update.weight != self.counts[key] ?? 0 { self.complaints.append("not as it is now") }
        if update.weight > 0 {
            if key.queue.isEmpty, self.peers[index].table[key] != nil { self.complaints.append("told in vain") }
            self.peers[index].table[key] = update.weight
        } else if self.peers[index].table.removeValue(forKey: key) == nil {
            self.complaints.append("end of what was never told")
        }
    }

    /// Kept is what has subscriptions, and what some peer has been told of.
    private mutating func checkMemory() {
        guard self.clock % 100 == 0 else { return }
        let keys = self.peers.reduce(into: Set(self.counts.keys)) { $0.formUnion($1.table.keys) }
        if self.ledger.keyCount != keys.count {
            self.complaints.append("\(self.ledger.keyCount) keys kept for \(keys.count)")
        }
        if self.ledger.logCount > max(64, 2 * keys.count) { self.complaints.append("\(self.ledger.logCount) changes") }
        if self.ledger.liveCount != self.counts.count { self.complaints.append("wrong count") }
    }

    private mutating func checkTables() {
        for peer in self.peers {
            if Set(peer.table.keys) != Set(self.counts.keys) { self.complaints.append("wrong keys") }
            for (key, weight) in peer.table where !key.queue.isEmpty && weight != self.counts[key] {
                self.complaints.append("wrong weight")
            }
        }
    }
}

@Suite("Interest ledger against a model")
struct InterestLedgerModelTests {
    @Test("after any changes, with peers that come, go and lag, every peer knows the truth", arguments: 0..<40)
    func model(seed: UInt64) {
        var model = LedgerModel(seed: seed)
        model.run(steps: 2500)
        #expect(model.complaints.isEmpty, "\(model.complaints.prefix(5))")
    }
}
