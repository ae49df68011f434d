package import NIOCore

// Numbers and encodings written in place: a message is printed without a string being made for it.
extension ByteBuffer {
    /// Appends a number in decimal digits, with zeros in front up to `width`.
    package mutating func writeDecimal(_ value: some FixedWidthInteger, width: Int = 1) {
        if value < 0 { self.writeInteger(UInt8(ascii: "-")) }
        var rest = UInt64(truncatingIfNeeded: value.magnitude)
        self.writeWithUnsafeMutableBytes(minimumWritableBytes: 20) { space in
            var length = 1
            var limit = rest / 10
            while limit > 0 {
                length += 1
                limit /= 10
            }
            length = min(max(length, width), 20)
            for index in stride(from: length - 1, through: 0, by: -1) {
                space[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            return length
        }
    }

    /// Appends two lower-case digits for each byte.
    package mutating func writeHexadecimal(_ bytes: UnsafeRawBufferPointer) {
        func digit(_ value: UInt8) -> UInt8 {
            value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
        }
        self.writeWithUnsafeMutableBytes(minimumWritableBytes: bytes.count * 2) { space in
            for (index, byte) in bytes.enumerated() {
                space[2 * index] = digit(byte >> 4)
                space[2 * index + 1] = digit(byte & 15)
            }
            return bytes.count * 2
        }
    }

    /// Appends RFC 4648 section 4, padded.
    package mutating func writeBase64(_ bytes: UnsafeRawBufferPointer) {
        func digit(_ value: UInt32) -> UInt8 {
            switch UInt8(truncatingIfNeeded: value & 63) {
            case let value where value < 26: UInt8(ascii: "A") + value
            case let value where value < 52: UInt8(ascii: "a") + value - 26
            case let value where value < 62: UInt8(ascii: "0") + value - 52
            case 62: UInt8(ascii: "+")
            default: UInt8(ascii: "/")
            }
        }
        let length = (bytes.count + 2) / 3 * 4
        self.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { space in
            var position = 0
            for start in stride(from: 0, to: bytes.count, by: 3) {
                let count = min(3, bytes.count - start)
                var group = UInt32(bytes[start]) << 16
                if count > 1 { group |= UInt32(bytes[start + 1]) << 8 }
                if count > 2 { group |= UInt32(bytes[start + 2]) }
                space[position] = digit(group >> 18)
                space[position + 1] = digit(group >> 12)
                space[position + 2] = count > 1 ? digit(group >> 6) : UInt8(ascii: "=")
                space[position + 3] = count > 2 ? digit(group) : UInt8(ascii: "=")
                position += 4
            }
            return length
        }
    }

    /// Appends `text`, which has to be UTF-8, as a JSON string: only what must be escaped is.
    package mutating func writeJSONString(_ text: UnsafeRawBufferPointer) {
        self.writeInteger(UInt8(ascii: "\""))
        var start = 0
        for index in text.indices {
            let byte = text[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            self.writeBytes(UnsafeRawBufferPointer(rebasing: text[start..<index]))
            start = index + 1
            self.writeInteger(UInt8(ascii: "\\"))
            switch byte {
            case 0x0A: self.writeInteger(UInt8(ascii: "n"))
            case 0x0D: self.writeInteger(UInt8(ascii: "r"))
            case 0x09: self.writeInteger(UInt8(ascii: "t"))
            case 0..<0x20:
                self.writeStaticString("u00")
                withUnsafeBytes(of: byte) { self.writeHexadecimal($0) }
            default: self.writeInteger(byte)
            }
        }
        self.writeBytes(UnsafeRawBufferPointer(rebasing: text[start...]))
        self.writeInteger(UInt8(ascii: "\""))
    }

    /// Appends a JSON string of any bytes; what is not UTF-8 becomes U+FFFD.
    package mutating func writeJSONString(mending text: UnsafeRawBufferPointer) {
        if UTF8Check.isValid(text) {
            self.writeJSONString(text)
        } else {
            self.writeJSONString(String(decoding: text, as: UTF8.self))
        }
    }

    /// Appends a JSON string.
    package mutating func writeJSONString(_ text: String) {
        var text = text
        text.withUTF8 { self.writeJSONString(UnsafeRawBufferPointer($0)) }
    }
}
