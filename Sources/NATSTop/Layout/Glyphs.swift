/// Characters that a terminal can draw.
package enum Glyphs: Sendable, Equatable {
    case unicode
    /// One question mark for each column of what it cannot draw.
    case ascii

    var bars: [Character] {
        switch self {
        case .unicode: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
        case .ascii: ["_", ".", ":", "-", "=", "+", "*", "#"]
        }
    }

    func drawable(_ text: String) -> String {
        guard self == .ascii, !text.utf8.allSatisfy({ $0 < 0x80 }) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar.isASCII {
                result.unicodeScalars.append(scalar)
            } else if scalar == "…" {
                result += "~"
            } else {
                result += String(repeating: "?", count: DisplayWidth.of(scalar))
            }
        }
        return result
    }
}
