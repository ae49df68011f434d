/// Reads the fields of one JSON object by Go's rules.
///
/// Keys match without regard to ASCII case, of several matching keys the last one wins, `null` leaves the field as it was
/// and any other type is an error (Go: `json: cannot unmarshal …`).
package struct JSONObjectReader {
    private let members: [(key: String, value: JSONValue)]

    /// Takes an object; `null` counts as an object without members, as it does in Go.
    package init(_ value: JSONValue) throws(JSONError) {
        switch value {
        case .object(let members):
            self.members = members
        case .null:
            self.members = []
        default:
            throw JSONError("not a JSON object")
        }
    }

    package func read(_ key: String, into field: inout Bool) throws(JSONError) {
        for value in self.values(of: key) {
            guard case .bool(let flag) = value else {
                throw JSONError("\(key): not a boolean")
            }
            field = flag
        }
    }

    package func read(_ key: String, into field: inout String) throws(JSONError) {
        for value in self.values(of: key) {
            guard case .string(let text) = value else {
                throw JSONError("\(key): not a string")
            }
            field = text
        }
    }

    package func read<Number: FixedWidthInteger>(_ key: String, into field: inout Number) throws(JSONError) {
        for value in self.values(of: key) {
            guard case .number(let text) = value, let number = Number(text) else {
                throw JSONError("\(key): not an integer of \(Number.bitWidth) bits")
            }
            field = number
        }
    }

    package func read(_ key: String, into field: inout [String]) throws(JSONError) {
        for value in self.values(of: key) { field = try Self.strings(value, key) }
    }

    /// A list that is there although it may be empty is not the same as none.
    package func read(_ key: String, into field: inout [String]?) throws(JSONError) {
        for value in self.values(of: key) { field = try Self.strings(value, key) }
    }

    /// Hands a field that is an object to `body`.
    package func readObject(
        _ key: String,
        _ body: (JSONObjectReader) throws(JSONError) -> Void
    ) throws(JSONError) {
        for value in self.values(of: key) {
            try body(JSONObjectReader(value))
        }
    }

    private static func strings(_ value: JSONValue, _ key: String) throws(JSONError) -> [String] {
        guard case .array(let elements) = value else {
            throw JSONError("\(key): not an array")
        }
        var strings: [String] = []
        for element in elements {
            switch element {
            case .string(let text):
                strings.append(text)
            case .null:
                strings.append("")
            default:
                throw JSONError("\(key): not an array of strings")
            }
        }
        return strings
    }

    private func values(of key: String) -> [JSONValue] {
        self.members.compactMap { member in
            guard member.value != .null, equalsIgnoringASCIICase(member.key, key) else {
                return nil
            }
            return member.value
        }
    }
}

package func equalsIgnoringASCIICase(_ left: String, _ right: String) -> Bool {
    left.utf8.elementsEqual(right.utf8) { lowercasedASCII($0) == lowercasedASCII($1) }
}

private func lowercasedASCII(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
}
