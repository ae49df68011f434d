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
        /// `host:port`, in two fields.
        case listen(any WritableKeyPath<Block, String> & Sendable, any WritableKeyPath<Block, Int> & Sendable)
        /// Of what it is the name; must not have spaces.
        case name(any WritableKeyPath<Block, String?> & Sendable, String)
        case tls(any WritableKeyPath<Block, TLSConfiguration?> & Sendable, OptionReader.TLSContext)
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
        case .listen(let hostPath, let portPath):
            if let (host, port) = reader.listen(node) {
                (block[keyPath: hostPath], block[keyPath: portPath]) = (host ?? "0.0.0.0", port)
            }
        case .name(let path, let owner):
            guard let value = reader.string(node) else { break }
            if value.utf8.contains(UInt8(ascii: " ")) {
                reader.error("\(owner) name cannot contain spaces", at: node)
            } else {
                block[keyPath: path] = value.isEmpty ? nil : value
            }
        case .tls(let path, let context):
            block[keyPath: path] = reader.tls(node, context)
        case .writeTimeout(let path):
            if let value = reader.writeTimeout(node) { block[keyPath: path] = value }
        }
        return option.name
    }
}

extension OptionReader {
    /// Reads a block of which most keys are plain.
    ///
    /// - Parameters:
    ///   - node: What the block's key has for a value.
    ///   - name: How ``given`` names the block.
    ///   - expected: What a value that is no map is told.
    ///   - defaults: The block without any key.
    ///   - table: The keys that are one plain value each.
    ///   - readOther: Reads any other key; false if it does not know it either.
    /// - Returns: `nil` if it is no map.
    func block<Block>(
        _ node: ConfigurationNode,
        _ name: String,
        expected: String,
        defaults: Block,
        _ table: OptionTable<Block>,
        _ readOther: (Entry, inout Block) -> Bool
    ) -> Block? {
        guard let entries = node.entries else {
            self.error("\(expected), got \(GoFormat.typeName(node))", at: node)
            return nil
        }
        var block = defaults
        for entry in entries {
            if let option = table.read(entry, into: &block, self) {
                self.record(name, option, entry.node)
            } else if readOther(entry, &block) {
                self.record(name, entry.name, entry.node)
            } else {
                self.unknown(entry)
            }
        }
        return block
    }
}
