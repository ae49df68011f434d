/// Makes texts of a server safe to draw: names come from anybody who may connect.
package enum HarmlessText {
    /// What stands for a character that a terminal could obey, or that has no place of its own.
    package static let replacement: Unicode.Scalar = "\u{FFFD}"
    /// Marks on one character beyond this many are left out.
    private static let maximumMarks = 2

    /// The text with what controls a terminal replaced, and cut behind `limit` scalars.
    ///
    /// Each scalar that is left has a width of its own, whatever stands next to it: joiners and variation selectors are
    /// left out.
    package static func make(_ text: String, limit: Int = 256) -> String {
        // Nearly all texts are so, and a large page has hundreds of thousands.
        if text.utf8.count <= limit, text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return text }
        var result = String.UnicodeScalarView()
        var count = 0
        var marks = 0
        for scalar in text.unicodeScalars {
            if self.isLeftOut(scalar) { continue }
            guard count < limit else { return String(result) + "…" }
            if self.isReplaced(scalar) {
                result.append(self.replacement)
                marks = 0
            } else if DisplayWidth.isMark(scalar) {
                marks += 1
                // A mark at the beginning would land on whatever is drawn before the text.
                if count == 0 { result.append(self.replacement) }
                guard marks <= self.maximumMarks else { continue }
                result.append(scalar)
            } else {
                result.append(scalar)
                marks = 0
            }
            count += 1
        }
        return String(result)
    }

    /// The first line of a body of any bytes, for a message.
    package static func line(_ body: some Sequence<UInt8>, limit: Int = 80) -> String {
        var bytes: [UInt8] = []
        for byte in body {
            if byte == 0x0A || byte == 0x0D || bytes.count > 4 * limit { break }
            bytes.append(byte)
        }
        return self.make(String(decoding: bytes, as: UTF8.self), limit: limit)
    }

    private static func isLeftOut(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x200B...0x200D, 0x2060, 0xFE00...0xFE0F, 0xFEFF, 0xE0100...0xE01EF: true
        default: false
        }
    }

    private static func isReplaced(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F }
        switch scalar.properties.generalCategory {
        // Format characters turn the direction of writing or carry invisible text.
        case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse: return true
        default: return false
        }
    }
}
