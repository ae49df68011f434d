import NATSWire

/// Collects the members of one JSON object in the order in which they are to be written.
struct ClaimWriter {
    private var members: [(key: String, value: JSONValue)] = []

    var object: JSONValue { .object(self.members) }

    mutating func write(_ key: String, _ value: JSONValue) { self.members.append((key, value)) }

    mutating func write(_ key: String, _ value: String) { self.write(key, .string(value)) }

    mutating func write(_ key: String, _ value: some FixedWidthInteger) { self.write(key, .number("\(value)")) }

    // The `omitempty` forms.

    mutating func writeUnlessEmpty(_ key: String, _ value: String) {
        if !value.isEmpty { self.write(key, value) }
    }

    mutating func writeUnlessZero(_ key: String, _ value: some FixedWidthInteger) {
        if value != 0 { self.write(key, value) }
    }

    mutating func writeUnlessFalse(_ key: String, _ value: Bool) {
        if value { self.write(key, .bool(true)) }
    }

    mutating func writeUnlessEmpty(_ key: String, _ values: [String]) {
        if !values.isEmpty { self.write(key, .array(values.map { .string($0) })) }
    }

    mutating func writeUnlessEmpty(_ key: String, _ values: [JSONValue]) {
        if !values.isEmpty { self.write(key, .array(values)) }
    }

    /// Maps are written in the order of their keys' bytes.
    mutating func writeUnlessEmpty(_ key: String, _ values: [String: JSONValue]) {
        guard !values.isEmpty else { return }
        let sorted = values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        self.write(key, .object(sorted.map { ($0.key, $0.value) }))
    }

    mutating func writeUnlessEmpty(_ key: String, _ values: [String: Int64]) {
        self.writeUnlessEmpty(key, values.mapValues { JSONValue.number("\($0)") })
    }
}

extension JSONValue {
    /// The document without white space, as Go's `json.Marshal` writes it.
    var compact: [UInt8] {
        var bytes: [UInt8] = []
        self.append(to: &bytes)
        return bytes
    }

    private func append(to bytes: inout [UInt8]) {
        switch self {
        case .null:
            bytes.append(contentsOf: "null".utf8)
        case .bool(let flag):
            bytes.append(contentsOf: (flag ? "true" : "false").utf8)
        case .number(let text):
            bytes.append(contentsOf: text.utf8)
        case .string(let text):
            JSONText.append(text, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                JSONText.append(member.key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }
}
