import NATSWire

/// Reads an object of which nothing is certain: a field that is missing or of another type is its neutral value.
struct LenientObject {
    private let members: [(key: String, value: JSONValue)]
    /// Objects with more members than this are not searched one by one.
    private static let searchLimit = 64
    private let table: [String: JSONValue]?

    /// Anything but an object has no members; of equal keys the last one counts.
    init(_ value: JSONValue?) {
        guard case .object(let members)? = value else {
            (self.members, self.table) = ([], nil)
            return
        }
        self.members = members
        self.table =
            members.count > Self.searchLimit ? Dictionary(members.map { ($0.key, $0.value) }) { $1 } : nil
    }

    var isEmpty: Bool { self.members.isEmpty }

    private func value(_ key: String) -> JSONValue? {
        if let table = self.table { return table[key] }
        return self.members.last { $0.key == key }?.value
    }

    func text(_ key: String, limit: Int = 256) -> String {
        switch self.value(key) {
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
        self.value(key) == .bool(true)
    }

    func object(_ key: String) -> LenientObject {
        LenientObject(self.value(key))
    }

    /// The objects of an array; elements of another type are passed over.
    func objects(_ key: String, limit: Int) -> [LenientObject] {
        guard case .array(let elements)? = self.value(key) else { return [] }
        return elements.lazy.prefix(limit).compactMap { element in
            guard case .object = element else { return nil }
            return LenientObject(element)
        }
    }

    func texts(_ key: String, limit: Int, textLimit: Int = 256) -> [String] {
        guard case .array(let elements)? = self.value(key) else { return [] }
        return elements.lazy.prefix(limit).compactMap { element in
            guard case .string(let text) = element else { return nil }
            return HarmlessText.make(text, limit: textLimit)
        }
    }

    private func digits(_ key: String) -> String? {
        switch self.value(key) {
        case .number(let text)?: text
        // Some proxies quote what exceeds the integers of JavaScript.
        case .string(let text)? where text.utf8.count <= 32: text
        default: nil
        }
    }
}
