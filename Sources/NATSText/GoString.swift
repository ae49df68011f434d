/// Texts and bytes as Go's `strconv` quotes them, which is how the official server's messages show what it was given.
package enum GoString {
    /// `%q` of a string.
    package static func quoted(_ text: some StringProtocol) -> String {
        self.quoted(text.utf8)
    }

    /// `%q` of bytes, which need not be UTF-8.
    package static func quoted(_ bytes: some Collection<UInt8>) -> String {
        "\"\(self.escaped(Array(bytes), quote: "\""))\""
    }

    /// `%q` of a number: the character that it stands for.
    package static func quotedCharacter(_ number: Int64) -> String {
        let scalar = UInt32(exactly: number).flatMap { Unicode.Scalar($0) } ?? "\u{FFFD}"
        var text = ""
        self.append(scalar, quote: "'", to: &text)
        return "'\(text)'"
    }

    /// The bytes as they are, but for control characters, which could forge lines or steer a terminal.
    package static func harmless(_ bytes: some Collection<UInt8>) -> String {
        let bytes = Array(bytes)
        let isHarmless = bytes.allSatisfy { $0 >= 0x20 && $0 < 0x7f }
        return isHarmless ? String(decoding: bytes, as: UTF8.self) : self.escaped(bytes, quote: nil)
    }

    private static func escaped(_ bytes: [UInt8], quote: Unicode.Scalar?) -> String {
        var text = ""
        var index = 0
        while index < bytes.count {
            let (scalar, width) = UTF8Decoding.scalar(bytes, at: index)
            if scalar == "\u{FFFD}", width == 1 {
                text += "\\x" + self.hex(UInt32(bytes[index]), digits: 2)
            } else {
                self.append(scalar, quote: quote, to: &text)
            }
            index += width
        }
        return text
    }

    /// Appends one scalar (Go strconv appendEscapedRune); without quotes around it, a backslash stands for itself.
    private static func append(_ scalar: Unicode.Scalar, quote: Unicode.Scalar?, to text: inout String) {
        switch scalar {
        case quote: text += "\\\(scalar)"
        case "\\": text += quote == nil ? "\\" : "\\\\"
        case "\u{07}": text += "\\a"
        case "\u{08}": text += "\\b"
        case "\t": text += "\\t"
        case "\n": text += "\\n"
        case "\u{0B}": text += "\\v"
        case "\u{0C}": text += "\\f"
        case "\r": text += "\\r"
        case _ where scalar.value < 0x20 || scalar.value == 0x7f: text += "\\x" + self.hex(scalar.value, digits: 2)
        case _ where self.isPrintable(scalar): text.unicodeScalars.append(scalar)
        case _ where scalar.value < 0x10000: text += "\\u" + self.hex(scalar.value, digits: 4)
        default: text += "\\U" + self.hex(scalar.value, digits: 8)
        }
    }

    /// Go's strconv.IsPrint, nearly: letters, marks, numbers, punctuation, symbols and the ASCII space.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value >= 0x20 && scalar.value < 0x7f }
        return switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            false
        default: true
        }
    }

    private static func hex(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
