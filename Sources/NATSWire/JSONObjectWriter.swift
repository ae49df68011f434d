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

    /// Writes a value that is JSON already.
    package mutating func write(_ key: StaticString, raw value: [UInt8]) {
        self.writeKey(key)
        self.bytes.append(contentsOf: value)
    }

    package mutating func write(named key: String, _ value: [String]) {
        self.separate()
        self.writeString(key)
        self.bytes.append(UInt8(ascii: ":"))
        self.bytes.append(UInt8(ascii: "["))
        for (index, text) in value.enumerated() {
            if index > 0 { self.bytes.append(UInt8(ascii: ",")) }
            self.writeString(text)
        }
        self.bytes.append(UInt8(ascii: "]"))
    }

    /// Closes the object.
    package mutating func finish() {
        self.bytes.append(UInt8(ascii: "}"))
    }

    private mutating func separate() {
        if self.isFirst {
            self.isFirst = false
        } else {
            self.bytes.append(UInt8(ascii: ","))
        }
    }

    private mutating func writeKey(_ key: StaticString) {
        self.separate()
        self.bytes.append(UInt8(ascii: "\""))
        self.bytes.append(contentsOf: UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
        self.bytes.append(contentsOf: [UInt8(ascii: "\""), UInt8(ascii: ":")])
    }

    private mutating func writeString(_ text: String) { JSONText.append(text, to: &self.bytes) }
}
