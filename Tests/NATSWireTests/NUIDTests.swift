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
