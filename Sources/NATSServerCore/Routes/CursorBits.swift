/// A bit for each entry of an ``InterestTable`` and cursor; a word per entry for each 64 cursors.
struct CursorBits {
    private static let cursorsPerWord = 64

    /// Words per entry.
    private var width = 0
    private var words: ContiguousArray<UInt64> = []

    /// Bytes held.
    var memory: Int { self.words.capacity * MemoryLayout<UInt64>.stride }

    /// Makes room; new bits are not set.
    mutating func reserve(entries: Int, cursors: Int) {
        let width = (cursors + Self.cursorsPerWord - 1) / Self.cursorsPerWord
        if width > self.width {
            var words = ContiguousArray<UInt64>(repeating: 0, count: entries * width)
            for entry in 0..<(self.width == 0 ? 0 : self.words.count / self.width) {
                for word in 0..<self.width { words[entry * width + word] = self.words[entry * self.width + word] }
            }
            self.width = width
            self.words = words
        }
        while self.words.count < entries * self.width { self.words.append(0) }
    }

    subscript(entry: Int, cursor: Int) -> Bool {
        get { self.words[self.word(entry, cursor)] & self.mask(cursor) != 0 }
        set {
            if newValue {
                self.words[self.word(entry, cursor)] |= self.mask(cursor)
            } else {
                self.words[self.word(entry, cursor)] &= ~self.mask(cursor)
            }
        }
    }

    /// Whether no cursor's bit is set.
    func isClear(_ entry: Int) -> Bool {
        self.words[entry * self.width..<(entry + 1) * self.width].allSatisfy { $0 == 0 }
    }

    mutating func clear(_ entry: Int) {
        for word in entry * self.width..<(entry + 1) * self.width { self.words[word] = 0 }
    }

    private func word(_ entry: Int, _ cursor: Int) -> Int { entry * self.width + cursor / Self.cursorsPerWord }

    private func mask(_ cursor: Int) -> UInt64 { 1 << UInt64(cursor % Self.cursorsPerWord) }
}
