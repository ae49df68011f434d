extension StringProtocol {
    /// Whether two texts are the same byte by byte, as everybody else on the network compares them.
    ///
    /// Swift's `==` takes `é` for `e` with an accent behind it, and the Kelvin sign for a `K`.
    package func isIdentical(to other: some StringProtocol) -> Bool { self.utf8.elementsEqual(other.utf8) }

    /// The tokens of a subject; a full stop is one whatever follows it.
    package var subjectTokens: [Substring] {
        self.utf8.split(separator: 0x2e, omittingEmptySubsequences: false).map {
            Substring(decoding: $0, as: UTF8.self)
        }
    }
}

extension [String] {
    /// Whether two lists are the same byte by byte.
    package func isIdentical(to other: [String]) -> Bool { self.elementsEqual(other) { $0.isIdentical(to: $1) } }
}

extension String? {
    /// Whether both are none, or the same byte by byte.
    package func isIdentical(to other: String?) -> Bool {
        guard let self, let other else { return self == nil && other == nil }
        return self.isIdentical(to: other)
    }
}
