/// A configuration that both servers must judge alike.
struct ConfigurationSnippet: Sendable, CustomStringConvertible {
    /// How much must be equal.
    enum Comparison: Sendable {
        /// Verdict, digest and error lines.
        case lines
        /// Verdict and digest: the official server's lines depend on its random order of keys.
        case verdict
        /// Verdict, digest and error lines without their places.
        case words
    }

    let name: String
    let text: String
    var files: [String: String] = [:]
    var comparison: Comparison = .lines

    var description: String { self.name }

    /// The environment of both servers.
    static let environment = [
        "SNIPPET_PORT": "22005",
        "SNIPPET_TEXT": "\"a b\"",
        "SNIPPET_BARE": "a b",
        "SNIPPET_FLAG": "true",
        "SNIPPET_LIST": "[a,b]",
        "SNIPPET_MAP": "{ a: 1, b: {c: x} }",
        "SNIPPET_EMPTY": "",
        "SNIPPET_OTHER": "$SNIPPET_PORT",
        "SNIPPET_SELF": "$SNIPPET_SELF",
        "SNIPPET_ROUND": "$SNIPPET_TRIP",
        "SNIPPET_TRIP": "$SNIPPET_ROUND",
        "SNIPPET_LOST": "$SNIPPET_NOWHERE",
        "SNIPPET_SIZE": "2MB",
        "SNIPPET_BLOCK": "ping_max: 3",
        "HOME": "/home",
    ]

    /// All snippets.
    static let all: [ConfigurationSnippet] =
        Self.language + Self.includes + Self.keys + Self.blocks + Self.accounts + Self.oldDocuments
}

/// Keys with values that are right and wrong, one line per key: `key | right | wrong | wrong …`; `~` for nothing.
struct KeyTable: Sendable {
    /// Where `%` stands for key and value.
    let template: String
    let rows: String

    var snippets: [ConfigurationSnippet] {
        self.rows.split(separator: "\n").flatMap { row -> [ConfigurationSnippet] in
            let cells = row.split(separator: "|").map { $0.drop { $0 == " " } }
                .map { cell in String(cell.reversed().drop { $0 == " " }.reversed()) }
            guard let key = cells.first else { return [] }
            return cells.dropFirst().filter { $0 != "~" }.map { value in
                let halves = self.template.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
                let text = "\(halves[0])\(key): \(value)\(halves.count > 1 ? halves[1] : "")\n"
                return ConfigurationSnippet(name: text, text: text)
            }
        }
    }
}
