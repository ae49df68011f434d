/// Literals as Go's `strconv` reads them.
enum GoSyntax {
    enum Integer: Equatable {
        case value(Int)
        case outOfRange
        case malformed
    }

    /// `strconv.ParseBool`.
    static func boolean(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "TRUE", "true", "True": true
        case "0", "f", "F", "FALSE", "false", "False": false
        default: nil
        }
    }

    /// `strconv.ParseInt` with base 0: `0x`, `0o`, `0b` and `0` prefixes, underscores between digits.
    static func integer(_ text: String) -> Integer {
        var digits = Array(text.utf8)[...]
        let negative = digits.first == UInt8(ascii: "-")
        if negative || digits.first == UInt8(ascii: "+") {
            digits.removeFirst()
        }
        var base = 10
        // An underscore may stand after a prefix or a digit, and a digit must follow it.
        var underscoreAllowed = false
        if digits.first == UInt8(ascii: "0"), digits.count > 1 {
            digits.removeFirst()
            underscoreAllowed = true
            switch (digits.first ?? 0) | 0x20 {
            case UInt8(ascii: "x"): base = 16
            case UInt8(ascii: "o"): base = 8
            case UInt8(ascii: "b"): base = 2
            default: base = 0
            }
            if base == 0 {
                base = 8
            } else {
                digits.removeFirst()
            }
        }
        guard !digits.isEmpty else {
            return .malformed
        }

        var magnitude: UInt = 0
        var misplacedUnderscore = false
        for byte in digits {
            if byte == UInt8(ascii: "_") {
                misplacedUnderscore = misplacedUnderscore || !underscoreAllowed
                underscoreAllowed = false
                continue
            }
            guard let digit = Self.digit(byte), digit < base else {
                return .malformed
            }
            // As in Go, a number that got too large is not read further, so nothing after it can be wrong.
            let (product, tooLarge) = magnitude.multipliedReportingOverflow(by: UInt(base))
            let (sum, carried) = product.addingReportingOverflow(UInt(digit))
            guard !tooLarge, !carried else {
                return .outOfRange
            }
            magnitude = sum
            underscoreAllowed = true
        }
        guard !misplacedUnderscore, digits.last != UInt8(ascii: "_") else {
            return .malformed
        }
        if negative {
            guard magnitude <= Int.min.magnitude else { return .outOfRange }
            return .value(Int(truncatingIfNeeded: 0 &- magnitude))
        }
        guard let value = Int(exactly: magnitude) else { return .outOfRange }
        return .value(value)
    }

    private static func digit(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }
}
