/// The keys of a block that are one plain value each, as data.
struct OptionTable<Block>: Sendable {
    /// What the value is and where it goes.
    enum Kind: Sendable {
        case string(any WritableKeyPath<Block, String> & Sendable)
        case text(any WritableKeyPath<Block, String?> & Sendable)
        case bool(any WritableKeyPath<Block, Bool> & Sendable)
        case integer(any WritableKeyPath<Block, Int> & Sendable)
        /// Zero keeps the default.
        case count(any WritableKeyPath<Block, Int> & Sendable)
        case optionalInteger(any WritableKeyPath<Block, Int?> & Sendable)
        /// Named so in messages; zero keeps the default.
        case duration(any WritableKeyPath<Block, Duration> & Sendable, String)
        case optionalDuration(any WritableKeyPath<Block, Duration?> & Sendable, String)
        case writeTimeout(any WritableKeyPath<Block, WriteTimeoutPolicy> & Sendable)
    }

    struct Option: Sendable {
        /// The official name.
        let name: String
        let kind: Kind

        init(_ name: String, _ kind: Kind) {
            self.name = name
            self.kind = kind
        }
    }

    private var options: [String: Option] = [:]

    /// Each option with its other names.
    init(_ options: [(Option, aliases: [String])]) {
        for (option, aliases) in options {
            for name in [option.name] + aliases { self.options[name] = option }
        }
    }

    /// Reads the entry if it is in the table; `nil` if it is not, and its official name otherwise.
    func read(_ entry: OptionReader.Entry, into block: inout Block, _ reader: OptionReader) -> String? {
        guard let option = self.options[entry.name] else { return nil }
        let node = entry.node
        switch option.kind {
        case .string(let path):
            if let value = reader.string(node) { block[keyPath: path] = value }
        case .text(let path):
            if let value = reader.string(node) { block[keyPath: path] = value.isEmpty ? nil : value }
        case .bool(let path):
            if let value = reader.bool(node) { block[keyPath: path] = value }
        case .integer(let path):
            if let value = reader.integer(node) { block[keyPath: path] = value }
        case .count(let path):
            if let value = reader.integer(node), value != 0 { block[keyPath: path] = value }
        case .optionalInteger(let path):
            if let value = reader.integer(node) { block[keyPath: path] = value == 0 ? nil : value }
        case .duration(let path, let field):
            if let value = reader.duration(node, field), value != .zero { block[keyPath: path] = value }
        case .optionalDuration(let path, let field):
            if let value = reader.duration(node, field) { block[keyPath: path] = value == .zero ? nil : value }
        case .writeTimeout(let path):
            if let value = reader.writeTimeout(node) { block[keyPath: path] = value }
        }
        return option.name
    }
}
