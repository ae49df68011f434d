import NATSText

/// The rules of nats-io/jwt for subjects inside claims.
///
/// They are looser than the rules of the server, which looks at the subjects again.
enum ClaimSubject {
    /// A token's bytes: Swift would take texts for equal that differ in their bytes.
    typealias Token = ArraySlice<UInt8>

    private static let star: Token = [UInt8(ascii: "*")]
    private static let rest: Token = [UInt8(ascii: ">")]

    static func validate(_ subject: String, into report: inout ValidationReport) {
        guard !subject.isEmpty else {
            report.error("subject cannot be empty")
            return
        }
        let bytes = subject.utf8
        let quoted = GoString.quoted(subject)
        if bytes.contains(0x20) { report.error("subject \(quoted) cannot have spaces") }
        let dot = UInt8(ascii: ".")
        if bytes.first == dot || bytes.last == dot { report.error("subject \(quoted) cannot start or end with a `.`") }
        if zip(bytes, bytes.dropFirst()).contains(where: { $0 == dot && $1 == dot }) {
            report.error("subject \(quoted) cannot contain consecutive `.`")
        }
    }

    static func tokens(_ subject: String) -> [Token] {
        Array(subject.utf8).split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    }

    static func hasWildcards(_ subject: String) -> Bool {
        let tokens = self.tokens(subject)
        return tokens.contains(self.star) || tokens.last == self.rest
    }

    /// Whether one subject, with its wildcards as text, lies inside another.
    static func isContained(_ tokens: [Token], in other: [Token]) -> Bool {
        guard tokens.count >= other.count, tokens.count == other.count || other.last == self.rest else { return false }
        for (index, token) in other.enumerated() {
            if index == other.count - 1, token == self.rest { return true }
            if token != tokens[index], token != self.star { return false }
        }
        return true
    }

    // MARK: Renaming

    /// The number behind `$` of a reference to a wildcard.
    private static func reference(_ token: Token) -> Int? {
        guard token.count >= 2, token.first == UInt8(ascii: "$") else { return nil }
        return Int(String(decoding: token.dropFirst(), as: UTF8.self))
    }

    /// Checks the local subject of an import against the subject that it stands for.
    static func validate(renaming subject: String, from original: String, into report: inout ValidationReport) {
        self.validate(subject, into: &report)
        if original.isEmpty { report.error("subject cannot be empty") }
        if subject.utf8.contains(0x20) { report.error("subject \(GoString.quoted(subject)) cannot have spaces") }
        let tokens = self.tokens(subject)
        let originals = self.tokens(original)
        if (tokens.last == self.rest) != (originals.last == self.rest) {
            report.error("both, renaming subject and subject, need to end or not end in >")
        }
        let wildcards = originals.count { $0 == self.star }
        var references = 0
        for token in tokens {
            if token == self.star {
                references += 1
            } else if let index = self.reference(token) {
                if index > wildcards {
                    report.error(
                        "Reference $\(index) in \(GoString.quoted(subject)) reference * in "
                            + "\(GoString.quoted(original)) that do not exist"
                    )
                } else {
                    references += 1
                }
            }
        }
        if references != wildcards {
            report.error("subject does not contain enough * or reference wildcards $[0-9]")
        }
    }

    /// A local subject with its references to wildcards as wildcards.
    static func withoutReferences(_ subject: String) -> String {
        guard subject.utf8.contains(UInt8(ascii: "$")) else { return subject }
        let tokens = self.tokens(subject).map { self.reference($0) == nil ? $0 : self.star }
        return String(decoding: Array(tokens.joined(separator: [UInt8(ascii: ".")])), as: UTF8.self)
    }

    // MARK: The server's rules

    /// What the server takes as a subject with or without wildcards (nats-server sublist.go IsValidSubject).
    static func isValidInServer(_ subject: String) -> Bool {
        let tokens = self.tokens(subject)
        for (index, token) in tokens.enumerated() {
            guard !token.isEmpty, token != self.rest || index == tokens.count - 1 else { return false }
            let hasSpace = token.contains { $0 == 0x20 || $0 == 0x09 || $0 == 0x0a || $0 == 0x0c || $0 == 0x0d }
            if hasSpace { return false }
        }
        return true
    }
}
