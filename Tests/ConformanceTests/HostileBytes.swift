import NATSTestSupport

/// Byte streams that almost follow the protocol.
struct HostileBytes {
    private var generator: SeededGenerator

    init(seed: UInt64) {
        self.generator = SeededGenerator(seed: seed)
    }

    mutating func chance(_ percent: Int) -> Bool {
        self.generator.chance(percent)
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &self.generator)
    }

    /// A session with a few to many changes.
    mutating func stream() -> [UInt8] {
        var bytes = self.session()
        let changes = self.generator.pick(0, 1, 1, 2, 3, 8, 40)
        for _ in 0..<changes where !bytes.isEmpty {
            self.mutate(&bytes)
        }
        return bytes
    }

    /// The stream in pieces as they may come from a network.
    mutating func pieces(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        let longest = self.generator.pick(1, 3, 17, 200, 4096, 100_000)
        // Many small pieces of a large stream only take time.
        return ByteSlicer.randomPieces(bytes, longest: max(longest, bytes.count / 200), using: &self.generator)
    }

    private mutating func session() -> [UInt8] {
        switch Int.random(in: 0..<10, using: &self.generator) {
        case 0:
            return (0..<self.number(1...600)).map { _ in UInt8.random(in: 0...255, using: &self.generator) }
        case 1:
            return Array(self.exaggeration().utf8)
        default:
            let scenario = Scenario(seed: self.generator.next() % 1_000_000, connections: 1, steps: self.number(1...20))
            return Array((scenario.connects.joined() + scenario.steps.map(\.bytes).joined()).utf8)
        }
    }

    /// Something legal in form and excessive in size or number.
    private mutating func exaggeration() -> String {
        let count = self.generator.pick(10, 1000, 5000, 70_000)
        let a = String(repeating: "a", count: count)
        return self.generator.pick(
            "SUB \(a) 1\r\n",
            "PUB \(a)",
            "CONNECT {\"name\":\"\(a)\"}\r\n",
            "CONNECT " + String(repeating: "[", count: count) + "\r\n",
            "CONNECT " + String(repeating: "{\"a\":", count: count) + "\r\n",
            "CONNECT {\"verbose\":1" + String(repeating: "0", count: 2000) + "}\r\n",
            "SUB " + String(repeating: "a.", count: min(count, 2000)) + "a 1\r\nPUB "
                + String(repeating: "a.", count: 1900)
                + "a 1\r\nx\r\n",
            String(repeating: "SUB > 1\r\n", count: min(count, 5000)),
            (0..<min(count, 5000)).map { "SUB x.\($0).* \($0)\r\n" }.joined(),
            String(repeating: "PING\r\n", count: count),
            quiet + String(repeating: "PUB x.1.y 0\r\n\r\n", count: min(count, 5000)),
            "PUB a 999999999\r\n",
            "PUB a 60000\r\n" + a,
            "HPUB a 99999999 999999999\r\n",
            modern + "SUB r 1\r\n" + String(repeating: "PUB none r 0\r\n\r\n", count: min(count, 3000)),
            String(repeating: " ", count: count) + "PING\r\n",
            "PING" + String(repeating: " ", count: count),
            "PUB " + String(repeating: " ", count: count) + "a 1\r\nx\r\n"
        )
    }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        let index = Int.random(in: bytes.indices, using: &self.generator)
        let end = min(bytes.count, index + Int.random(in: 1...20, using: &self.generator))
        switch Int.random(in: 0..<8, using: &self.generator) {
        case 0: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &self.generator)
        case 1: bytes[index] = self.generator.pick(0, 9, 10, 13, 32, 42, 46, 48, 57, 62, 127, 128, 255)
        case 2: bytes.removeSubrange(index..<end)
        case 3: bytes.insert(contentsOf: bytes[index..<end], at: index)
        case 4: bytes.insert(self.generator.pick(0, 9, 10, 13, 32, 43, 45, 46, 255), at: index)
        case 5: bytes.removeSubrange(index...)
        case 6:
            let other = Int.random(in: bytes.indices, using: &self.generator)
            bytes.swapAt(index, other)
        default:
            let digits = self.generator.pick("0", "-1", "99999999999999999999", "000000001", "4294967296", "1048577")
            bytes.replaceSubrange(index..<end, with: Array(digits.utf8))
        }
    }
}
