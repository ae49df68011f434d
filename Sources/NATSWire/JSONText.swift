/// Values byte for byte as Go's `encoding/json` writes them.
package enum JSONText {
    /// Appends a string in quotes, with the escapes that keep it harmless inside HTML and JavaScript.
    package static func append(_ text: String, to bytes: inout [UInt8]) {
        var text = text
        text.withUTF8 { self.append(UnsafeRawBufferPointer($0), to: &bytes) }
    }

    /// Appends text of any bytes; what is not UTF-8 becomes `\ufffd`.
    package static func append(_ text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        var start = 0
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte >= 0x80 {
                let length = self.sequenceLength(text, at: index)
                // encoding/json encode.go: the two separators that break JavaScript.
                let isSeparator =
                    length == 3 && byte == 0xe2 && text[index + 1] == 0x80 && text[index + 2] & 0xfe == 0xa8
                if length > 0, !isSeparator {
                    index += length
                    continue
                }
                bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[start..<index]))
                self.appendEscape(isSeparator ? 0x2000 | UInt32(text[index + 2] & 0x3f) : 0xfffd, to: &bytes)
                index += max(1, length)
                start = index
                continue
            }
            guard self.needsEscape(byte) else {
                index += 1
                continue
            }
            bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[start..<index]))
            self.appendEscaped(byte, to: &bytes)
            index += 1
            start = index
        }
        bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[start..<text.count]))
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends a number as Go does it: no fraction if there is none, an exponent only for the very large and small.
    ///
    /// What is no number becomes 0.
    package static func append(_ value: Double, to bytes: inout [UInt8]) {
        guard value.isFinite else {
            bytes.append(UInt8(ascii: "0"))
            return
        }
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        let (digits, point) = self.decimal(value.magnitude)
        if value.magnitude != 0, value.magnitude < 1e-6 || value.magnitude >= 1e21 {
            bytes.append(digits[0])
            if digits.count > 1 { bytes.append(UInt8(ascii: ".")) }
            bytes.append(contentsOf: digits.dropFirst())
            bytes.append(contentsOf: (point > 0 ? "e+\(point - 1)" : "e-\(1 - point)").utf8)
            return
        }
        if point <= 0 {
            bytes.append(contentsOf: "0.".utf8)
            bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: -point))
            bytes.append(contentsOf: digits)
        } else {
            bytes.append(contentsOf: digits.prefix(point))
            bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: max(0, point - digits.count)))
            if digits.count > point {
                bytes.append(UInt8(ascii: "."))
                bytes.append(contentsOf: digits.dropFirst(point))
            }
        }
    }

    /// The shortest digits that tell the number from all others, and how many of them stand before the decimal point.
    private static func decimal(_ value: Double) -> (digits: [UInt8], point: Int) {
        guard value != 0 else { return ([UInt8(ascii: "0")], 1) }
        var digits: [UInt8] = []
        var point: Int?
        var exponent = 0
        var text = Substring("\(value)")
        if let mark = text.firstIndex(of: "e") {
            exponent = Int(text[text.index(after: mark)...]) ?? 0
            text = text[..<mark]
        }
        for byte in text.utf8 {
            if byte == UInt8(ascii: ".") { point = digits.count } else { digits.append(byte) }
        }
        var place = (point ?? digits.count) + exponent
        let zeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
        digits.removeFirst(zeros)
        place -= zeros
        while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return (digits, place)
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        switch byte {
        case ..<0x20, UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"):
            true
        default:
            false
        }
    }

    private static func appendEscaped(_ byte: UInt8, to bytes: inout [UInt8]) {
        let letter: UInt8
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): letter = byte
        case 0x08: letter = UInt8(ascii: "b")
        case 0x0c: letter = UInt8(ascii: "f")
        case 0x0a: letter = UInt8(ascii: "n")
        case 0x0d: letter = UInt8(ascii: "r")
        case 0x09: letter = UInt8(ascii: "t")
        default:
            self.appendEscape(UInt32(byte), to: &bytes)
            return
        }
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(letter)
    }

    private static func appendEscape(_ value: UInt32, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(UInt8(ascii: "u"))
        for shift in [12, 8, 4, 0] as [UInt32] {
            let digit = UInt8(truncatingIfNeeded: value >> shift) & 0xf
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
        }
    }

    /// Length of the well-formed UTF-8 sequence of several bytes that starts here, or 0.
    private static func sequenceLength(_ text: UnsafeRawBufferPointer, at index: Int) -> Int {
        let first = text[index]
        let length: Int
        let lowest: UInt8
        let highest: UInt8
        switch first {
        case 0xc2...0xdf: (length, lowest, highest) = (2, 0x80, 0xbf)
        case 0xe0: (length, lowest, highest) = (3, 0xa0, 0xbf)
        case 0xed: (length, lowest, highest) = (3, 0x80, 0x9f)
        case 0xe1...0xef: (length, lowest, highest) = (3, 0x80, 0xbf)
        case 0xf0: (length, lowest, highest) = (4, 0x90, 0xbf)
        case 0xf1...0xf3: (length, lowest, highest) = (4, 0x80, 0xbf)
        case 0xf4: (length, lowest, highest) = (4, 0x80, 0x8f)
        default: return 0
        }
        guard index + length <= text.count, (lowest...highest).contains(text[index + 1]) else { return 0 }
        for next in (index + 2)..<max(index + 2, index + length) where text[next] & 0xc0 != 0x80 { return 0 }
        return length
    }
}
