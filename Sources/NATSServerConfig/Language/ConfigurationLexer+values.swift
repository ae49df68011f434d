/// Values: what they begin with, arrays, strings.
extension ConfigurationLexer {
    mutating func stepValue() -> State {
        let scalar = self.advance()
        if scalar.isBlank { return self.skip(to: .value) }
        switch scalar {
        case .arrayStart:
            return self.enter(.arrayStart, .arrayValue)
        case .mapStart:
            return self.enter(.mapStart, .mapKeyStart)
        case .quote:
            return self.skip(to: .quotedString)
        case .doubleQuote:
            self.stringState = .doubleQuotedString
            return self.skip(to: .doubleQuotedString)
        case .minus:
            return .negativeNumberStart
        case .textBlockStart:
            return self.skip(to: .textBlock)
        case _ where scalar.isDigit:
            return .numberOrText
        case .dot:
            return self.fail("Floats must start with a digit")
        case _ where scalar.isLineBreak:
            return self.fail("Expected value but found new line")
        default:
            self.retreat()
            self.stringState = .bareString
            return .bareString
        }
    }

    // MARK: Arrays

    mutating func stepArrayValue() -> State {
        let scalar = self.advance()
        switch scalar {
        case _ where scalar.isSpace:
            return self.skip(to: .arrayValue)
        case .hash:
            return self.comment(then: .arrayValue)
        case .slash:
            return self.comment(afterSlash: .arrayValue) ?? self.fail("Unexpected array value terminator ','.")
        case .comma:
            return self.fail("Unexpected array value terminator ','.")
        case .arrayEnd:
            return self.endArray()
        default:
            self.retreat()
            self.push(.arrayValueEnd)
            return .value
        }
    }

    mutating func stepArrayValueEnd() -> State {
        let scalar = self.advance()
        switch scalar {
        case _ where scalar.isBlank:
            return self.skip(to: .arrayValueEnd)
        case .hash:
            return self.comment(then: .arrayValueEnd)
        case .slash:
            return self.comment(afterSlash: .arrayValueEnd) ?? self.skip(to: .arrayValue)
        case _ where scalar.isLineBreak, .comma:
            return self.skip(to: .arrayValue)
        case .arrayEnd:
            return self.endArray()
        default:
            return self.fail(
                "Expected an array value terminator \",\" or an array terminator \"]\", but got '\(scalar.shown)' "
                    + "instead."
            )
        }
    }

    private mutating func endArray() -> State {
        self.ignore()
        self.emit(.arrayEnd)
        return self.pop()
    }

    // MARK: Strings

    mutating func stepQuotedString() -> State {
        switch self.advance() {
        case .quote: self.endQuoted(.string)
        case .nul: self.endOrFail()
        default: .quotedString
        }
    }

    mutating func stepDoubleQuotedString() -> State {
        switch self.advance() {
        case .backslash: self.beginEscape()
        case .doubleQuote: self.endQuoted(.string)
        case .nul: self.endOrFail()
        default: .doubleQuotedString
        }
    }

    mutating func stepBareString() -> State {
        let scalar = self.advance()
        switch scalar {
        case .backslash:
            return self.beginEscape()
        case _ where scalar.isLineBreak || scalar.isBlank, .nul, .semicolon, .comma, .arrayEnd, .mapEnd:
            self.retreat()
            if self.parts != nil {
                self.emit(.string)
            } else if Self.booleans.contains(String(decoding: self.pending, as: UTF8.self).lowercased()) {
                self.emit(.bool)
            } else if self.start < self.input.count, self.input[self.start] == UInt8(ascii: "$") {
                self.start += 1
                self.emit(.variable)
            } else {
                self.emit(.string)
            }
            return self.pop()
        case .quote:
            return self.endQuoted(.string)
        default:
            return .bareString
        }
    }

    static let booleans: Set<String> = ["true", "false", "on", "off", "yes", "no"]

    /// `( … )`: ends at a parenthesis that stands alone on its line.
    mutating func stepTextBlock() -> State {
        let scalar = self.advance()
        if scalar == .nul { return self.fail("Unexpected EOF processing block.") }
        guard scalar == .textBlockEnd, self.position >= 2,
            self.input[self.position - 2] == UInt8(ascii: "\n")
        else {
            return .textBlock
        }
        switch self.peek() {
        case .newline, .nul:
            // At the end of the file the parenthesis stays in the text.
            if self.position < self.input.count { self.position -= 1 }
            self.emit(.string)
            _ = self.advance()
            self.ignore()
            return self.pop()
        default:
            return .textBlock
        }
    }

    /// At a backslash: what stands before it is a finished part.
    private mutating func beginEscape() -> State {
        self.parts = (self.parts ?? []) + self.pending.dropLast()
        self.start = self.position
        return .stringEscape
    }

    private mutating func endEscape(_ bytes: [UInt8]) -> State {
        self.parts = (self.parts ?? []) + bytes
        self.start = self.position
        return self.stringState
    }

    mutating func stepStringEscape() -> State {
        let scalar = self.advance()
        switch scalar {
        case "x": return .stringHex
        case "t": return self.endEscape([0x09])
        case "n": return self.endEscape([0x0a])
        case "r": return self.endEscape([0x0d])
        case .doubleQuote: return self.endEscape([0x22])
        case .backslash: return self.endEscape([0x5c])
        default:
            return self.fail(
                "Invalid escape character '\(scalar.shown)'. Only the following escape characters are allowed: "
                    + "\\xXX, \\t, \\n, \\r, \\\", \\\\."
            )
        }
    }

    mutating func stepStringHex() -> State {
        for _ in 0..<2 where self.advance().isLineBreak {
            return self.fail("Expected two hexadecimal digits after '\\x', but hit end of line")
        }
        let digits = self.input[max(0, self.position - 2)..<self.position]
        let text = String(decoding: digits, as: UTF8.self)
        guard digits.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }), let byte = UInt8(text, radix: 16)
        else {
            return self.fail("Expected two hexadecimal digits after '\\x', but got '\(text)'")
        }
        return self.endEscape([byte])
    }
}
