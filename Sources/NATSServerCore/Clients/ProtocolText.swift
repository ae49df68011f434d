/// Protocol bytes as the log shows them.
enum ProtocolText {
    /// The bytes in double quotes, escaped as Go's `%q` does it.
    static func quoted(_ bytes: some Collection<UInt8>) -> String {
        "\"\(self.readable(Array(bytes), escapingQuotes: true))\""
    }

    /// The bytes as they are, but for control characters, which could forge lines or steer a terminal.
    static func escaped(_ bytes: some Collection<UInt8>) -> String {
        let bytes = Array(bytes)
        let isHarmless = bytes.allSatisfy { $0 >= 0x20 && $0 < 0x7f }
        return isHarmless ? String(decoding: bytes, as: UTF8.self) : self.readable(bytes, escapingQuotes: false)
    }

    private static func readable(_ bytes: [UInt8], escapingQuotes: Bool) -> String {
        var text = ""
        var index = 0
        while index < bytes.count {
            if let (scalar, length) = self.scalar(in: bytes, at: index) {
                if !escapingQuotes, scalar == "\"" || scalar == "\\" {
                    text.unicodeScalars.append(scalar)
                } else {
                    self.append(scalar, to: &text)
                }
                index += length
            } else {
                text += "\\x" + self.hex(UInt32(bytes[index]), digits: 2)
                index += 1
            }
        }
        return text
    }

    /// A duration as Go writes it: `1h0m0s`, `2m5.5s`, `500ms`, `1.5µs`, `0s`.
    static func duration(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let total = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !total.overflow, total.partialValue >= 0, attoseconds >= 0 else { return "\(duration)" }
        let nanoseconds = total.partialValue &+ attoseconds / 1_000_000_000
        switch nanoseconds {
        case 0: return "0s"
        case ..<1000: return "\(nanoseconds)ns"
        case ..<1_000_000: return self.decimal(nanoseconds, per: 1000) + "µs"
        case ..<1_000_000_000: return self.decimal(nanoseconds, per: 1_000_000) + "ms"
        default: break
        }
        let (minutes, rest) = nanoseconds.quotientAndRemainder(dividingBy: 60_000_000_000)
        let (hours, minute) = minutes.quotientAndRemainder(dividingBy: 60)
        var text = hours > 0 ? "\(hours)h" : ""
        if minutes > 0 { text += "\(minute)m" }
        return text + self.decimal(rest, per: 1_000_000_000) + "s"
    }

    /// A quotient without trailing zeros.
    private static func decimal(_ value: Int64, per unit: Int64) -> String {
        let (whole, fraction) = value.quotientAndRemainder(dividingBy: unit)
        guard fraction > 0 else { return "\(whole)" }
        var digits = String(String(unit + fraction).dropFirst())
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(whole).\(digits)"
    }

    /// Escapes one scalar (Go strconv appendEscapedRune).
    private static func append(_ scalar: Unicode.Scalar, to text: inout String) {
        switch scalar {
        case "\"": text += "\\\""
        case "\\": text += "\\\\"
        case "\u{7}": text += "\\a"
        case "\u{8}": text += "\\b"
        case "\t": text += "\\t"
        case "\n": text += "\\n"
        case "\u{b}": text += "\\v"
        case "\u{c}": text += "\\f"
        case "\r": text += "\\r"
        case _ where scalar.value < 0x20 || scalar.value == 0x7f:
            text += "\\x" + self.hex(scalar.value, digits: 2)
        case _ where self.isPrintable(scalar):
            text.unicodeScalars.append(scalar)
        case _ where scalar.value < 0x10000:
            text += "\\u" + self.hex(scalar.value, digits: 4)
        default:
            text += "\\U" + self.hex(scalar.value, digits: 8)
        }
    }

    /// Letters, marks, numbers, punctuation, symbols and the ASCII space (Go unicode.IsPrint).
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value >= 0x20 && scalar.value < 0x7f }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default:
            return true
        }
    }

    private static func hex(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// The well-formed UTF-8 sequence that starts at `index`.
    private static func scalar(in bytes: [UInt8], at index: Int) -> (Unicode.Scalar, length: Int)? {
        let first = bytes[index]
        if first < 0x80 { return (Unicode.Scalar(first), 1) }
        let length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
        guard index + length <= bytes.count,
            let text = String(validating: bytes[index..<index + length], as: UTF8.self),
            let scalar = text.unicodeScalars.first, text.unicodeScalars.count == 1
        else { return nil }
        return (scalar, length)
    }

    /// A CONNECT line's JSON with the values of secret keys blanked (nats-server client.go removeSecretsFromTrace).
    static func redacted(_ json: some Collection<UInt8>) -> String {
        let text = Array(json)
        var result: [UInt8] = []
        var index = 0
        while index < text.count {
            guard let (key, keyEnd) = self.string(in: text, at: index) else {
                result.append(text[index])
                index += 1
                continue
            }
            result.append(contentsOf: text[index..<keyEnd])
            index = keyEnd
            guard self.isSecret(key) else { continue }
            while index < text.count, text[index] == 0x20 || text[index] == 0x09 || text[index] == UInt8(ascii: ":") {
                result.append(text[index])
                index += 1
            }
            result.append(contentsOf: Array("\"[REDACTED]\"".utf8))
            // A value that is not a whole string is no reason to show it: drop the rest.
            guard let (_, valueEnd) = self.string(in: text, at: index) else { break }
            index = valueEnd
        }
        return self.escaped(result)
    }

    private static func isSecret(_ key: [UInt8]) -> Bool {
        // An escape may hide any name.
        guard !key.contains(UInt8(ascii: "\\")) else { return true }
        let name = String(decoding: key, as: UTF8.self).lowercased()
        return name.hasPrefix("pass") || name.hasPrefix("auth_token") || name.hasPrefix("sig") || name == "nkey"
            || name.hasPrefix("proxy_sig") || name == "jwt"
    }

    /// The JSON string that starts at `index`, without its quotes, and the index behind it.
    private static func string(in text: [UInt8], at index: Int) -> ([UInt8], Int)? {
        guard index < text.count, text[index] == UInt8(ascii: "\"") else { return nil }
        var end = index + 1
        while end < text.count, text[end] != UInt8(ascii: "\"") {
            end += text[end] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard end < text.count else { return nil }
        return (Array(text[index + 1..<end]), end + 1)
    }
}
