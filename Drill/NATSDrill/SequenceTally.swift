/// Which of the messages with numbers 0, 1, 2… of one publisher have arrived somewhere.
package struct SequenceTally: Sendable {
    /// Greater numbers are nobody's; they do not count, so that what another program prints cannot take all memory.
    private static let limit = 1 << 26

    private var words: [UInt64] = []
    private var highest = -1
    /// How many arrived, the same ones again among them.
    package private(set) var arrivals = 0
    /// How many different ones arrived.
    package private(set) var distinct = 0
    /// How many arrived for the first time behind a later one.
    package private(set) var reordered = 0

    /// The first of those that arrived again where they had arrived before.
    package private(set) var repeated: [Int] = []

    package init() {}

    /// How many arrived that had arrived before.
    package var duplicated: Int { self.arrivals - self.distinct }

    /// How many of the first `published` numbers have not arrived.
    package func lost(of published: Int) -> Int { max(0, published - self.distinct) }

    /// The ones of the first `published` that have not arrived.
    package func missing(of published: Int) -> [Int] {
        (0..<max(0, published)).filter { number in
            let word = number / 64
            return word >= self.words.count || self.words[word] & (1 << UInt64(number % 64)) == 0
        }
    }

    package mutating func record(_ number: Int) {
        guard (0..<Self.limit).contains(number) else { return }
        self.arrivals += 1
        let (word, bit) = (number / 64, UInt64(1) << (number % 64))
        while self.words.count <= word { self.words.append(0) }
        guard self.words[word] & bit == 0 else {
            if self.repeated.count < 16 { self.repeated.append(number) }
            return
        }
        self.words[word] |= bit
        self.distinct += 1
        if number < self.highest { self.reordered += 1 }
        self.highest = max(self.highest, number)
    }

    /// Adds what arrived elsewhere, as at another member of a queue group; between the two there is no order.
    package mutating func merge(_ other: SequenceTally) {
        while self.words.count < other.words.count { self.words.append(0) }
        for (index, word) in other.words.enumerated() { self.words[index] |= word }
        self.repeated = Array((self.repeated + other.repeated).prefix(16))
        self.arrivals += other.arrivals
        self.reordered += other.reordered
        self.highest = max(self.highest, other.highest)
        self.distinct = self.words.reduce(0) { $0 + $1.nonzeroBitCount }
    }
}
