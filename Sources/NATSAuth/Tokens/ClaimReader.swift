import NATSWire

/// Reads the members of one JSON object of claims by the rules of Go's `encoding/json`: keys match without regard to
/// ASCII case, later ones go on top of earlier ones, `null` changes nothing, a wrong type is an error.
struct ClaimReader {
    private let members: [(key: String, value: JSONValue)]

    init(_ value: JSONValue, _ name: String = "claims") throws(JSONError) {
        self.members = try value.members(name)
    }

    /// What is under a key, in order, without `null`.
    func values(_ key: String) -> [JSONValue] {
        self.members.compactMap { member in
            guard member.key.utf8.count == key.utf8.count, equalsIgnoringASCIICase(member.key, key),
                member.value != .null
            else { return nil }
            return member.value
        }
    }

    /// The objects under a key, in order.
    func objects(_ key: String) throws(JSONError) -> [ClaimReader] {
        var readers: [ClaimReader] = []
        for value in self.values(key) { readers.append(try ClaimReader(value, key)) }
        return readers
    }

    func read(_ key: String, into field: inout String) throws(JSONError) {
        for value in self.values(key) { field = try value.text(key) }
    }

    func read(_ key: String, into field: inout Bool) throws(JSONError) {
        for value in self.values(key) {
            guard case .bool(let flag) = value else { throw JSONError("json: \(key) is no boolean") }
            field = flag
        }
    }

    func read<Number: FixedWidthInteger>(_ key: String, into field: inout Number) throws(JSONError) {
        for value in self.values(key) { field = try value.integer(key) }
    }

    func read(_ key: String, into field: inout [String]) throws(JSONError) {
        for value in self.values(key) {
            var texts: [String] = []
            for element in try value.elements(key) { texts.append(element == .null ? "" : try element.text(key)) }
            field = texts
        }
    }

    /// Public keys and times.
    func read(_ key: String, into field: inout [String: Int64]) throws(JSONError) {
        for value in self.values(key) {
            for (name, element) in try value.members(key) {
                field[name] = element == .null ? 0 : try element.integer(key)
            }
        }
    }
}

extension JSONValue {
    /// The members of an object; none of `null`.
    func members(_ name: String) throws(JSONError) -> [(key: String, value: JSONValue)] {
        switch self {
        case .object(let members): return members
        case .null: return []
        default: throw JSONError("json: \(name) is no object")
        }
    }

    func elements(_ name: String) throws(JSONError) -> [JSONValue] {
        guard case .array(let elements) = self else { throw JSONError("json: \(name) is no array") }
        return elements
    }

    func text(_ name: String) throws(JSONError) -> String {
        guard case .string(let text) = self else { throw JSONError("json: \(name) is no string") }
        return text
    }

    func integer<Number: FixedWidthInteger>(_ name: String) throws(JSONError) -> Number {
        guard case .number(let text) = self, let number = Number(text) else {
            throw JSONError("json: \(name) is no integer of \(Number.bitWidth) bits")
        }
        return number
    }
}
