/// UTF-8 as Go reads it: each byte of an invalid sequence is one U+FFFD.
package enum UTF8Decoding {
    package static func scalar(_ bytes: [UInt8], at index: Int) -> (Unicode.Scalar, width: Int) {
        let invalid: (Unicode.Scalar, Int) = ("\u{FFFD}", 1)
        let first = bytes[index]
        guard first >= 0x80 else { return (Unicode.Scalar(first), 1) }
        let length: Int
        var value: UInt32
        switch first {
        case 0xc2...0xdf: (length, value) = (2, UInt32(first & 0x1f))
        case 0xe0...0xef: (length, value) = (3, UInt32(first & 0x0f))
        case 0xf0...0xf4: (length, value) = (4, UInt32(first & 0x07))
        default: return invalid
        }
        guard index + length <= bytes.count else { return invalid }
        for byte in bytes[(index + 1)..<(index + length)] {
            guard byte & 0xc0 == 0x80 else { return invalid }
            value = value << 6 | UInt32(byte & 0x3f)
        }
        let smallest: UInt32 = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000
        guard value >= smallest, let scalar = Unicode.Scalar(value) else { return invalid }
        return (scalar, length)
    }
}
