/// Writes a JSON document of nested objects and arrays byte for byte as Go's `json.MarshalIndent` does.
///
/// The caller gives the members in their order, and ends what it begins.
package struct JSONDocumentWriter {
    /// The bytes written so far.
    package private(set) var bytes: [UInt8] = []
    /// Blanks per level; `nil` for the compact form of `json.Marshal`.
    private let indentation: Int?
    private static let blanks: StaticString = "                "
    private var depth = 0
    /// Whether nothing has been written into the innermost container.
    private var isEmpty = true

    /// A writer at the start of a document.
    ///
    /// - Parameters:
    ///   - indentation: Blanks per level; `nil` for no line breaks at all.
    ///   - capacity: Expected size in bytes.
    package init(indentation: Int? = 2, capacity: Int = 2048) {
        self.indentation = indentation
        self.bytes.reserveCapacity(capacity)
    }

    // MARK: Containers

    package mutating func object(_ body: (inout Self) -> Void) {
        self.startValue()
        self.container("{", "}", body)
    }

    package mutating func object(_ key: StaticString, _ body: (inout Self) -> Void) {
        self.startMember(key)
        self.container("{", "}", body)
    }

    package mutating func object(named key: String, _ body: (inout Self) -> Void) {
        self.startMember(named: key)
        self.container("{", "}", body)
    }

    package mutating func array(_ key: StaticString, _ body: (inout Self) -> Void) {
        self.startMember(key)
        self.container("[", "]", body)
    }

    package mutating func array(named key: String, _ body: (inout Self) -> Void) {
        self.startMember(named: key)
        self.container("[", "]", body)
    }

    private mutating func container(_ open: Unicode.Scalar, _ close: Unicode.Scalar, _ body: (inout Self) -> Void) {
        self.bytes.append(UInt8(ascii: open))
        self.depth += 1
        self.isEmpty = true
        body(&self)
        self.depth -= 1
        if !self.isEmpty { self.breakLine() }
        self.bytes.append(UInt8(ascii: close))
        self.isEmpty = false
    }

    // MARK: Members

    package mutating func write(_ key: StaticString, _ value: String) {
        self.startMember(key)
        JSONText.append(value, to: &self.bytes)
    }

    package mutating func write(_ key: StaticString, text: [UInt8]) {
        self.startMember(key)
        text.withUnsafeBytes { JSONText.append($0, to: &self.bytes) }
    }

    /// Writes a string that needs no escapes.
    package mutating func write(_ key: StaticString, plain text: [UInt8]) {
        self.startMember(key)
        self.bytes.append(UInt8(ascii: "\""))
        self.bytes.append(contentsOf: text)
        self.bytes.append(UInt8(ascii: "\""))
    }

    package mutating func write(_ key: StaticString, _ value: Bool) {
        self.startMember(key)
        self.append(value)
    }

    package mutating func write(named key: String, _ value: Bool) {
        self.startMember(named: key)
        self.append(value)
    }

    package mutating func write(named key: String, _ value: String) {
        self.startMember(named: key)
        JSONText.append(value, to: &self.bytes)
    }

    // One function per type of number: a generic one costs ten times as much when called from another module.

    package mutating func write(_ key: StaticString, _ value: Int) {
        self.startMember(key)
        if value < 0 { self.bytes.append(UInt8(ascii: "-")) }
        self.append(UInt64(value.magnitude))
    }

    package mutating func write(_ key: StaticString, _ value: UInt64) {
        self.startMember(key)
        self.append(value)
    }

    package mutating func write(named key: String, _ value: UInt64) {
        self.startMember(named: key)
        self.append(value)
    }

    package mutating func write(_ key: StaticString, number value: Double) {
        self.startMember(key)
        JSONText.append(value, to: &self.bytes)
    }

    package mutating func write(_ key: StaticString, _ values: [String]) {
        self.array(key) { writer in
            for value in values { writer.element(value) }
        }
    }

    /// Writes a value that is JSON already, in the form of this document.
    package mutating func write(_ key: StaticString, raw value: [UInt8]) {
        self.startMember(key)
        self.bytes.append(contentsOf: value)
    }

    package mutating func writeNull(_ key: StaticString) {
        self.startMember(key)
        self.append("null")
    }

    // The `omitempty` forms.

    package mutating func writeUnlessEmpty(_ key: StaticString, _ value: String) {
        if !value.isEmpty { self.write(key, value) }
    }

    package mutating func writeUnlessEmpty(_ key: StaticString, text: [UInt8]) {
        if !text.isEmpty { self.write(key, text: text) }
    }

    package mutating func writeUnlessEmpty(_ key: StaticString, _ values: [String]) {
        if !values.isEmpty { self.write(key, values) }
    }

    package mutating func writeUnlessFalse(_ key: StaticString, _ value: Bool) {
        if value { self.write(key, value) }
    }

    package mutating func writeUnlessZero(_ key: StaticString, _ value: Int) {
        if value != 0 { self.write(key, value) }
    }

    // MARK: Elements

    package mutating func element(_ value: String) {
        self.startValue()
        JSONText.append(value, to: &self.bytes)
    }

    package mutating func element(text: [UInt8]) {
        self.startValue()
        text.withUnsafeBytes { JSONText.append($0, to: &self.bytes) }
    }

    // MARK: Documents within

    /// A value that was read or made elsewhere; its members keep their order.
    package mutating func write(_ key: StaticString, _ value: JSONValue) {
        self.startMember(key)
        self.append(value)
    }

    package mutating func element(_ value: JSONValue) {
        self.startValue()
        self.append(value)
    }

    private mutating func append(_ value: JSONValue) {
        switch value {
        case .null: self.append("null")
        case .bool(let isTrue): self.append(isTrue)
        case .number(let digits): self.bytes.append(contentsOf: digits.utf8)
        case .string(let text): JSONText.append(text, to: &self.bytes)
        case .array(let elements):
            self.container("[", "]") { writer in
                for element in elements { writer.element(element) }
            }
        case .object(let members):
            self.container("{", "}") { writer in
                for (key, value) in members {
                    writer.startMember(named: key)
                    writer.append(value)
                }
            }
        }
    }

    // MARK: Bytes

    private mutating func startValue() {
        guard self.depth > 0 else { return }
        if !self.isEmpty { self.bytes.append(UInt8(ascii: ",")) }
        self.isEmpty = false
        self.breakLine()
    }

    private mutating func startMember(_ key: StaticString) {
        self.startValue()
        self.bytes.append(UInt8(ascii: "\""))
        self.append(key)
        self.bytes.append(UInt8(ascii: "\""))
        self.appendColon()
    }

    private mutating func startMember(named key: String) {
        self.startValue()
        JSONText.append(key, to: &self.bytes)
        self.appendColon()
    }

    private mutating func appendColon() {
        self.bytes.append(UInt8(ascii: ":"))
        if self.indentation != nil { self.bytes.append(0x20) }
    }

    private mutating func breakLine() {
        guard let indentation = self.indentation else { return }
        self.bytes.append(0x0a)
        var blanks = indentation * self.depth
        while blanks > 0 {
            let count = min(blanks, Self.blanks.utf8CodeUnitCount)
            self.bytes.append(contentsOf: UnsafeBufferPointer(start: Self.blanks.utf8Start, count: count))
            blanks -= count
        }
    }

    private mutating func append(_ text: StaticString) {
        self.bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func append(_ value: Bool) { self.append(value ? "true" : "false") }

    private mutating func append(_ value: UInt64) { DecimalDigits.append(value, to: &self.bytes) }
}

extension JSONDocumentWriter {
    /// The compact form of a document that a writer has made.
    package static func compact(_ document: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(document.count)
        var isText = false
        var isEscaped = false
        for byte in document {
            if isText {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isText = false
                }
            } else if byte == UInt8(ascii: "\"") {
                isText = true
            } else if byte == 0x20 || byte == 0x0a {
                continue
            }
            result.append(byte)
        }
        return result
    }
}
