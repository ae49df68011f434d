/// File level: keys with values, and the pair of braces that JSON has around them.
extension ConfigurationLexer {
    mutating func stepTop() -> State {
        let scalar = self.advance()
        if scalar.isSpace { return self.skip(to: .top) }
        switch scalar {
        case .mapStart:
            self.push(.top)
            return self.skip(to: .blockStart)
        case .hash:
            return self.comment(then: .top)
        case .slash:
            return self.comment(afterSlash: .top) ?? self.endOrFail()
        case .nul:
            return self.endOrFail()
        default:
            self.retreat()
            self.push(.topValueEnd)
            return .keyStart
        }
    }

    mutating func stepTopValueEnd() -> State {
        let scalar = self.advance()
        switch scalar {
        case .hash:
            return self.comment(then: .top)
        case .slash:
            // A slash alone is skipped, as white space is.
            return self.comment(afterSlash: .top) ?? .topValueEnd
        case _ where scalar.isBlank:
            return .topValueEnd
        case _ where scalar.isLineBreak, .nul, .semicolon, .comma, .mapEnd:
            return self.skip(to: .top)
        default:
            return self.fail(
                "Expected a top-level value to end with a new line, comment or EOF, but got '\(scalar.shown)' instead."
            )
        }
    }

    mutating func stepBlockStart() -> State {
        let scalar = self.advance()
        if scalar.isSpace { return self.skip(to: .blockStart) }
        switch scalar {
        case .mapStart:
            self.push(.blockEnd)
            return self.skip(to: .blockStart)
        case .mapEnd:
            self.ignore()
            return self.pop()
        case .hash:
            return self.comment(then: .blockStart)
        case .slash:
            return self.comment(afterSlash: .blockStart) ?? self.endOrFail()
        case .nul:
            return self.endOrFail()
        default:
            self.retreat()
            self.push(.blockValueEnd)
            return .keyStart
        }
    }

    mutating func stepBlockValueEnd() -> State {
        let scalar = self.advance()
        switch scalar {
        case .hash:
            return self.comment(then: .blockValueEnd)
        case .slash:
            return self.comment(afterSlash: .blockValueEnd) ?? .blockValueEnd
        case _ where scalar.isBlank:
            return .blockValueEnd
        case _ where scalar.isLineBreak, .semicolon, .comma:
            return self.skip(to: .blockStart)
        case .mapEnd:
            self.retreat()
            return .blockEnd
        default:
            return self.fail(
                "Expected a block-level value to end with a new line, comment or EOF, but got '\(scalar.shown)' "
                    + "instead."
            )
        }
    }

    mutating func stepBlockEnd() -> State {
        let scalar = self.advance()
        switch scalar {
        case .hash:
            return self.comment(then: .blockStart)
        case .slash:
            return self.comment(afterSlash: .blockStart) ?? .blockEnd
        case _ where scalar.isBlank || scalar.isLineBreak:
            return .blockEnd
        case .semicolon, .comma:
            return self.skip(to: .blockStart)
        case .mapEnd:
            self.ignore()
            return self.pop()
        default:
            return self.fail("Expected a block-level to end with a '}', but got '\(scalar.shown)' instead.")
        }
    }

    // MARK: Keys

    mutating func stepKeyStart() -> State {
        let scalar = self.peek()
        switch scalar {
        case .equal, .colon:
            return self.fail("Unexpected key separator '\(scalar.shown)'")
        case _ where scalar.isSpace:
            _ = self.advance()
            return self.skip(to: .keyStart)
        case .doubleQuote:
            _ = self.advance()
            return self.skip(to: .doubleQuotedKey)
        case .quote:
            _ = self.advance()
            return self.skip(to: .quotedKey)
        default:
            self.ignore()
            _ = self.advance()
            return .key
        }
    }

    mutating func stepQuotedKey(_ quote: Unicode.Scalar, again: State) -> State {
        switch self.peek() {
        case quote:
            self.emit(.key)
            _ = self.advance()
            return self.skip(to: .keyEnd)
        case .nul:
            return self.endOrFail()
        default:
            _ = self.advance()
            return again
        }
    }

    mutating func stepKey() -> State {
        let scalar = self.peek()
        if scalar.isSpace {
            return self.keyOrInclude(then: .keyEnd, afterInclude: nil)
        }
        if scalar == .equal || scalar == .colon || scalar == .nul {
            self.emit(.key)
            return .keyEnd
        }
        _ = self.advance()
        return .key
    }

    mutating func stepKeyEnd() -> State {
        let scalar = self.advance()
        switch scalar {
        case _ where scalar.isSpace:
            return self.skip(to: .keyEnd)
        case .equal, .colon:
            return self.skip(to: .value)
        case .nul:
            self.emit(.end)
            return .stopped
        default:
            self.retreat()
            return .value
        }
    }

    /// At the blank after a word: a key, unless the word is `include`.
    mutating func keyOrInclude(then next: State, afterInclude: State?) -> State {
        if String(decoding: self.pending, as: UTF8.self).lowercased() == "include" {
            self.ignore()
            if let afterInclude { self.push(afterInclude) }
            return .includeStart
        }
        self.emit(.key)
        return next
    }
}
