package import NIOCore

/// Copies a payload that is one JSON value without the blanks between its tokens, so that it stays on one line.
///
/// Numbers and strings keep their bytes.
package struct JSONPayload {
    /// What is nested deeper is not taken for JSON: readers of the output have limits too.
    static let maximumDepth = 128

    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    /// Appends `payload`.
    ///
    /// - Returns: False, with nothing appended, if it is not JSON as RFC 8259 has it.
    package static func append(_ payload: UnsafeRawBufferPointer, to output: inout ByteBuffer) -> Bool {
        guard UTF8Check.isValid(payload) else { return false }
        let start = output.writerIndex
        var reader = JSONPayload(bytes: payload)
        guard reader.copyDocument(to: &output) else {
            output.moveWriterIndex(to: start)
            return false
        }
        return true
    }

    private init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    private mutating func copyDocument(to output: inout ByteBuffer) -> Bool {
        // The brackets that are open; a loop in the place of a recursion, which a payload could make too deep.
        var open: [UInt8] = []
        while true {
            self.skipBlanks()
            guard let byte = self.peek else { return false }
            if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                guard open.count < Self.maximumDepth else { return false }
                self.position += 1
                output.writeInteger(byte)
                self.skipBlanks()
                // The closing bracket has a code that is greater by two.
                guard self.peek == byte + 2 else {
                    open.append(byte)
                    guard byte == UInt8(ascii: "[") || self.copyKey(to: &output) else { return false }
                    continue
                }
                self.position += 1
                output.writeInteger(byte + 2)
            } else {
                guard self.copyScalar(byte, to: &output) else { return false }
            }
            // A value is complete: what surrounds it goes on or ends.
            var needsValue = false
            while !needsValue {
                self.skipBlanks()
                guard let bracket = open.last else { return self.position == self.bytes.count }
                guard let next = self.peek else { return false }
                self.position += 1
                output.writeInteger(next)
                if next == UInt8(ascii: ",") {
                    self.skipBlanks()
                    guard bracket == UInt8(ascii: "[") || self.copyKey(to: &output) else { return false }
                    needsValue = true
                } else {
                    guard next == bracket + 2 else { return false }
                    open.removeLast()
                }
            }
        }
    }

    private var peek: UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

    private mutating func skipBlanks() {
        while let byte = self.peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { self.position += 1 }
    }

    private mutating func copyKey(to output: inout ByteBuffer) -> Bool {
        guard self.peek == UInt8(ascii: "\""), self.copyString(to: &output) else { return false }
        self.skipBlanks()
        guard self.peek == UInt8(ascii: ":") else { return false }
        self.position += 1
        output.writeInteger(UInt8(ascii: ":"))
        return true
    }

    private mutating func copyScalar(_ first: UInt8, to output: inout ByteBuffer) -> Bool {
        switch first {
        case UInt8(ascii: "\""): self.copyString(to: &output)
        case UInt8(ascii: "t"): self.copyWord("true", to: &output)
        case UInt8(ascii: "f"): self.copyWord("false", to: &output)
        case UInt8(ascii: "n"): self.copyWord("null", to: &output)
        default: self.copyNumber(to: &output)
        }
    }

    private mutating func copyWord(_ word: StaticString, to output: inout ByteBuffer) -> Bool {
        let expected = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard self.bytes[self.position...].starts(with: expected) else { return false }
        self.position += expected.count
        output.writeStaticString(word)
        return true
    }

    private mutating func copyString(to output: inout ByteBuffer) -> Bool {
        let start = self.position
        self.position += 1
        while let byte = self.peek {
            self.position += 1
            switch byte {
            case UInt8(ascii: "\""):
                output.writeBytes(UnsafeRawBufferPointer(rebasing: self.bytes[start..<self.position]))
                return true
            case UInt8(ascii: "\\"):
                guard let escape = self.peek else { return false }
                self.position += 1
                switch escape {
                case UInt8(ascii: "u"):
                    for _ in 0..<4 {
                        guard let digit = self.peek, EscapedText.hexValue(digit) != nil else { return false }
                        self.position += 1
                    }
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
                    UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                    break
                default:
                    return false
                }
            case 0..<0x20:
                return false
            default:
                break
            }
        }
        return false
    }

    private mutating func copyNumber(to output: inout ByteBuffer) -> Bool {
        let start = self.position
        func isDigit(_ byte: UInt8?) -> Bool { byte.map { $0 >= 0x30 && $0 <= 0x39 } ?? false }
        if self.peek == UInt8(ascii: "-") { self.position += 1 }
        guard isDigit(self.peek) else { return false }
        if self.peek == UInt8(ascii: "0") {
            self.position += 1
        } else {
            while isDigit(self.peek) { self.position += 1 }
        }
        if self.peek == UInt8(ascii: ".") {
            self.position += 1
            guard isDigit(self.peek) else { return false }
            while isDigit(self.peek) { self.position += 1 }
        }
        if self.peek == UInt8(ascii: "e") || self.peek == UInt8(ascii: "E") {
            self.position += 1
            if self.peek == UInt8(ascii: "+") || self.peek == UInt8(ascii: "-") { self.position += 1 }
            guard isDigit(self.peek) else { return false }
            while isDigit(self.peek) { self.position += 1 }
        }
        output.writeBytes(UnsafeRawBufferPointer(rebasing: self.bytes[start..<self.position]))
        return true
    }
}
