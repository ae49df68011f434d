/// Text of the command line with `\n`, `\t`, `\r`, `\0`, `\e`, `\\` and `\xNN`.
package enum EscapedText {
    /// The bytes that `text` stands for.
    ///
    /// - Throws: `UsageError` for an unknown sequence.
    package static func bytes(_ text: String) throws(UsageError) -> [UInt8] {
        var result: [UInt8] = []
        var bytes = Array(text.utf8)[...]
        while let byte = bytes.popFirst() {
            result.append(byte == UInt8(ascii: "\\") ? try Self.escape(&bytes) : byte)
        }
        return result
    }

    /// The byte that `\` and what follows stand for.
    static func escape(_ bytes: inout ArraySlice<UInt8>) throws(UsageError) -> UInt8 {
        switch bytes.popFirst() {
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "0"): return 0
        case UInt8(ascii: "e"): return 0x1B
        case UInt8(ascii: "\\"): return UInt8(ascii: "\\")
        case UInt8(ascii: "x"):
            guard let high = bytes.popFirst().flatMap(Self.hexValue), let low = bytes.popFirst().flatMap(Self.hexValue)
            else { throw UsageError("\\x needs two hexadecimal digits") }
            return high << 4 | low
        case let other?:
            throw UsageError("unknown escape \\\(Character(Unicode.Scalar(other)))")
        case nil:
            throw UsageError("text ends after \\")
        }
    }

    static func hexValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46: digit - 0x41 + 10
        case 0x61...0x66: digit - 0x61 + 10
        default: nil
        }
    }
}
