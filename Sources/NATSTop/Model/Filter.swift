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
        var value: String
        var isNegated: Bool
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
                return Term(field: field, value: String(word[word.index(after: colon)...]), isNegated: isNegated)
            }
            return Term(field: nil, value: String(word), isNegated: isNegated)
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
                ? self.contains(account.name, term.value) : false
        case .subscription(let subscription):
            switch term.field {
            case nil:
                self.overlaps(subscription.subject, term.value) || self.contains(subscription.queueGroup, term.value)
            case .subject: self.overlaps(subscription.subject, term.value)
            default: false
            }
        }
    }

    private static func fits(_ term: Term, _ connection: Connection) -> Bool {
        switch term.field {
        case .name: self.contains(connection.name, term.value)
        case .subject: connection.subjects.contains { self.overlaps($0, term.value) }
        case .account: self.contains(connection.account, term.value)
        case .user: self.contains(connection.user, term.value)
        case .ip: self.contains(connection.address, term.value)
        case .cid: String(connection.id) == term.value
        case .kind: self.contains(connection.kind, term.value)
        case .lang: self.contains(connection.lang, term.value)
        case .reason: self.contains(connection.reason, term.value)
        case nil:
            self.contains(connection.name, term.value) || self.contains(connection.account, term.value)
                || self.contains(connection.user, term.value) || self.contains(connection.address, term.value)
                || self.contains(connection.lang, term.value) || self.contains(connection.reason, term.value)
                || connection.subjects.contains { self.overlaps($0, term.value) }
        }
    }

    private static func contains(_ text: String, _ part: String) -> Bool {
        part.isEmpty || text.lowercased().contains(part.lowercased())
    }

    /// Whether a subject contains the text, or some subject fits both as patterns.
    private static func overlaps(_ subject: String, _ pattern: String) -> Bool {
        if subject.contains(pattern) { return true }
        let left = subject.split(separator: ".", omittingEmptySubsequences: false)
        let right = pattern.split(separator: ".", omittingEmptySubsequences: false)
        for (one, other) in zip(left, right) {
            if one == ">" || other == ">" { return true }
            guard one == other || one == "*" || other == "*" else { return false }
        }
        return left.count == right.count
    }
}
