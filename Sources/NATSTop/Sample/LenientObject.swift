import NATSWire

/// Reads an object of which nothing is certain: a field that is missing or of another type is its neutral value.
struct LenientObject {
    private let members: [String: JSONValue]

    /// Anything but an object has no members; of equal keys the last one counts.
    init(_ value: JSONValue?) {
        guard case .object(let members)? = value else {
            self.members = [:]
            return
        }
        self.members = Dictionary(members.map { ($0.key, $0.value) }) { $1 }
    }

    var isEmpty: Bool { self.members.isEmpty }

    func text(_ key: String, limit: Int = 256) -> String {
        switch self.members[key] {
        case .string(let text)?: HarmlessText.make(text, limit: limit)
        case .number(let text)?: HarmlessText.make(text, limit: 32)
        default: ""
        }
    }

    /// A number that is never negative; what is too large is the largest.
    func count(_ key: String) -> UInt64 {
        guard let text = self.digits(key) else { return 0 }
        return UInt64(text) ?? Quantity.whole(Double(text) ?? 0)
    }

    /// A finite number that is never negative.
    func number(_ key: String) -> Double {
        guard let text = self.digits(key), let value = Double(text), !value.isNaN else { return 0 }
        return min(max(value, 0), 1e18)
    }

    func flag(_ key: String) -> Bool {
        self.members[key] == .bool(true)
    }

    func object(_ key: String) -> LenientObject {
        LenientObject(self.members[key])
    }

    /// The objects of an array; elements of another type are passed over.
    func objects(_ key: String, limit: Int) -> [LenientObject] {
        guard case .array(let elements)? = self.members[key] else { return [] }
        return elements.lazy.prefix(limit).compactMap { element in
            guard case .object = element else { return nil }
            return LenientObject(element)
        }
    }

    func texts(_ key: String, limit: Int, textLimit: Int = 256) -> [String] {
        guard case .array(let elements)? = self.members[key] else { return [] }
        return elements.lazy.prefix(limit).compactMap { element in
            guard case .string(let text) = element else { return nil }
            return HarmlessText.make(text, limit: textLimit)
        }
    }

    private func digits(_ key: String) -> String? {
        switch self.members[key] {
        case .number(let text)?: text
        // Some proxies quote what exceeds the integers of JavaScript.
        case .string(let text)? where text.utf8.count <= 32: text
        default: nil
        }
    }
}
