/// Writes one JSON object byte for byte as Go's `json.Marshal` does, including its HTML-safe escapes.
package struct JSONObjectWriter {
    /// The bytes written so far; a complete object after ``finish()``.
    package private(set) var bytes: [UInt8]
    private var isFirst = true

    /// Starts an object behind whatever `prefix` holds.
    package init(prefix: [UInt8] = []) {
        self.bytes = prefix
        self.bytes.append(UInt8(ascii: "{"))
    }

    package mutating func write(_ key: StaticString, _ value: String) {
        self.writeKey(key)
        self.writeString(value)
    }

    package mutating func write(_ key: StaticString, _ value: Bool) {
        self.writeKey(key)
        self.bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    package mutating func write(_ key: StaticString, _ value: some FixedWidthInteger) {
        self.writeKey(key)
        self.bytes.append(contentsOf: String(value).utf8)
    }

    package mutating func write(_ key: StaticString, _ value: [String]) {
        self.writeKey(key)
        self.bytes.append(UInt8(ascii: "["))
        for (index, element) in value.enumerated() {
            if index > 0 {
                self.bytes.append(UInt8(ascii: ","))
            }
            self.writeString(element)
        }
        self.bytes.append(UInt8(ascii: "]"))
    }

    // The `omitempty` forms.

    package mutating func writeUnlessEmpty(_ key: StaticString, _ value: String) {
        if !value.isEmpty {
            self.write(key, value)
        }
    }

    package mutating func writeUnlessFalse(_ key: StaticString, _ value: Bool) {
        if value {
            self.write(key, value)
        }
    }

    package mutating func writeUnlessZero(_ key: StaticString, _ value: some FixedWidthInteger) {
        if value != 0 {
            self.write(key, value)
        }
    }

    package mutating func writeUnlessEmpty(_ key: StaticString, _ value: [String]) {
        if !value.isEmpty {
            self.write(key, value)
        }
    }

    /// Closes the object.
    package mutating func finish() {
        self.bytes.append(UInt8(ascii: "}"))
    }

    private mutating func writeKey(_ key: StaticString) {
        if self.isFirst {
            self.isFirst = false
        } else {
            self.bytes.append(UInt8(ascii: ","))
        }
        self.bytes.append(UInt8(ascii: "\""))
        self.bytes.append(contentsOf: UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
        self.bytes.append(contentsOf: [UInt8(ascii: "\""), UInt8(ascii: ":")])
    }

    private mutating func writeString(_ text: String) {
        self.bytes.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                self.bytes.append(UInt8(ascii: "\\"))
                self.bytes.append(UInt8(truncatingIfNeeded: scalar.value))
            case "\u{08}":
                self.bytes.append(contentsOf: "\\b".utf8)
            case "\u{0C}":
                self.bytes.append(contentsOf: "\\f".utf8)
            case "\n":
                self.bytes.append(contentsOf: "\\n".utf8)
            case "\r":
                self.bytes.append(contentsOf: "\\r".utf8)
            case "\t":
                self.bytes.append(contentsOf: "\\t".utf8)
            // encoding/json encode.go: HTMLEscape, and the two separators that break JavaScript.
            case "<", ">", "&", "\u{2028}", "\u{2029}":
                self.writeUnicodeEscape(scalar.value)
            default:
                if scalar.value < 0x20 {
                    self.writeUnicodeEscape(scalar.value)
                } else {
                    self.bytes.append(contentsOf: String(Character(scalar)).utf8)
                }
            }
        }
        self.bytes.append(UInt8(ascii: "\""))
    }

    private mutating func writeUnicodeEscape(_ value: UInt32) {
        let digits = Array("0123456789abcdef".utf8)
        self.bytes.append(contentsOf: "\\u".utf8)
        for shift in [12, 8, 4, 0] as [UInt32] {
            self.bytes.append(digits[Int((value >> shift) & 0xF)])
        }
    }
}
