/// Which rows are shown: words that all must fit, `name:alpha account:APP !ip:10.`.
///
/// A word without field fits anywhere; `!` turns it round. Capitals do not matter, but in subjects. `account:=APP` wants all
/// of the value to be so, capitals included; `"account:=my app"` is one word.
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
        /// All of the value must be it, not a part.
        var isExact: Bool

        init(field: Field?, value: some StringProtocol, isNegated: Bool) {
            self.field = field
            self.isExact = field != nil && value.first == "="
            self.value = String(self.isExact ? value.dropFirst() : value[...])
            self.folded = Array(value.lowercased().utf8)
            self.isNegated = isNegated
        }
    }

    private let terms: [Term]
    /// As it was typed.
    package let text: String

    package init(_ text: String) {
        self.text = HarmlessText.make(text)
        self.terms = Self.words(self.text).compactMap { word in
            let isNegated = word.hasPrefix("!")
            let word = isNegated ? word.dropFirst() : word[...]
            guard !word.isEmpty else { return nil }
            // An IPv6 address has colons too: only the name of a field makes one a mark.
            if let colon = word.firstIndex(of: ":"), let field = Self.field(word[..<colon]) {
                return Term(field: field, value: word[word.index(after: colon)...], isNegated: isNegated)
            }
            return Term(field: nil, value: word, isNegated: isNegated)
        }
    }

    /// The connections of one account, and of none whose name only begins so.
    static func exactly(account: String) -> Filter {
        let word = "account:=\(account)"
        guard word.contains(where: { $0 == " " || $0 == "\"" || $0 == "\\" }) else { return Filter(word) }
        let escaped = word.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] }
        return Filter("\"\(String(escaped))\"")
    }

    /// The words of a text; between double quotes blanks belong to one, and a backslash takes the next character as it is.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word: String?
        var isQuoted = false
        var isEscaped = false
        for character in text {
            if isEscaped {
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if isQuoted, character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if character == " ", !isQuoted {
                if let word { words.append(word) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        return words + (word.map { [$0] } ?? [])
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
        case .server(let server): self.fits(term, server)
        case .connection(let connection): self.fits(term, connection)
        case .account(let account):
            term.field == nil || term.field == .name || term.field == .account
                ? self.contains(account.name, term) : false
        case .subscription(let subscription):
            switch term.field {
            case nil: self.overlaps(subscription.subject, term) || self.contains(subscription.queueGroup, term)
            case .subject: self.overlaps(subscription.subject, term)
            default: false
            }
        }
    }

    private static func fits(_ term: Term, _ server: ClusterServer) -> Bool {
        switch term.field {
        case .name: self.contains(server.name, term)
        case .ip: self.contains(server.address, term)
        case .reason: self.contains(server.problem, term)
        case nil:
            [server.name, server.status.id, server.address, server.problem, server.status.version].contains {
                self.contains($0, term)
            }
        default: false
        }
    }

    private static func fits(_ term: Term, _ connection: Connection) -> Bool {
        switch term.field {
        case .name: self.contains(connection.name, term)
        case .subject: connection.subjects.contains { self.overlaps($0, term) }
        case .account: self.contains(connection.account, term)
        case .user: self.contains(connection.user, term)
        case .ip: self.contains(term.isExact ? connection.ip : connection.address, term)
        case .cid: String(connection.id) == term.value
        case .kind: self.contains(connection.kind, term)
        case .lang: self.contains(connection.lang, term)
        case .reason: self.contains(connection.reason, term)
        case nil:
            self.contains(connection.name, term) || self.contains(connection.account, term)
                || self.contains(connection.user, term) || self.contains(connection.address, term)
                || self.contains(connection.lang, term) || self.contains(connection.reason, term)
                || connection.subjects.contains { self.overlaps($0, term) }
        }
    }

    private static func contains(_ text: String, _ term: Term) -> Bool {
        if term.isExact { return text == term.value }
        let isASCII = text.utf8.allSatisfy { $0 < 0x80 }
        let folded =
            isASCII ? text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 } : Array(text.lowercased().utf8)
        return self.contains(folded, term.folded)
    }

    private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        guard part.count <= bytes.count else { return false }
        return (0...(bytes.count - part.count)).contains { start in
            part.indices.allSatisfy { bytes[start + $0] == part[$0] }
        }
    }

    /// Whether a subject contains the text, or some subject fits both as patterns.
    private static func overlaps(_ subject: String, _ term: Term) -> Bool {
        if term.isExact { return subject == term.value }
        let pattern = term.value
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
