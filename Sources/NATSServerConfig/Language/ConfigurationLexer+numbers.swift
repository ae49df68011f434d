/// What begins with a digit: an integer with or without a size suffix, a float, a date, an address, or a string.
extension ConfigurationLexer {
    mutating func stepNumberOrText() -> State {
        let scalar = self.advance()
        switch scalar {
        case .minus:
            if self.position - self.start != 5 {
                return self.fail("All ISO8601 dates must be in full Zulu form.")
            }
            return self.readDateAfterYear()
        case _ where scalar.isDigit:
            return .numberOrText
        case .dot:
            return .floatStart
        case _ where scalar.isSizeSuffix:
            return .suffixedNumber
        case _ where scalar.endsNumber:
            return self.endNumber(.integer)
        default:
            self.stringState = .bareString
            return .bareString
        }
    }

    mutating func stepSuffixedNumber() -> State {
        let scalar = self.advance()
        if scalar == "b" || scalar == "B" || scalar == "i" || scalar == "I" { return .suffixedNumber }
        if scalar.endsNumber {
            return self.endNumber(.integer)
        }
        self.retreat()
        self.stringState = .bareString
        return .bareString
    }

    /// `YYYY-` has been read; the rest of `YYYY-MM-DDTHH:MM:SSZ` must follow.
    private mutating func readDateAfterYear() -> State {
        for expected in "00-00T00:00:00Z".unicodeScalars {
            let scalar = self.advance()
            if expected == "0" {
                if !scalar.isDigit {
                    return self.fail("Expected digit in ISO8601 datetime, but found '\(scalar.shown)' instead.")
                }
            } else if scalar != expected {
                return self.fail(
                    "Expected '\(expected)' in ISO8601 datetime, but found '\(scalar.shown)' instead."
                )
            }
        }
        self.emit(.date)
        return self.pop()
    }

    mutating func stepNegativeNumberStart() -> State {
        let scalar = self.advance()
        if scalar.isDigit { return .negativeNumber }
        if scalar == .dot { return self.fail("Floats must start with a digit, not '.'.") }
        return self.fail("Expected a digit but got '\(scalar.shown)'.")
    }

    mutating func stepNegativeNumber() -> State {
        let scalar = self.advance()
        switch scalar {
        case _ where scalar.isDigit: return .negativeNumber
        case .dot: return .floatStart
        case _ where scalar.isSizeSuffix: return .suffixedNumber
        default: return self.endNumber(.integer)
        }
    }

    mutating func stepFloatStart() -> State {
        let scalar = self.advance()
        guard scalar.isDigit else {
            return self.fail("Floats must have a digit after the '.', but got '\(scalar.shown)' instead.")
        }
        return .float
    }

    mutating func stepFloat() -> State {
        let scalar = self.advance()
        if scalar.isDigit { return .float }
        if scalar == .dot { return .address }
        return self.endNumber(.float)
    }

    mutating func stepAddress() -> State {
        let scalar = self.advance()
        if scalar.isDigit || scalar == .dot || scalar == .colon || scalar == .minus { return .address }
        return self.endNumber(.string)
    }

    private mutating func endNumber(_ kind: Kind) -> State {
        self.retreat()
        self.emit(kind)
        return self.pop()
    }
}
