import ArgumentParser

/// Bytes written as text with the escapes `\n`, `\r`, `\t`, `\0`, `\e`, `\\` and `\xNN`.
package struct EscapedBytes: Sendable, Hashable {
    package var bytes: [UInt8]

    /// Reads `text`; nil for any other escape and for a backslash at the end.
    package init?(parsing text: String) {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "0"): result.append(0)
            case UInt8(ascii: "e"): result.append(0x1B)
            case UInt8(ascii: "\\"): result.append(UInt8(ascii: "\\"))
            case UInt8(ascii: "x"):
                let digits = rest.prefix(2)
                guard digits.count == 2, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
                    let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
                else { return nil }
                result.append(value)
                rest = rest.dropFirst(2)
            default:
                return nil
            }
        }
        self.bytes = result
    }
}

extension EscapedBytes: ExpressibleByArgument {
    package init?(argument: String) {
        self.init(parsing: argument)
    }
}
