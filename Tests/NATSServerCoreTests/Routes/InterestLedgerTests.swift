import NATSTestSupport
import Testing

@testable import NATSServerCore

@Suite("Interest ledger")
struct InterestLedgerTests {
    private func makeLedger() -> InterestLedger {
        var generator = SeededGenerator(seed: 4)
        return InterestLedger(hash: SubjectHash(using: &generator))
    }

    /// What a peer would be sent: `+foo`, `+bar q 2`, `-foo`.
    private func drain(
        _ ledger: inout InterestLedger,
        _ cursor: InterestLedger.Cursor,
        atMost limit: Int = 100
    )
        -> [String]
    {
        var lines: [String] = []
        while ledger.next(cursor, atMost: limit, { lines.append($0.line) }) {}
        return lines
    }

    @Test("whoever is to hear nothing more has what it knows taken back, and no more")
    func withdrawn() {
        var generator = SystemRandomNumberGenerator()
        var ledger = InterestLedger(hash: SubjectHash(using: &generator))
        func change(_ subject: String, _ queue: String = "", by count: Int) {
            ledger.change(Array(subject.utf8), queue: Array(queue.utf8), by: count)
        }
        func ends(_ updates: [InterestLedger.Update]) -> Set<String> {
            #expect(updates.allSatisfy { $0.weight == 0 })
            return Set(updates.map { String(decoding: $0.subject + [0x20] + $0.queue, as: UTF8.self) })
        }
        change("a", by: 1)
        change("b", "q", by: 2)
        let cursor = ledger.makeCursor()
        let late = ledger.makeCursor()
        _ = ledger.next(cursor, atMost: 100) { _ in }
        change("a", by: -1)
        change("b", "q", by: 1)
        change("c", by: 1)
        change("d", by: 1)
        change("d", by: -1)
        #expect(ends(ledger.withdraw(cursor)) == ["a ", "b q"])
        #expect(ends(ledger.withdraw(late)).isEmpty)
        #expect(ends(ledger.withdraw(late)).isEmpty)
        #expect(ledger.keyCount == 2)
    }

    @Test("whoever may have forgotten is told everything again, and of the end of what has gone since")
    func restarted() {
        var ledger = self.makeLedger()
        for subject in ["a", "b", "c"] { ledger.change(subject, by: 1) }
        let first = ledger.makeCursor()
        #expect(self.drain(&ledger, first).sorted() == ["+a", "+b", "+c"])
        ledger.change("b", by: -1)
        ledger.change("d", by: 1)
        let (second, gone) = ledger.restart(first)
        #expect(gone.map(\.line) == ["-b"])
        #expect(self.drain(&ledger, second).sorted() == ["+a", "+c", "+d"])
        #expect(self.drain(&ledger, first).isEmpty)
        ledger.change("a", by: -1)
        #expect(self.drain(&ledger, second) == ["-a"])
        #expect(ledger.keyCount == 2)
    }

    @Test("plain interest is told when the first subscription comes and when the last one goes")
    func plain() {
        var ledger = self.makeLedger()
        let cursor = ledger.makeCursor()
        ledger.change("foo", by: 1)
        #expect(self.drain(&ledger, cursor) == ["+foo"])
        let number = ledger.latest
        ledger.change("foo", by: 1)
        ledger.change("foo", by: -1)
        #expect(ledger.latest == number)
        #expect(ledger.isUpToDate(cursor))
        ledger.change("foo", by: -1)
        #expect(self.drain(&ledger, cursor) == ["-foo"])
        #expect(ledger.keyCount == 0)
    }

    @Test("a queue group is told at every change of its weight")
    func queueGroups() {
        var ledger = self.makeLedger()
        let cursor = ledger.makeCursor()
        for (change, line) in [(1, "+bar q 1"), (1, "+bar q 2"), (-1, "+bar q 1"), (-1, "-bar q")] {
            ledger.change("bar", queue: "q", by: change)
            #expect(self.drain(&ledger, cursor) == [line])
        }
    }

    @Test("what has changed behind a cursor is told once, as it is now, in the order of the last changes")
    func order() {
        var ledger = self.makeLedger()
        let cursor = ledger.makeCursor()
        for subject in ["a", "b", "c"] { ledger.change(subject, by: 1) }
        ledger.change("a", queue: "q", by: 1)
        #expect(self.drain(&ledger, cursor) == ["+a", "+b", "+c", "+a q 1"])
        ledger.change("b", by: -1)
        ledger.change("a", queue: "q", by: 5)
        ledger.change("d", by: 1)
        ledger.change("a", queue: "q", by: -1)
        #expect(self.drain(&ledger, cursor, atMost: 1) == ["-b", "+d", "+a q 5"])
    }

    @Test("keys that came and went unseen, or went and came back, are nothing to tell")
    func unseen() {
        var ledger = self.makeLedger()
        let cursor = ledger.makeCursor()
        ledger.change("stays", by: 1)
        _ = self.drain(&ledger, cursor)
        ledger.change("inbox", by: 1)
        ledger.change("inbox", by: -1)
        ledger.change("stays", by: -1)
        ledger.change("stays", by: 1)
        #expect(self.drain(&ledger, cursor).isEmpty)
        #expect(ledger.keyCount == 1)
    }

    @Test("subscriptions that are not there cannot go")
    func unknown() {
        var ledger = self.makeLedger()
        let cursor = ledger.makeCursor()
        ledger.change("foo", by: -1)
        ledger.change("foo", by: 1)
        ledger.change("foo", by: -3)
        #expect(self.drain(&ledger, cursor).isEmpty)
        #expect(ledger.keyCount == 0)
    }

    @Test("a new cursor yields everything, in slices; what changes meanwhile follows")
    func snapshot() {
        var ledger = self.makeLedger()
        for number in 0..<1000 { ledger.change("s.\(number)", by: 1) }
        let cursor = ledger.makeCursor()
        var known: Set<String> = []
        var calls = 0
        var changes = 0
        var hasMore = true
        while hasMore {
            calls += 1
            var slice: [InterestLedger.Update] = []
            hasMore = ledger.next(cursor, atMost: 64) { slice.append($0) }
            #expect(slice.count <= 64)
            for update in slice {
                let subject = String(decoding: update.subject, as: UTF8.self)
                // Nothing is told twice, and no end of what was never told.
                #expect(update.weight > 0 ? known.insert(subject).inserted : known.remove(subject) != nil)
            }
            guard changes < 10 else { continue }
            ledger.change("s.\(changes)", by: -1)
            ledger.change("s.\(999 - changes)", by: -1)
            ledger.change("t.\(changes)", by: 1)
            changes += 1
        }
        #expect(calls >= 1000 / 64)
        #expect(known == Set((10..<990).map { "s.\($0)" } + (0..<10).map { "t.\($0)" }))
        #expect(ledger.keyCount == 990)
    }

    @Test("a cursor that never moves on holds what its peer knows and nothing else, whatever comes and goes")
    func stuckCursor() {
        var ledger = self.makeLedger()
        for number in 0..<100 { ledger.change("old.\(number)", by: 1) }
        let stuck = ledger.makeCursor()
        let lively = ledger.makeCursor()
        #expect(self.drain(&ledger, stuck).count == 100)
        _ = self.drain(&ledger, lively)
        for number in 0..<100 { ledger.change("old.\(number)", by: -1) }
        for number in 0..<100_000 {
            ledger.change("inbox.\(number)", by: 1)
            ledger.change("group", queue: "q", by: number % 3 == 0 ? -1 : 1)
            if number % 7 == 0 { _ = self.drain(&ledger, lively) }
            ledger.change("inbox.\(number)", by: -1)
            #expect(ledger.keyCount <= 100 + 8 + 1)
            #expect(ledger.logCount <= 2 * 110)
        }
        #expect(self.drain(&ledger, stuck).count == 101)
        _ = self.drain(&ledger, lively)
        #expect(ledger.keyCount == 1)
    }

    @Test("a cursor that is removed takes along what only its peer had to be told")
    func removedCursor() {
        var ledger = self.makeLedger()
        let first = ledger.makeCursor()
        let second = ledger.makeCursor()
        for number in 0..<10 { ledger.change("s.\(number)", by: 1) }
        _ = self.drain(&ledger, first)
        for number in 0..<10 { ledger.change("s.\(number)", by: -1) }
        #expect(ledger.keyCount == 10)
        ledger.remove(first)
        #expect(ledger.keyCount == 0)
        #expect(self.drain(&ledger, second).isEmpty)
        // Its place is another's now; the old name is none any more.
        let third = ledger.makeCursor()
        ledger.change("new", by: 1)
        #expect(self.drain(&ledger, first).isEmpty)
        #expect(self.drain(&ledger, third) == ["+new"])
        ledger.remove(first)
        ledger.change("new", by: -1)
        #expect(self.drain(&ledger, third) == ["-new"])
        #expect(self.drain(&ledger, second).isEmpty)
    }

    @Test("a hundred cursors are told the same")
    func manyCursors() {
        var ledger = self.makeLedger()
        var cursors: [InterestLedger.Cursor] = []
        for number in 0..<100 {
            ledger.change("s.\(number)", by: 1)
            cursors.append(ledger.makeCursor())
        }
        for cursor in cursors { #expect(self.drain(&ledger, cursor).count == 100) }
        for number in 0..<99 { ledger.change("s.\(number)", by: -1) }
        for cursor in cursors.dropLast() { #expect(self.drain(&ledger, cursor).count == 99) }
        #expect(ledger.keyCount == 100)
        if let last = cursors.last { ledger.remove(last) }
        #expect(ledger.keyCount == 1)
    }

    @Test("100,000 keys take what the documentation says, and give it back")
    func memory() {
        var ledger = self.makeLedger()
        let cursors = [ledger.makeCursor(), ledger.makeCursor()]
        for number in 0..<100_000 { ledger.change("subject.number.\(number)", by: 1) }
        for cursor in cursors { #expect(self.drain(&ledger, cursor, atMost: 1000).count == 100_000) }
        #expect(ledger.memory <= 70 * 100_000, "\(Double(ledger.memory) / 100_000) bytes for each key")
        for number in 0..<100_000 { ledger.change("subject.number.\(number)", by: -1) }
        for cursor in cursors { #expect(self.drain(&ledger, cursor, atMost: 1000).count == 100_000) }
        #expect(ledger.keyCount == 0)
        #expect(ledger.memory < 10_000)
    }
}

extension InterestLedger {
    fileprivate mutating func change(_ subject: String, queue: String = "", by count: Int) {
        self.change(Array(subject.utf8), queue: Array(queue.utf8), by: count)
    }
}

extension InterestLedger.Update {
    fileprivate var line: String {
        let subject = String(decoding: self.subject, as: UTF8.self)
        let queue = self.queue.isEmpty ? "" : " " + String(decoding: self.queue, as: UTF8.self)
        guard self.weight > 0 else { return "-\(subject)\(queue)" }
        return self.queue.isEmpty ? "+\(subject)" : "+\(subject)\(queue) \(self.weight)"
    }
}
