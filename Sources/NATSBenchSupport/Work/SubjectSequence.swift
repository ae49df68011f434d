/// The subjects of one sender's messages.
package struct SubjectSequence: Sendable {
    /// So many subjects at most are made before the clock runs.
    private static let prepared = 131_072

    private let subject: String
    private let subjects: [String]
    /// Nil if all messages have one subject, 0 if numbers have no end.
    private let maximum: Int?
    private let isRandom: Bool
    private var offset: Int

    /// All messages on one subject.
    package init(_ subject: String) {
        self.subject = subject
        self.subjects = []
        self.maximum = nil
        self.isRandom = false
        self.offset = 0
    }

    /// - Parameters:
    ///   - subject: What stands before the number.
    ///   - maximum: Numbers from 0 to below it; 0: no end.
    ///   - isRandom: By chance, not in order.
    ///   - offset: The first number, so that senders do not all begin at one.
    package init(numbered subject: String, maximum: Int, isRandom: Bool, offset: Int) {
        self.subject = subject
        self.maximum = max(0, maximum)
        self.isRandom = isRandom && maximum > 0
        self.offset = offset
        self.subjects = maximum > 0 && maximum <= Self.prepared ? (0..<maximum).map { "\(subject).\($0)" } : []
    }

    /// The same, with another first number.
    package func beginning(at offset: Int) -> SubjectSequence {
        var copy = self
        copy.offset = offset
        return copy
    }

    /// What a subscriber takes to get all of them.
    package var pattern: String { self.maximum == nil ? self.subject : self.subject + ".*" }

    // MARK: Hot path

    /// The subject of a message.
    @inline(__always)
    package func subject(_ number: Int, _ random: inout some RandomNumberGenerator) -> String {
        guard let maximum = self.maximum else { return self.subject }
        return self.numbered(number, maximum, &random)
    }

    private func numbered(_ number: Int, _ maximum: Int, _ random: inout some RandomNumberGenerator) -> String {
        var index = self.offset &+ number
        if maximum > 0 { index = self.isRandom ? Int.random(in: 0..<maximum, using: &random) : index % maximum }
        return self.subjects.indices.contains(index) ? self.subjects[index] : "\(self.subject).\(index)"
    }
}
