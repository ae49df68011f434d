/// Maps and `include`.
extension ConfigurationLexer {
    mutating func stepMapKeyStart() -> State {
        let scalar = self.peek()
        switch scalar {
        case .equal, .colon:
            return self.fail("Unexpected key separator '\(scalar.shown)'.")
        case .arrayEnd:
            return self.fail("Unexpected array end '\(scalar.shown)' processing map.")
        case _ where scalar.isSpace:
            _ = self.advance()
            return self.skip(to: .mapKeyStart)
        case .mapEnd:
            _ = self.advance()
            return self.endMap()
        case .hash:
            _ = self.advance()
            return self.comment(then: .mapKeyStart)
        case .slash:
            // A slash alone is dropped, the key begins behind it.
            _ = self.advance()
            if let state = self.comment(afterSlash: .mapKeyStart) { return state }
        case .quote:
            _ = self.advance()
            return self.skip(to: .mapQuotedKey)
        case .doubleQuote:
            _ = self.advance()
            return self.skip(to: .mapDoubleQuotedKey)
        case .nul:
            return self.fail("Unexpected EOF processing map.")
        default:
            break
        }
        self.ignore()
        _ = self.advance()
        return .mapKey
    }

    mutating func stepMapQuotedKey(_ quote: Unicode.Scalar, _ name: String, again: State) -> State {
        switch self.peek() {
        case .nul:
            return self.fail("Unexpected EOF processing \(name) map key.")
        case quote:
            self.emit(.key)
            _ = self.advance()
            return self.skip(to: .mapKeyEnd)
        default:
            _ = self.advance()
            return again
        }
    }

    mutating func stepMapKey() -> State {
        let scalar = self.peek()
        if scalar == .nul {
            return self.fail("Unexpected EOF processing map key.")
        }
        if scalar.isSpace {
            return self.keyOrInclude(then: .mapKeyEnd, afterInclude: .mapValueEnd)
        }
        if scalar == .equal || scalar == .colon {
            self.emit(.key)
            return .mapKeyEnd
        }
        _ = self.advance()
        return .mapKey
    }

    mutating func stepMapKeyEnd() -> State {
        let scalar = self.advance()
        switch scalar {
        case _ where scalar.isSpace:
            return self.skip(to: .mapKeyEnd)
        case .equal, .colon:
            return self.skip(to: .mapValue)
        default:
            self.retreat()
            return .mapValue
        }
    }

    mutating func stepMapValue() -> State {
        let scalar = self.advance()
        switch scalar {
        case _ where scalar.isSpace:
            return self.skip(to: .mapValue)
        case .comma:
            return self.fail("Unexpected map value terminator \",\".")
        case .mapEnd:
            return self.endMap()
        default:
            self.retreat()
            self.push(.mapValueEnd)
            return .value
        }
    }

    mutating func stepMapValueEnd() -> State {
        let scalar = self.advance()
        switch scalar {
        case _ where scalar.isBlank:
            return self.skip(to: .mapValueEnd)
        case .hash:
            return self.comment(then: .mapValueEnd)
        case .slash:
            // A slash alone ends the value, as a comma does.
            return self.comment(afterSlash: .mapValueEnd) ?? self.skip(to: .mapKeyStart)
        case _ where scalar.isLineBreak, .semicolon, .comma:
            return self.skip(to: .mapKeyStart)
        case .mapEnd:
            return self.endMap()
        default:
            return self.fail(
                "Expected a map value terminator \",\" or a map terminator \"}\", but got '\(scalar.shown)' instead."
            )
        }
    }

    private mutating func endMap() -> State {
        self.ignore()
        self.emit(.mapEnd)
        return self.pop()
    }

    // MARK: include

    mutating func stepIncludeStart() -> State {
        if self.advance().isBlank { return self.skip(to: .includeStart) }
        self.retreat()
        return .include
    }

    mutating func stepInclude() -> State {
        let scalar = self.advance()
        switch scalar {
        case .quote:
            return self.skip(to: .includeQuoted)
        case .doubleQuote:
            return self.skip(to: .includeDoubleQuoted)
        case .arrayStart:
            return self.fail("Expected include value but found start of an array")
        case .mapStart:
            return self.fail("Expected include value but found start of a map")
        case .textBlockStart:
            return self.fail("Expected include value but found start of a block")
        case _ where scalar.isDigit, .minus:
            return self.fail("Expected include value but found start of a number")
        case .backslash:
            return self.fail("Expected include value but found escape sequence")
        case _ where scalar.isLineBreak:
            return self.fail("Expected include value but found new line")
        default:
            self.retreat()
            return .includeBare
        }
    }

    mutating func stepIncludeQuoted(_ quote: Unicode.Scalar, _ name: String, again: State) -> State {
        switch self.advance() {
        case quote:
            return self.endQuoted(.include)
        case .nul:
            return self.fail("Unexpected EOF in \(name) include")
        default:
            return again
        }
    }

    mutating func stepIncludeBare() -> State {
        let scalar = self.advance()
        switch scalar {
        case _ where scalar.isLineBreak || scalar.isBlank, .nul, .semicolon, .mapEnd:
            self.retreat()
            self.emit(.include)
            return self.pop()
        case .quote:
            return self.endQuoted(.include)
        default:
            return .includeBare
        }
    }

    /// At the quote that was just read: what stands before it is the item.
    mutating func endQuoted(_ kind: Kind) -> State {
        self.retreat()
        self.emit(kind)
        _ = self.advance()
        self.ignore()
        return self.pop()
    }
}
