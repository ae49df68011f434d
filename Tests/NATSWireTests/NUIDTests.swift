import NATSWire
import Testing

@Suite struct NUIDTests {
    private struct SeededGenerator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return self.state
        }
    }

    @Test("ids have 22 characters of base 62 and never repeat")
    func unique() {
        var nuid = NUID()
        var seen: Set<String> = []
        let alphabet = Set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        for _ in 0..<10_000 {
            let id = nuid.next()
            #expect(id.utf8.count == 22 && id.allSatisfy(alphabet.contains))
            seen.insert(id)
        }
        #expect(seen.count == 10_000)
    }

    @Test("one seed gives one series, and ids of one generator share their prefix")
    func seeded() {
        var random = SeededGenerator(state: 1)
        var first = NUID(using: &random)
        random = SeededGenerator(state: 1)
        var second = NUID(using: &random)
        let ids = (0..<5).map { _ in first.next(using: &random) }
        #expect(ids == (0..<5).map { _ in second.next(using: &random) })
        #expect(Set(ids.map { $0.prefix(12) }).count == 1)
    }

    /// Always the highest number: the counter begins one below its end, and all bytes of the prefix are 255.
    private struct HighestGenerator: RandomNumberGenerator {
        mutating func next() -> UInt64 { .max }
    }

    @Test("a counter that has come to its end begins anew behind another prefix, at another place")
    func wraps() {
        var highest = HighestGenerator()
        var nuid = NUID(using: &highest)
        var random = SeededGenerator(state: 7)
        let ids = (0..<3).map { _ in nuid.next(using: &random) }
        // 255 % 62
        #expect(!ids[0].hasPrefix("777777777777"))
        #expect(Set(ids.map { $0.prefix(12) }).count == 1 && Set(ids).count == 3)
        #expect(ids.allSatisfy { $0.utf8.count == 22 })
        // From there on it is like one that began so.
        random = SeededGenerator(state: 7)
        var fresh = NUID(using: &random)
        #expect(Array(ids[1...]) == (0..<2).map { _ in fresh.next(using: &random) })
    }

    @Test("ids of one generator are the same step apart, from 33 to 332")
    func steps() {
        let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        func counter(_ id: String) -> Int {
            id.suffix(10).reduce(0) { $0 * 62 + (digits.firstIndex(of: $1) ?? 0) }
        }
        var steps: Set<Int> = []
        for seed in 0..<1000 as Range<UInt64> {
            var random = SeededGenerator(state: seed)
            var nuid = NUID(using: &random)
            let counters = (0..<3).map { _ in counter(nuid.next(using: &random)) }
            #expect(counters[1] - counters[0] == counters[2] - counters[1])
            steps.insert(counters[1] - counters[0])
        }
        #expect(steps.allSatisfy { 33..<333 ~= $0 } && steps.count > 100)
    }

    @Test("base 64 agrees with RFC 4648 in both alphabets")
    func base64() {
        let vectors = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        for (plain, encoded) in vectors {
            #expect(Base64.encode(plain.utf8) == encoded)
            #expect(Base64.decode(encoded) == Array(plain.utf8))
        }
        #expect(Base64.encodeURLSafe([0xFB, 0xFF]) == "-_8")
        #expect(Base64.decode("-_8") == [0xFB, 0xFF])
        #expect(Base64.decode("a") == nil && Base64.decode("ab=c") == nil && Base64.decode("a b") == nil)
    }
}
