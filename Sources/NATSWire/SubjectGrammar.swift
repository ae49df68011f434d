/// The rules for subjects, on raw bytes.
///
/// A subject is one or more tokens separated by `.`. In a subscription the whole tokens `*` (one token) and `>`
/// (one or more tokens, last only) are wildcards. Any byte but SP, TAB, CR and LF may stand in a token.
package enum SubjectGrammar {
    /// Whether the bytes name one subject: no empty token, no wildcard token, no white space.
    package static func isValidPublishSubject(_ subject: UnsafeRawBufferPointer) -> Bool {
        self.scan(subject, allowWildcards: false, allowWhitespace: false)
    }

    /// Whether the bytes can be subscribed to: no empty token, `>` last if present, no white space.
    package static func isValidSubscription(_ subject: UnsafeRawBufferPointer) -> Bool {
        self.scan(subject, allowWildcards: true, allowWhitespace: false)
    }

    /// What a server checks of a pedantic client's publish subject (nats-server sublist.go IsValidLiteralSubject):
    /// tokens only, since the parser has already removed white space.
    package static func isLiteral(_ subject: UnsafeRawBufferPointer) -> Bool {
        self.scan(subject, allowWildcards: false, allowWhitespace: true)
    }

    /// What a server checks of a subscription's subject (nats-server sublist.go Insert).
    package static func isSubscribable(_ subject: UnsafeRawBufferPointer) -> Bool {
        self.scan(subject, allowWildcards: true, allowWhitespace: true)
    }

    /// Whether a whole token of the subject is `*` or `>`.
    package static func hasWildcards(_ subject: UnsafeRawBufferPointer) -> Bool {
        var tokenStart = 0
        for index in 0...subject.count {
            guard index == subject.count || subject[index] == UInt8(ascii: ".") else { continue }
            if index - tokenStart == 1 {
                let byte = subject[tokenStart]
                if byte == UInt8(ascii: "*") || byte == UInt8(ascii: ">") { return true }
            }
            tokenStart = index + 1
        }
        return false
    }

    /// Whether a published subject is covered by a subscription's pattern.
    ///
    /// A subject with an empty token matches nothing. Wildcard characters in the *subject* are text.
    package static func matches(subject: UnsafeRawBufferPointer, pattern: UnsafeRawBufferPointer) -> Bool {
        var subjectPosition = 0
        var patternPosition = 0
        while true {
            let subjectEnd = self.tokenEnd(subject, from: subjectPosition)
            let patternEnd = self.tokenEnd(pattern, from: patternPosition)
            let subjectLength = subjectEnd - subjectPosition
            let patternLength = patternEnd - patternPosition
            guard subjectLength > 0, patternLength > 0 else { return false }
            if patternLength == 1, pattern[patternPosition] == UInt8(ascii: ">"), patternEnd == pattern.count {
                return !self.hasEmptyToken(subject, from: subjectEnd)
            }
            if !(patternLength == 1 && pattern[patternPosition] == UInt8(ascii: "*")) {
                guard subjectLength == patternLength else { return false }
                // A literal token of the pattern is never `*` or `>`, so a one-byte wildcard text in the subject
                // fails here by comparison.
                for offset in 0..<subjectLength
                where subject[subjectPosition + offset] != pattern[patternPosition + offset] {
                    return false
                }
            }
            let subjectDone = subjectEnd == subject.count
            let patternDone = patternEnd == pattern.count
            if subjectDone || patternDone { return subjectDone && patternDone }
            subjectPosition = subjectEnd + 1
            patternPosition = patternEnd + 1
        }
    }

    /// Whether every token has at least one byte; such subjects are the only ones that can match a subscription.
    package static func hasNoEmptyToken(_ subject: UnsafeRawBufferPointer) -> Bool {
        let end = self.tokenEnd(subject, from: 0)
        return end > 0 && !self.hasEmptyToken(subject, from: end)
    }

    private static func tokenEnd(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index < bytes.count, bytes[index] != UInt8(ascii: ".") { index += 1 }
        return index
    }

    /// Whether an empty token follows `end`, the end of a non-empty one.
    private static func hasEmptyToken(_ bytes: UnsafeRawBufferPointer, from end: Int) -> Bool {
        var index = end
        while index < bytes.count {
            let next = self.tokenEnd(bytes, from: index + 1)
            if next == index + 1 { return true }
            index = next
        }
        return false
    }

    private static func scan(_ subject: UnsafeRawBufferPointer, allowWildcards: Bool, allowWhitespace: Bool) -> Bool {
        guard !subject.isEmpty else { return false }
        var tokenStart = 0
        for index in 0...subject.count {
            if index < subject.count {
                let byte = subject[index]
                if byte != UInt8(ascii: ".") {
                    if !allowWhitespace, byte == 0x20 || byte == 0x09 || byte == 0x0d || byte == 0x0a { return false }
                    continue
                }
            }
            let length = index - tokenStart
            guard length > 0 else { return false }
            if length == 1 {
                let byte = subject[tokenStart]
                if byte == UInt8(ascii: "*") || byte == UInt8(ascii: ">") {
                    guard allowWildcards else { return false }
                    if byte == UInt8(ascii: ">"), index != subject.count { return false }
                }
            }
            tokenStart = index + 1
        }
        return true
    }
}
