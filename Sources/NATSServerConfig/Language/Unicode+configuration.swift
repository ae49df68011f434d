/// The characters that the language knows.
extension Unicode.Scalar {
    static let nul: Unicode.Scalar = "\0"
    static let newline: Unicode.Scalar = "\n"
    static let mapStart: Unicode.Scalar = "{"
    static let mapEnd: Unicode.Scalar = "}"
    static let equal: Unicode.Scalar = "="
    static let colon: Unicode.Scalar = ":"
    static let arrayStart: Unicode.Scalar = "["
    static let arrayEnd: Unicode.Scalar = "]"
    static let comma: Unicode.Scalar = ","
    static let semicolon: Unicode.Scalar = ";"
    static let hash: Unicode.Scalar = "#"
    static let slash: Unicode.Scalar = "/"
    static let backslash: Unicode.Scalar = "\\"
    static let doubleQuote: Unicode.Scalar = "\""
    static let quote: Unicode.Scalar = "'"
    static let textBlockStart: Unicode.Scalar = "("
    static let textBlockEnd: Unicode.Scalar = ")"
    static let minus: Unicode.Scalar = "-"
    static let dot: Unicode.Scalar = "."

    var isBlank: Bool { self == " " || self == "\t" }
    var isLineBreak: Bool { self == "\n" || self == "\r" }

    /// Go's unicode.IsSpace.
    var isSpace: Bool {
        switch self.value {
        case 0x09...0x0d, 0x20, 0x85, 0xa0: true
        default: self.value > 0xff && self.properties.isWhitespace
        }
    }

    /// Go's unicode.IsDigit: digits of every script, which then fail as numbers.
    var isDigit: Bool {
        if self.value < 0x80 { return (0x30...0x39).contains(self.value) }
        return self.properties.generalCategory == .decimalNumber
    }

    var isSizeSuffix: Bool {
        switch self {
        case "k", "K", "m", "M", "g", "G", "t", "T", "p", "P", "e", "E": true
        default: false
        }
    }

    /// Whether an integer ends before it.
    ///
    /// A `]` is not among them in the official server, which refuses `[1,2]`.
    var endsNumber: Bool {
        self == .nul || self == .mapEnd || self == .semicolon || self == .comma || self.isBlank || self.isLineBreak
    }

    /// As error texts show it.
    var shown: String { self == "\n" ? "\\n" : String(self) }
}
