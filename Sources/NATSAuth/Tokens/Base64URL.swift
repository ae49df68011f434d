import NATSWire

/// Base 64 as JWTs are written: the URL-safe alphabet, no padding (RFC 7515 appendix C).
enum Base64URL {
    /// The place of the first byte that cannot be, in Go's words.
    struct Failure: Error, Equatable {
        let offset: Int

        var words: String { "illegal base64 data at input byte \(self.offset)" }
    }

    static func encode(_ bytes: some Sequence<UInt8>) -> String { Base64.encodeURLSafe(bytes) }

    /// Reads what Go's `base64.RawURLEncoding` reads: line ends are skipped, bits behind the last byte are not looked at.
    static func decode(_ text: Substring) throws(Failure) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count / 4 * 3 + 3)
        var accumulator: UInt32 = 0
        var count = 0
        var offset = 0
        for byte in text.utf8 {
            defer { offset += 1 }
            let value: UInt32
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = UInt32(byte - UInt8(ascii: "A"))
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = UInt32(byte - UInt8(ascii: "a")) + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = UInt32(byte - UInt8(ascii: "0")) + 52
            case UInt8(ascii: "-"): value = 62
            case UInt8(ascii: "_"): value = 63
            case 0x0a, 0x0d: continue
            default: throw Failure(offset: offset)
            }
            accumulator = accumulator << 6 | value
            count += 1
            guard count == 4 else { continue }
            result.append(UInt8(truncatingIfNeeded: accumulator >> 16))
            result.append(UInt8(truncatingIfNeeded: accumulator >> 8))
            result.append(UInt8(truncatingIfNeeded: accumulator))
            (accumulator, count) = (0, 0)
        }
        switch count {
        case 1:
            throw Failure(offset: offset - 1)
        case 2:
            result.append(UInt8(truncatingIfNeeded: accumulator >> 4))
        case 3:
            result.append(UInt8(truncatingIfNeeded: accumulator >> 10))
            result.append(UInt8(truncatingIfNeeded: accumulator >> 2))
        default:
            break
        }
        return result
    }
}
