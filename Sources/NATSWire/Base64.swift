/// Base 64 in the two alphabets of the protocol: standard with padding, and URL-safe without.
package enum Base64 {
    private static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let urlSafe = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// RFC 4648 section 4, padded.
    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        Self.encode(bytes, alphabet: Self.standard, padded: true)
    }

    /// RFC 4648 section 5 without padding, as nonces and signatures are sent.
    package static func encodeURLSafe(_ bytes: some Sequence<UInt8>) -> String {
        Self.encode(bytes, alphabet: Self.urlSafe, padded: false)
    }

    /// Reads either alphabet, padded or not; nil for any other byte or an impossible length.
    package static func decode(_ text: String) -> [UInt8]? {
        var result: [UInt8] = []
        var accumulator: UInt32 = 0
        var bits: UInt32 = 0
        var count = 0
        var padding = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            guard padding == 0, let value = Self.value(of: byte) else {
                return nil
            }
            count += 1
            accumulator = accumulator << 6 | value
            bits += 6
            if bits >= 8 {
                bits -= 8
                result.append(UInt8(truncatingIfNeeded: accumulator >> bits))
                accumulator &= (1 << bits) - 1
            }
        }
        guard count % 4 != 1, padding == 0 || (count + padding) % 4 == 0, padding <= 2 else {
            return nil
        }
        return result
    }

    /// In another alphabet of 64 characters.
    package static func encode(_ bytes: some Sequence<UInt8>, alphabet: [UInt8], padded: Bool) -> String {
        var result: [UInt8] = []
        var accumulator: UInt32 = 0
        var bits: UInt32 = 0
        for byte in bytes {
            accumulator = accumulator << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                result.append(alphabet[Int(accumulator >> bits & 0x3F)])
            }
            accumulator &= (1 << bits) - 1
        }
        if bits > 0 {
            result.append(alphabet[Int(accumulator << (6 - bits) & 0x3F)])
        }
        while padded, result.count % 4 != 0 {
            result.append(UInt8(ascii: "="))
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func value(of byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"):
            UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"):
            UInt32(byte - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            UInt32(byte - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            62
        case UInt8(ascii: "/"), UInt8(ascii: "_"):
            63
        default:
            nil
        }
    }
}
