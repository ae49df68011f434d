/// A value of the tree that a configuration file is.
///
/// A reference, since a variable stands for the very value it names: that value learns that it was used, and a value
/// that stands in many places exists once.
final class ConfigurationNode {
    enum Value {
        case string([UInt8])
        case integer(Int64)
        case float(Double)
        case bool(Bool)
        /// As written, `YYYY-MM-DDTHH:MM:SSZ`.
        case date([UInt8])
        case array([ConfigurationNode])
        case map(ConfigurationMap)
    }

    let value: Value
    /// Of the key in a map, of the value in an array.
    ///
    /// `nil` for what comes from the environment below its outermost
    /// value: the official server knows no place for it, and refuses some of it.
    var position: SourcePosition?
    /// Whether a variable refers to it; such a key may have any name.
    var isUsedVariable = false
    /// Values in it, and bytes that it has at least, each counted as often as it stands somewhere.
    let weight: Weight

    /// How much a value would be if everything that variables refer to were written out.
    struct Weight: Equatable {
        var values = 1
        var bytes = 0
        /// Levels of maps and arrays.
        var depth = 0

        /// Adds what a map or an array holds.
        mutating func add(_ child: Weight, keyBytes: Int = 0) {
            self.values = self.values.addingSaturating(child.values)
            self.bytes = self.bytes.addingSaturating(child.bytes).addingSaturating(keyBytes)
            self.depth = max(self.depth, child.depth + 1)
        }

        func exceeds(_ limit: Weight) -> Bool {
            self.values > limit.values || self.bytes > limit.bytes || self.depth > limit.depth
        }
    }

    init(_ value: Value, position: SourcePosition?) {
        self.value = value
        self.position = position
        switch value {
        case .string(let text), .date(let text): self.weight = Weight(bytes: text.count)
        case .integer, .float, .bool: self.weight = Weight(bytes: 4)
        case .array(let elements): self.weight = elements.reduce(into: Weight()) { $0.add($1.weight) }
        case .map(let map): self.weight = map.weight
        }
    }

    private init(_ value: Value, _ weight: Weight, position: SourcePosition?) {
        self.value = value
        self.weight = weight
        self.position = position
    }

    /// The same value in another place; costs the same whatever its size, since a variable may stand anywhere.
    func copied(to position: SourcePosition?) -> ConfigurationNode {
        ConfigurationNode(self.value, self.weight, position: position)
    }

    /// The bytes as text; what is not UTF-8 in them is replaced.
    static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

/// A map: entries in the order in which their keys came first.
final class ConfigurationMap {
    struct Entry {
        let key: [UInt8]
        var node: ConfigurationNode
    }

    private(set) var entries: [Entry] = []
    private var index: [[UInt8]: Int] = [:]

    subscript(key: [UInt8]) -> ConfigurationNode? {
        self.index[key].map { self.entries[$0].node }
    }

    subscript(key: String) -> ConfigurationNode? { self[Array(key.utf8)] }

    /// The last of two equal keys wins.
    func set(_ key: [UInt8], _ node: ConfigurationNode) {
        if let place = self.index[key] {
            self.entries[place].node = node
        } else {
            self.index[key] = self.entries.count
            self.entries.append(Entry(key: key, node: node))
        }
    }

    var weight: ConfigurationNode.Weight {
        self.entries.reduce(into: ConfigurationNode.Weight()) { $0.add($1.node.weight, keyBytes: $1.key.count) }
    }
}

extension Int {
    func addingSaturating(_ other: Int) -> Int {
        let (sum, overflow) = self.addingReportingOverflow(other)
        return overflow ? Int.max : sum
    }
}
