import NATSText
internal import NATSWire

extension SubjectGrammar {
    /// Whether all that the first subject covers the second covers too; wildcards in both.
    static func isSubset(_ subject: String, of pattern: String) -> Bool {
        self.isSubset(subject.subjectTokens, of: pattern.subjectTokens)
    }

    /// The same with subjects that have been cut into tokens (nats-server sublist.go isSubsetMatchTokenized).
    static func isSubset(_ tokens: [Substring], of pattern: [Substring]) -> Bool {
        for (index, wanted) in pattern.enumerated() {
            guard index < tokens.count, !wanted.isEmpty else { return false }
            if wanted == ">" { return true }
            let token = tokens[index]
            if token.isEmpty || token == ">" { return false }
            if token == "*" {
                if wanted != "*" { return false }
            } else if wanted.utf8.first != UInt8(ascii: "*"), !token.isIdentical(to: wanted) {
                return false
            }
        }
        return tokens.count == pattern.count
    }
}
