internal import NATSWire

/// The mappings of an account: which subjects become others when they are published.
///
/// A pure value. Of several whose sources cover a subject the first counts.
struct SubjectMappings: Sendable, Equatable {
    /// As it is shown by `/accountz`: weights add up.
    struct Destination: Sendable, Equatable {
        let transform: SubjectTransform
        /// A number below 100 that is less than this one takes the destination, unless one before does.
        let threshold: Int
    }

    struct Mapping: Sendable, Equatable {
        let source: String
        fileprivate let pattern: [UInt8]
        fileprivate(set) var destinations: [Destination]
        /// Those that only count in a cluster, by its name.
        fileprivate(set) var clusters: [String: [Destination]] = [:]
    }

    let mappings: [Mapping]

    var isEmpty: Bool { self.mappings.isEmpty }

    /// - Parameter options: What the configuration says; later entries for the same source replace earlier ones.
    init(_ options: [MappingOptions]) {
        var mappings: [Mapping] = []
        for option in options {
            var mapping = Mapping(source: option.source, pattern: Array(option.source.utf8), destinations: [])
            let own = option.destinations.filter { $0.cluster == nil }
            mapping.destinations = Self.destinations(own, of: option)
            for cluster in Set(option.destinations.compactMap(\.cluster)) {
                let own = option.destinations.filter { $0.cluster == cluster }
                mapping.clusters[cluster] = Self.destinations(own, of: option)
            }
            if let index = mappings.firstIndex(where: { $0.source == mapping.source }) {
                mappings[index] = mapping
            } else {
                mappings.append(mapping)
            }
        }
        self.mappings = mappings
    }

    /// nats-server accounts.go AddWeightedMappings: what is left of 100 % keeps its subject, unless that is named, which
    /// asks for loss.
    private static func destinations(
        _ options: [MappingOptions.Destination],
        of mapping: MappingOptions
    ) -> [Destination] {
        var weighted = options.compactMap { option in
            SubjectTransform(mapping.source, option.subject).map { (transform: $0, weight: option.weight) }
        }
        let total = options.reduce(0) { $0 + $1.weight }
        if total != 100, !mapping.destinations.contains(where: { $0.subject == mapping.source }),
            let same = SubjectTransform(mapping.source, mapping.unchanged)
        {
            weighted.append((same, weighted.isEmpty ? 100 : 100 - total))
        }
        weighted.sort { $0.weight < $1.weight }
        var threshold = 0
        return weighted.map { transform, weight in
            threshold += weight
            return Destination(transform: transform, threshold: threshold)
        }
    }

    /// What becomes of a published subject; `nil` if no mapping covers it.
    func match(_ subject: UnsafeBufferPointer<UInt8>) -> MappedSubject? {
        let bytes = UnsafeRawBufferPointer(subject)
        let mapping = self.mappings.first { mapping in
            mapping.pattern.withUnsafeBytes { SubjectGrammar.matches(subject: bytes, pattern: $0) }
        }
        guard let mapping else { return nil }
        // A `>` that has been published is covered by another one only (nats-server sublist.go isSubsetMatch).
        if SubjectGrammar.hasWildcards(bytes) {
            guard SubjectGrammar.isSubset(String(decoding: subject, as: UTF8.self), of: mapping.source) else {
                return nil
            }
        }
        return MappedSubject(Array(subject), mapping.destinations)
    }
}

/// What a subject becomes; made once, when the subject is matched.
final class MappedSubject: Sendable {
    private struct Choice: Sendable {
        let threshold: Int
        /// `nil` if it is another one each time.
        let subject: [UInt8]?
        let transform: SubjectTransform
    }

    private let source: [UInt8]
    private let choices: [Choice]
    /// The only destination.
    let constant: [UInt8]?

    init(_ source: [UInt8], _ destinations: [SubjectMappings.Destination]) {
        self.source = source
        self.choices = destinations.map { destination in
            Choice(
                threshold: destination.threshold,
                subject: destination.transform.isRandom ? nil : destination.transform(source),
                transform: destination.transform
            )
        }
        self.constant = self.choices.first.flatMap { $0.threshold == 100 ? $0.subject : nil }
    }

    /// Memory in bytes, roughly.
    var size: Int {
        self.choices.reduce(self.source.count + 2 * MatchResult.allocationSize) { size, choice in
            size + (choice.subject?.count ?? 0) + MemoryLayout<Choice>.stride + MatchResult.allocationSize
        }
    }

    /// The subject for one message; empty if the message is to be lost.
    func choose(_ random: inout FastRandom) -> [UInt8] {
        if let constant = self.constant { return constant }
        let number = random.next(below: 100)
        guard let choice = self.choices.first(where: { number < $0.threshold }) else { return [] }
        return choice.subject ?? choice.transform(self.source, using: &random)
    }
}
