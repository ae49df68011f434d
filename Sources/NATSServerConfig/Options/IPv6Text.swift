import NATSText

/// IPv6 addresses between the brackets of a URL, and what Go's net/netip says of those that are none.
enum IPv6Text {
    private static func problem(_ text: String, _ reason: String, at rest: ArraySlice<UInt8>? = nil) -> String {
        let place = rest.map { " (at \(GoString.quoted(Array($0))))" } ?? ""
        return "invalid host: ParseAddr(\(GoString.quoted(text))): \(reason)\(place)"
    }

    /// Why a text is none; `nil` if it is one.
    static func problem(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        switch bytes.first(where: { ".:%".utf8.contains($0) }) {
        case UInt8(ascii: ":"): break
        case UInt8(ascii: "."):
            guard let reason = self.problem(ofIPv4: bytes[...]) else { return "invalid IP-literal" }
            return self.problem(text, reason.words, at: reason.place)
        case .some: return self.problem(text, "missing IPv6 address")
        case nil: return self.problem(text, "unable to parse IP")
        }
        var rest = bytes[...]
        if let sign = bytes.firstIndex(of: UInt8(ascii: "%")) {
            if sign == bytes.count - 1 { return self.problem(text, "zone must be a non-empty string") }
            rest = bytes[..<sign]
        }
        var ellipsis: Int?
        if rest.starts(with: Array("::".utf8)) {
            ellipsis = 0
            rest = rest.dropFirst(2)
            if rest.isEmpty { return nil }
        }
        /// Bytes of the address.
        var count = 0
        while count < 16 {
            let digits = rest.prefix { self.isDigit($0) }
            if digits.count > 4 { return self.problem(text, "each group must have 4 or less digits", at: rest) }
            if digits.isEmpty {
                return self.problem(text, "each colon-separated field must have at least one digit", at: rest)
            }
            let next = rest[digits.endIndex...]
            if next.first == UInt8(ascii: ".") {
                if ellipsis == nil, count != 12 {
                    let reason = "embedded IPv4 address must replace the final 2 fields of the address"
                    return self.problem(text, reason, at: rest)
                }
                if count + 4 > 16 {
                    let reason = "too many hex fields to fit an embedded IPv4 at the end of the address"
                    return self.problem(text, reason, at: rest)
                }
                if let reason = self.problem(ofIPv4: rest) { return self.problem(text, reason.words, at: reason.place) }
                count += 4
                rest = []
                break
            }
            count += 2
            rest = next
            if rest.isEmpty { break }
            if rest.first != UInt8(ascii: ":") {
                return self.problem(text, "unexpected character, want colon", at: rest)
            }
            if rest.count == 1 { return self.problem(text, "colon must be followed by more characters", at: rest) }
            rest = rest.dropFirst()
            guard rest.first == UInt8(ascii: ":") else { continue }
            if ellipsis != nil { return self.problem(text, "multiple :: in address", at: rest) }
            ellipsis = count
            rest = rest.dropFirst()
            if rest.isEmpty { break }
        }
        if !rest.isEmpty { return self.problem(text, "trailing garbage after address", at: rest) }
        if count < 16 { return ellipsis == nil ? self.problem(text, "address string too short") : nil }
        return ellipsis == nil ? nil : self.problem(text, "the :: must expand to at least one field of zeros")
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    private static func problem(ofIPv4 bytes: ArraySlice<UInt8>) -> (words: String, place: ArraySlice<UInt8>?)? {
        var fields = 0
        var digits = 0
        var value = 0
        for (index, byte) in zip(bytes.indices, bytes) {
            switch byte {
            case 0x30...0x39:
                if digits == 1, value == 0 { return ("IPv4 field has octet with leading zero", nil) }
                value = value * 10 + Int(byte - 0x30)
                digits += 1
                if value > 255 { return ("IPv4 field has value >255", nil) }
            case UInt8(ascii: "."):
                if digits == 0 || index == bytes.endIndex - 1 {
                    return ("IPv4 field must have at least one digit", bytes[index...])
                }
                if fields == 3 { return ("IPv4 address too long", nil) }
                fields += 1
                digits = 0
                value = 0
            default:
                return ("unexpected character", bytes[index...])
            }
        }
        return fields < 3 ? ("IPv4 address too short", nil) : nil
    }
}
