import NATSTestSupport
import Testing

@testable import NATSDrill

@Suite("Numbered messages are counted") struct SequenceTallyTests {
    private func tally(_ numbers: Int...) -> SequenceTally {
        var tally = SequenceTally()
        for number in numbers { tally.record(number) }
        return tally
    }

    @Test("lost, twice, behind a later one")
    func counts() {
        let tally = self.tally(0, 1, 3, 2, 2, 200, 4)
        #expect(tally.arrivals == 7 && tally.distinct == 6)
        #expect(tally.duplicated == 1)
        #expect(tally.reordered == 2)
        #expect(tally.lost(of: 6) == 0)
        #expect(tally.lost(of: 300) == 294)
        #expect(tally.missing(of: 5).isEmpty && tally.missing(of: 202) == Array(5..<200) + [201])
        #expect(tally.repeated == [2])
        #expect(SequenceTally().lost(of: 3) == 3 && SequenceTally().missing(of: 2) == [0, 1])
    }

    @Test("numbers that nobody has given are passed over")
    func hostile() {
        let tally = self.tally(-1, Int.max, Int.min, 5)
        #expect(tally.arrivals == 1 && tally.distinct == 1)
    }

    @Test("members of a queue group together, compared with sets", arguments: 0..<20)
    func merge(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var sum = SequenceTally()
        var all: [Int] = []
        for _ in 0..<4 {
            var part = SequenceTally()
            for _ in 0..<Int.random(in: 0...50, using: &random) {
                let number = Int.random(in: 0..<200, using: &random)
                part.record(number)
                all.append(number)
            }
            sum.merge(part)
        }
        #expect(sum.arrivals == all.count)
        #expect(sum.duplicated == all.count - Set(all).count)
        #expect(sum.lost(of: 200) == 200 - Set(all).count)
    }
}
