import NATSText

/// The rules for subjects in a configuration.
package enum SubjectText {
    /// nats-server sublist.go IsValidSubject.
    static func isValid(_ subject: String) -> Bool {
        guard !subject.isEmpty else { return false }
        let tokens = self.tokens(subject)
        for (index, token) in tokens.enumerated() {
            if token.isEmpty { return false }
            if token == ">", index != tokens.count - 1 { return false }
            if token.utf8.contains(where: { $0 == 0x20 || $0 == 0x09 || $0 == 0x0a || $0 == 0x0c || $0 == 0x0d }) {
                return false
            }
        }
        return true
    }

    static func isValidPublish(_ subject: String) -> Bool {
        self.isValid(subject) && !self.hasWildcard(subject)
    }

    static func hasWildcard(_ subject: String) -> Bool {
        self.tokens(subject).contains { $0 == "*" || $0 == ">" }
    }

    static func tokens(_ subject: String) -> [Substring] {
        subject.subjectTokens
    }

    /// Whether every subject that the first matches is matched by the second; wildcards in both.
    static func isSubset(_ subject: String, of pattern: String) -> Bool {
        let subject = self.tokens(subject)
        let pattern = self.tokens(pattern)
        for (index, wanted) in pattern.enumerated() {
            guard index < subject.count, !wanted.isEmpty else { return false }
            if wanted == ">" { return true }
            let token = subject[index]
            if token.isEmpty || token == ">" { return false }
            if token == "*" {
                if wanted != "*" { return false }
                continue
            }
            if wanted.utf8.first != UInt8(ascii: "*"), !token.isIdentical(to: wanted) { return false }
        }
        return subject.count == pattern.count
    }

    /// Whether one subject can be matched by both.
    package static func collide(_ first: String, _ second: String) -> Bool {
        if first.isIdentical(to: second) { return true }
        switch (self.hasWildcard(first), self.hasWildcard(second)) {
        case (false, false): return false
        case (false, true): return self.isSubset(first, of: second)
        case (true, false): return self.isSubset(second, of: first)
        case (true, true): break
        }
        let left = self.tokens(first)
        let right = self.tokens(second)
        if left.count != right.count {
            let shorter = left.count < right.count ? left : right
            guard shorter.contains(">") else { return false }
        }
        return zip(left, right).allSatisfy { one, other in
            guard let oneStart = one.utf8.first, let otherStart = other.utf8.first else { return false }
            let wildcards = [UInt8(ascii: "*"), UInt8(ascii: ">")]
            return wildcards.contains(oneStart) || wildcards.contains(otherStart) || one.isIdentical(to: other)
        }
    }
}
