/// The subjects of one `allow` or `deny` list, wildcards and queue groups included.
///
/// `@unchecked Sendable`: nothing in it changes once it is made.
struct SubjectSet: @unchecked Sendable {
    private final class Entry: SublistElement {
        let subject: [UInt8]
        let queue: [UInt8]
        var sublistPlace: SublistPlace?

        init(subject: [UInt8], queue: [UInt8]) {
            self.subject = subject
            self.queue = queue
        }
    }

    /// What a subject is in a list.
    struct Match {
        /// An entry without queue group covers it.
        var isPlain: Bool
        /// The queue groups of the entries `subject queue` that cover it.
        var queues: [[UInt8]]
    }

    private var entries: Sublist<Entry>

    /// A list for publishing: subjects as they are.
    ///
    /// - Parameters:
    ///   - subjects: What is no subject has been refused before.
    ///   - hash: The key of the list's hash table.
    init(subjects: [String], hash: SubjectHash) {
        self.entries = Sublist(hash: hash)
        for subject in subjects { _ = self.entries.insert(Entry(subject: Array(subject.utf8), queue: [])) }
    }

    /// A list for subscribing: subjects, or `subject queue`; what is neither is left out.
    ///
    /// - Parameters:
    ///   - entries: The subjects.
    ///   - hash: The key of the list's hash table.
    init(subjectsAndQueues entries: [String], hash: SubjectHash) {
        self.entries = Sublist(hash: hash)
        for (subject, queue) in entries.compactMap(PermissionOptions.subjectAndQueue) {
            _ = self.entries.insert(Entry(subject: Array(subject.utf8), queue: Array((queue ?? "").utf8)))
        }
    }

    /// Finds a subject; its own wildcards are plain text, which `*` in an entry covers, and so does `>` (nats-server
    /// sublist.go Match).
    func match(_ subject: UnsafeBufferPointer<UInt8>) -> Match {
        let match = self.entries.match(subject)
        return Match(isPlain: !match.plain.isEmpty, queues: match.groups.compactMap { $0.first?.queue })
    }

    /// Whether an entry without queue group covers the subject.
    func contains(_ subject: UnsafeBufferPointer<UInt8>) -> Bool { !self.entries.match(subject).plain.isEmpty }
}

extension SubjectSet.Match {
    /// Whether a queue group is one of those found (nats-server client.go queueMatches).
    func names(queue: [UInt8]) -> Bool {
        self.queues.contains { $0 == queue || Self.isSubset(queue, of: $0) }
    }

    /// Whether every name that `queue` covers is covered by `pattern`, both read as subjects.
    private static func isSubset(_ queue: [UInt8], of pattern: [UInt8]) -> Bool {
        let dot = UInt8(ascii: ".")
        let star = [UInt8(ascii: "*")][...]
        let rest = [UInt8(ascii: ">")][...]
        let tokens = queue.split(separator: dot, omittingEmptySubsequences: false)
        let patterns = pattern.split(separator: dot, omittingEmptySubsequences: false)
        guard patterns.contains(star) || patterns.last == rest else { return false }
        for (index, pattern) in patterns.enumerated() {
            guard index < tokens.count, !tokens[index].isEmpty else { return false }
            if pattern == rest, index == patterns.count - 1 { return true }
            if tokens[index] == rest { return false }
            guard pattern == star || pattern == tokens[index] else { return false }
        }
        return tokens.count == patterns.count
    }
}
