/// RFC 4648 base 32 without padding, as nkeys are written.
package enum Base32 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    /// The bytes in upper-case letters and digits.
    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count * 8 + 4) / 5)
        var accumulator: UInt32 = 0
        var bits: UInt32 = 0
        for byte in bytes {
            accumulator = accumulator << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                result.append(self.alphabet[Int(accumulator >> bits & 0x1F)])
            }
            accumulator &= (1 << bits) - 1
        }
        if bits > 0 { result.append(self.alphabet[Int(accumulator << (5 - bits) & 0x1F)]) }
        return String(decoding: result, as: UTF8.self)
    }

    /// The bytes of a text, or `nil` for any other character.
    ///
    /// As in Go, line ends are skipped, bits behind the last whole byte are not looked at, nor is a group of one, three or six characters at the
    /// end, which cannot end with a byte.
    package static func decode(_ text: String) -> [UInt8]? {
        var result: [UInt8] = []
        var accumulator: UInt32 = 0
        var bits: UInt32 = 0
        var count = 0
        for character in text.utf8 {
            let value: UInt32
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = UInt32(character - UInt8(ascii: "A"))
            case UInt8(ascii: "2")...UInt8(ascii: "7"): value = UInt32(character - UInt8(ascii: "2")) + 26
            // Go's encoding/base32 leaves them out before it looks at the rest.
            case UInt8(ascii: "\r"), UInt8(ascii: "\n"): continue
            default: return nil
            }
            count += 1
            accumulator = accumulator << 5 | value
            bits += 5
            guard bits >= 8 else { continue }
            bits -= 8
            result.append(UInt8(truncatingIfNeeded: accumulator >> bits))
            accumulator &= (1 << bits) - 1
        }
        switch count % 8 {
        case 3: return result.dropLast()
        case 6: return result.dropLast(3)
        default: return result
        }
    }
}
