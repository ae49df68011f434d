import NATSTestSupport
import NATSWire
import Testing

@testable import NATSServerCore

private final class Entry: SublistElement {
    let subject: [UInt8]
    let queue: [UInt8]
    let number: Int
    var sublistPlace: SublistPlace?

    init(_ subject: String, queue: String = "", number: Int = 0) {
        self.subject = Array(subject.utf8)
        self.queue = Array(queue.utf8)
        self.number = number
    }
}

@Suite("Sublist")
struct SublistTests {
    /// `#expect` takes no mutating calls.
    private func expect(_ condition: Bool, _ location: SourceLocation = #_sourceLocation) {
        #expect(condition, sourceLocation: location)
    }

    private func makeList() -> Sublist<Entry> {
        var generator = SystemRandomNumberGenerator()
        return Sublist(hash: SubjectHash(using: &generator))
    }

    private func match(_ list: Sublist<Entry>, _ subject: String) -> Sublist<Entry>.Match {
        Array(subject.utf8).withUnsafeBufferPointer { list.match($0) }
    }

    @Test(
        "subjects that cannot be subscribed to are refused and leave nothing behind",
        arguments: [
            "", ".", "foo.", ".foo", "foo..bar", ">.foo", "foo.>.bar",
        ]
    )
    func refused(subject: String) {
        var list = self.makeList()
        self.expect(!list.insert(Entry(subject)))
        #expect(list.count == 0)
        #expect(list.nodeCount == 0)
    }

    @Test("removing everything frees every node, and removing twice does nothing")
    func removal() {
        var list = self.makeList()
        let entries = ["foo", "foo.bar", "foo.*", "foo.>", "*", ">", "a.b.c.d", "a.*.c.>"].flatMap {
            [Entry($0), Entry($0), Entry($0, queue: "q"), Entry($0, queue: "q"), Entry($0, queue: "r")]
        }
        for entry in entries { self.expect(list.insert(entry)) }
        #expect(list.count == entries.count)
        for entry in entries.shuffled() {
            self.expect(list.remove(entry))
            self.expect(!list.remove(entry))
        }
        #expect(list.count == 0)
        #expect(list.nodeCount == 0)
        #expect(self.match(list, "foo").isEmpty)
    }

    @Test("a visit sees every element once, few at a time, however many one subject has")
    func visit() {
        var list = self.makeList()
        let entries = (0..<1000).map { number in
            Entry(
                number < 600 ? "same" : "a.\(number % 7)",
                queue: number % 3 == 0 ? "q\(number % 5)" : "",
                number: number
            )
        }
        for entry in entries { self.expect(list.insert(entry)) }
        for count in [1, 7, 64, 5000] {
            var cursor = Sublist<Entry>.Cursor()
            var seen: [Int] = []
            var hasMore = true
            while hasMore {
                let before = seen.count
                hasMore = list.visit(&cursor, atMost: count) { seen.append($0.number) }
                #expect(seen.count - before <= count)
            }
            #expect(seen.sorted() == Array(0..<1000))
        }
    }

    @Test("a visit misses nobody who is there all the time, whoever else goes meanwhile")
    func visitWithRemovals() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<50 {
            var list = self.makeList()
            let entries = (0..<300).map { number in
                Entry(
                    number < 200 ? "same" : "a.\(number % 7)",
                    queue: number % 3 == 0 ? "q\(number % 20)" : "",
                    number: number
                )
            }
            for entry in entries { self.expect(list.insert(entry)) }
            var staying = Set(0..<300)
            var cursor = Sublist<Entry>.Cursor()
            var seen: Set<Int> = []
            while list.visit(&cursor, atMost: 5, { seen.insert($0.number) }) {
                guard staying.count > 100, let goes = staying.randomElement(using: &generator) else { continue }
                staying.remove(goes)
                list.remove(entries[goes])
            }
            #expect(seen.isSuperset(of: staying))
        }
    }

    @Test("members of one queue group are one group, whatever their patterns")
    func queueGroups() {
        var list = self.makeList()
        for entry in [Entry("foo.*", queue: "q"), Entry("foo.>", queue: "q"), Entry("foo.bar", queue: "r")] {
            self.expect(list.insert(entry))
        }
        let groups = self.match(list, "foo.bar").groups
        #expect(Set(groups.map(\.count)) == [1, 2])
    }

    @Test("wildcard characters of a published subject are text")
    func wildcardText() {
        var list = self.makeList()
        for subject in ["foo.*", "foo.bar", "*.b", "foo.b*r"] { self.expect(list.insert(Entry(subject))) }
        #expect(self.match(list, "foo.*").plain.count == 1)
        #expect(self.match(list, "foo.b*r").plain.count == 2)
        #expect(self.match(list, "foo.>").plain.count == 1)
    }

    @Test("a subject with as many tokens as a line can hold needs no deep stack")
    func manyTokens() {
        var list = self.makeList()
        let stars = Array(repeating: "*", count: 2_000).joined(separator: ".")
        let letters = Array(repeating: "a", count: 2_000).joined(separator: ".")
        for subject in [stars, letters, "a.>", letters + ".*", ">"] { self.expect(list.insert(Entry(subject))) }
        #expect(self.match(list, letters).plain.count == 4)
        #expect(self.match(list, letters + ".a").plain.count == 3)
    }

    @Test("thousands of queue groups on one subject are kept apart")
    func manyGroups() {
        var list = self.makeList()
        let entries = (0..<5_000).flatMap { [Entry("a.b", queue: "q\($0)"), Entry("a.*", queue: "q\($0)")] }
        for entry in entries { self.expect(list.insert(entry)) }
        let groups = self.match(list, "a.b").groups
        #expect(groups.count == 5_000)
        #expect(groups.allSatisfy { $0.count == 2 && $0[0].queue == $0[1].queue })
        for entry in entries { self.expect(list.remove(entry)) }
        #expect(list.nodeCount == 0)
    }

    @Test("random subscriptions under churn match what the grammar says", arguments: 0..<10)
    func againstNaiveMatcher(seed: UInt64) {
        var generator = SeededGenerator(seed: seed &+ 7)
        var list = self.makeList()
        var present: [Entry] = []
        let tokens = ["a", "b", "cc", "*", ">", "d*", "*e", "long-token-0123456789"]
        func randomSubject(maxTokens: Int) -> String {
            (0..<Int.random(in: 1...maxTokens, using: &generator))
                .map { _ in tokens[Int.random(in: 0..<tokens.count, using: &generator)] }
                .joined(separator: Int.random(in: 0..<40, using: &generator) == 0 ? ".." : ".")
        }
        // Ten runs of ten thousand lookups.
        for round in 0..<10_000 {
            if present.isEmpty || (present.count < 200 && Bool.random(using: &generator)) {
                let queue = ["", "", "q1", "q2"].randomElement(using: &generator) ?? ""
                let entry = Entry(randomSubject(maxTokens: 4), queue: queue, number: round)
                let isValid = entry.subject.withUnsafeBytes { SubjectGrammar.isValidSubscription($0) }
                self.expect(list.insert(entry) == isValid)
                if isValid { present.append(entry) }
            } else {
                let index = Int.random(in: 0..<present.count, using: &generator)
                present.swapAt(index, present.count - 1)
                self.expect(list.remove(present.removeLast()))
            }
            let subject = randomSubject(maxTokens: 5)
            let found = self.match(list, subject)
            let expected = present.filter { entry in
                Array(subject.utf8).withUnsafeBytes { subject in
                    entry.subject.withUnsafeBytes { SubjectGrammar.matches(subject: subject, pattern: $0) }
                }
            }
            #expect(Set(found.plain.map(\.number)) == Set(expected.filter { $0.queue.isEmpty }.map(\.number)))
            #expect(found.plain.count == expected.count { $0.queue.isEmpty })
            let groups = Dictionary(grouping: expected.filter { !$0.queue.isEmpty }, by: \.queue)
            #expect(found.groups.count == groups.count)
            for group in found.groups {
                #expect(Set(group.map(\.number)) == Set(groups[group.first?.queue ?? []]?.map(\.number) ?? []))
            }
        }
    }
}
