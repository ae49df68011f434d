import NATSTestSupport

/// Makes configurations that are nearly right, the same for the same seed.
struct ConfigurationMutator {
    private var generator: SeededGenerator
    private let corpus = ConfigurationSnippet.all.map { Array($0.text.utf8) }
    private let interesting = Array("{}[]()\"'\\,;:=#/$\n\r\t -.0k\u{0}\u{A0}٣\u{2028}".utf8)

    init(seed: UInt64) {
        self.generator = SeededGenerator(seed: seed)
    }

    /// One or two texts of the corpus with bytes changed, dropped, doubled and swapped.
    mutating func next() -> [UInt8] {
        var text = self.corpus.randomElement(using: &self.generator) ?? []
        if self.generator.chance(50) {
            text += [UInt8(ascii: "\n")] + (self.corpus.randomElement(using: &self.generator) ?? [])
        }
        for _ in 0..<Int.random(in: 1...8, using: &self.generator) where !text.isEmpty {
            let index = Int.random(in: 0..<text.count, using: &self.generator)
            let special = self.interesting.randomElement(using: &self.generator) ?? 0
            switch Int.random(in: 0..<6, using: &self.generator) {
            case 0: text[index] = UInt8.random(in: 0...255, using: &self.generator)
            case 1: text[index] = special
            case 2: text.remove(at: index)
            case 3: text.insert(special, at: index)
            case 4: text.removeSubrange(index..<min(text.count, index + 12))
            default: text.insert(contentsOf: text[index..<min(text.count, index + 20)], at: index)
            }
        }
        return text
    }
}
