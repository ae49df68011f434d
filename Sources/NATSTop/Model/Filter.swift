/// Which rows are shown: words that all must fit, `name:alpha account:APP !ip:10.`.
///
/// A word without field fits anywhere; `!` turns it round. Capitals do not matter, but in subjects.
package struct Filter: Sendable, Equatable {
    private enum Field: String {
        case name
        case subject
        case account
        case user
        case ip
        case cid
        case kind
        case lang
        case reason
    }

    private struct Term: Sendable, Equatable {
        var field: Field?
        /// As it was typed, for subjects.
        var value: String
        /// In small letters.
        var folded: [UInt8]
        var isNegated: Bool

        init(field: Field?, value: some StringProtocol, isNegated: Bool) {
            self.field = field
            self.value = String(value)
            self.folded = Array(value.lowercased().utf8)
            self.isNegated = isNegated
        }
    }

    private let terms: [Term]
    /// As it was typed.
    package let text: String

    package init(_ text: String) {
        self.text = HarmlessText.make(text)
        self.terms = self.text.split(separator: " ").compactMap { word in
            let isNegated = word.hasPrefix("!")
            let word = isNegated ? word.dropFirst() : word
            guard !word.isEmpty else { return nil }
            // An IPv6 address has colons too: only the name of a field makes one a mark.
            if let colon = word.firstIndex(of: ":"), let field = Self.field(word[..<colon]) {
                return Term(field: field, value: word[word.index(after: colon)...], isNegated: isNegated)
            }
            return Term(field: nil, value: word, isNegated: isNegated)
        }
    }

    private static func field(_ name: Substring) -> Field? {
        switch name.lowercased() {
        case "sub": .subject
        case "acc": .account
        case "host", "address": .ip
        case let name: Field(rawValue: name)
        }
    }

    package var isEmpty: Bool { self.terms.isEmpty }

    var needsSubjects: Bool { self.terms.contains { $0.field == .subject } }

    package func accepts(_ row: Row) -> Bool {
        self.terms.allSatisfy { Self.fits($0, row.content) != $0.isNegated }
    }

    private static func fits(_ term: Term, _ content: Row.Content) -> Bool {
        switch content {
        case .connection(let connection): self.fits(term, connection)
        case .account(let account):
            term.field == nil || term.field == .name || term.field == .account
                ? self.contains(account.name, term.folded) : false
        case .subscription(let subscription):
            switch term.field {
            case nil:
                self.overlaps(subscription.subject, term.value) || self.contains(subscription.queueGroup, term.folded)
            case .subject: self.overlaps(subscription.subject, term.value)
            default: false
            }
        }
    }

    private static func fits(_ term: Term, _ connection: Connection) -> Bool {
        switch term.field {
        case .name: self.contains(connection.name, term.folded)
        case .subject: connection.subjects.contains { self.overlaps($0, term.value) }
        case .account: self.contains(connection.account, term.folded)
        case .user: self.contains(connection.user, term.folded)
        case .ip: self.contains(connection.address, term.folded)
        case .cid: String(connection.id) == term.value
        case .kind: self.contains(connection.kind, term.folded)
        case .lang: self.contains(connection.lang, term.folded)
        case .reason: self.contains(connection.reason, term.folded)
        case nil:
            self.contains(connection.name, term.folded) || self.contains(connection.account, term.folded)
                || self.contains(connection.user, term.folded) || self.contains(connection.address, term.folded)
                || self.contains(connection.lang, term.folded) || self.contains(connection.reason, term.folded)
                || connection.subjects.contains { self.overlaps($0, term.value) }
        }
    }

    private static func contains(_ text: String, _ part: [UInt8]) -> Bool {
        let isASCII = text.utf8.allSatisfy { $0 < 0x80 }
        let folded =
            isASCII ? text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 } : Array(text.lowercased().utf8)
        return self.contains(folded, part)
    }

    private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        guard part.count <= bytes.count else { return false }
        return (0...(bytes.count - part.count)).contains { start in
            part.indices.allSatisfy { bytes[start + $0] == part[$0] }
        }
    }

    /// Whether a subject contains the text, or some subject fits both as patterns.
    private static func overlaps(_ subject: String, _ pattern: String) -> Bool {
        if self.contains(Array(subject.utf8), Array(pattern.utf8)) { return true }
        let left = subject.split(separator: ".", omittingEmptySubsequences: false)
        let right = pattern.split(separator: ".", omittingEmptySubsequences: false)
        for (one, other) in zip(left, right) {
            if one == ">" || other == ">" { return true }
            guard one == other || one == "*" || other == "*" else { return false }
        }
        return left.count == right.count
    }
}
