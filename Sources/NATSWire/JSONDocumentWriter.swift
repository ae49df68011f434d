/// Writes a JSON document of nested objects and arrays byte for byte as Go's `json.MarshalIndent` does.
///
/// The caller gives the members in their order, and ends what it begins.
package struct JSONDocumentWriter {
    /// The bytes written so far.
    package private(set) var bytes: [UInt8] = []
    /// Blanks per level; `nil` for the compact form of `json.Marshal`.
    private let indentation: Int?
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

    package mutating func write(_ key: StaticString, _ value: some FixedWidthInteger) {
        self.startMember(key)
        self.append(value)
    }

    package mutating func write(named key: String, _ value: some FixedWidthInteger) {
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

    package mutating func writeUnlessZero(_ key: StaticString, _ value: some FixedWidthInteger) {
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
        self.bytes.append(contentsOf: repeatElement(0x20, count: indentation * self.depth))
    }

    private mutating func append(_ text: StaticString) {
        self.bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func append(_ value: Bool) { self.append(value ? "true" : "false") }

    private mutating func append(_ value: some FixedWidthInteger) {
        if value >= 0, value < 10 {
            self.bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value))
        } else {
            self.bytes.append(contentsOf: String(value).utf8)
        }
    }
}
