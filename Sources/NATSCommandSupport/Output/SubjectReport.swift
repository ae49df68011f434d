package import NATSClient
import NATSText

/// Messages and bytes by subject, as a table.
package struct SubjectReport: Sendable {
    private struct Counts: Sendable {
        var messages = 0
        var bytes = 0
    }

    /// Subjects that are told apart; the rest is counted together, because whoever publishes chooses how many there are.
    private let maximumSubjects: Int
    private var subjects: [[UInt8]: Counts] = [:]
    private var others = Counts()

    package init(maximumSubjects: Int = 100_000) {
        self.maximumSubjects = maximumSubjects
    }

    /// Counts a message, payload bytes only.
    package mutating func count(_ parts: MessageParts) {
        let subject = Array(parts.subject)
        let bytes = parts.payload.count
        if self.subjects[subject] == nil, self.subjects.count >= self.maximumSubjects {
            self.others.messages += 1
            self.others.bytes += bytes
        } else {
            self.subjects[subject, default: Counts()].messages += 1
            self.subjects[subject, default: Counts()].bytes += bytes
        }
    }

    /// The table: the subjects with the most messages, the rest together, and the sum.
    package func table(top: Int) -> String {
        let sorted = self.subjects.sorted { left, right in
            left.value.messages == right.value.messages
                ? left.key.lexicographicallyPrecedes(right.key) : left.value.messages > right.value.messages
        }
        var rows = [("Subject", "Messages", "Bytes")]
        for (subject, counts) in sorted.prefix(top) {
            rows.append((GoString.harmless(subject), String(counts.messages), String(counts.bytes)))
        }
        var rest = self.others
        for (_, counts) in sorted.dropFirst(top) {
            rest.messages += counts.messages
            rest.bytes += counts.bytes
        }
        if rest.messages > 0 { rows.append(("(others)", String(rest.messages), String(rest.bytes))) }
        let messages = sorted.reduce(self.others.messages) { $0 + $1.value.messages }
        let bytes = sorted.reduce(self.others.bytes) { $0 + $1.value.bytes }
        rows.append(("Total", String(messages), String(bytes)))

        func width(_ column: KeyPath<(String, String, String), String>) -> Int {
            rows.reduce(0) { max($0, $1[keyPath: column].count) }
        }
        let widths = (width(\.0), width(\.1), width(\.2))
        func padding(_ text: String, _ width: Int) -> String { String(repeating: " ", count: width - text.count) }
        return rows.map { subject, messages, bytes in
            subject + padding(subject, widths.0) + "  " + padding(messages, widths.1) + messages + "  "
                + padding(bytes, widths.2) + bytes + "\n"
        }.joined()
    }
}
