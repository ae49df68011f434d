/// Builds the tree of a configuration file: scopes, variables, includes.
///
/// It performs no I/O itself: files and environment come from a ``ConfigurationSource``.
struct ConfigurationParser {
    /// An open map or array.
    private enum Scope {
        case map(ConfigurationMap)
        case array([ConfigurationNode])
    }

    private let source: ConfigurationSource
    private let file: String
    /// How many files include this one.
    private let depth: Int
    /// Values of environment variables have no place of their own.
    private let isEnvironmentValue: Bool
    /// Environment variables that are being read, outermost first.
    private let openVariables: [String]
    private var lexer: ConfigurationLexer
    private var scopes: [Scope] = []
    private var keys: [(text: [UInt8], position: SourcePosition)] = []

    private init(
        _ text: [UInt8],
        file: String,
        source: ConfigurationSource,
        depth: Int,
        openVariables: [String] = [],
        isEnvironmentValue: Bool = false
    ) {
        self.source = source
        self.file = file
        self.depth = depth
        self.openVariables = openVariables
        self.isEnvironmentValue = isEnvironmentValue
        self.lexer = ConfigurationLexer(text)
    }

    /// Reads a file and all that it includes.
    static func parse(file: String, source: ConfigurationSource) throws(ConfigurationSyntaxError) -> ConfigurationMap {
        let text: [UInt8]
        do {
            text = try source.read(file)
        } catch {
            throw ConfigurationSyntaxError(error.description)
        }
        return try self.parse(text: text, file: file, source: source)
    }

    /// Reads a text as if it were that file's.
    static func parse(
        text: [UInt8],
        file: String,
        source: ConfigurationSource
    ) throws(ConfigurationSyntaxError) -> ConfigurationMap {
        var parser = ConfigurationParser(text, file: file, source: source, depth: 0)
        let map = try parser.run()
        guard !map.weight.exceeds(ConfigurationSource.weightLimit) else {
            throw ConfigurationSyntaxError("\(file): the configuration is too large with all variables written out")
        }
        return map
    }

    private mutating func run() throws(ConfigurationSyntaxError) -> ConfigurationMap {
        let root = ConfigurationMap()
        self.scopes = [.map(root)]
        var openKey: [UInt8]?
        while true {
            let item = self.lexer.next()
            if item.kind == .end {
                // A brace at the end may close the file, as in JSON.
                if let openKey, openKey != [UInt8(ascii: "}")] {
                    throw ConfigurationSyntaxError(
                        "config is invalid (\(self.file):\(item.line):\(item.column))",
                        position: self.position(item)
                    )
                }
                return root
            }
            openKey = item.kind == .key ? item.text : nil
            try self.process(item)
        }
    }

    private func position(_ item: ConfigurationLexer.Item) -> SourcePosition {
        SourcePosition(file: self.file, line: item.line, column: item.column)
    }

    private mutating func process(_ item: ConfigurationLexer.Item) throws(ConfigurationSyntaxError) {
        let text = ConfigurationNode.text(item.text)
        switch item.kind {
        case .key:
            self.keys.append((item.text, self.position(item)))
        case .string:
            try self.add(.string(item.text), item)
        case .bool:
            try self.add(.bool(["true", "yes", "on"].contains(text.lowercased())), item)
        case .integer:
            try self.add(.integer(self.integer(text, item)), item)
        case .float:
            try self.add(.float(self.float(text, item)), item)
        case .date:
            guard DateText.isValid(item.text) else {
                throw self.error("expected Zulu formatted DateTime, but got '\(text)'", item)
            }
            try self.add(.date(item.text), item)
        case .mapStart:
            self.scopes.append(.map(ConfigurationMap()))
        case .arrayStart:
            self.scopes.append(.array([]))
        case .mapEnd, .arrayEnd:
            // The lexer closes only what is open, and the file itself is never closed.
            guard self.scopes.count > 1, let scope = self.scopes.popLast() else {
                throw self.error("Parse error on line \(item.line): 'Unexpected end of map or array.'", item)
            }
            switch scope {
            case .map(let map): try self.add(.map(map), item)
            case .array(let elements): try self.add(.array(elements), item)
            }
        case .variable:
            try self.addVariable(text, item)
        case .include:
            try self.include(text, item)
        case .error:
            throw self.error("Parse error on line \(item.line): '\(text)'", item)
        case .end:
            break
        }
    }

    private func error(_ words: String, _ item: ConfigurationLexer.Item) -> ConfigurationSyntaxError {
        ConfigurationSyntaxError(words, position: self.position(item))
    }

    // MARK: Values

    private mutating func add(
        _ value: ConfigurationNode.Value,
        _ item: ConfigurationLexer.Item
    ) throws(ConfigurationSyntaxError) {
        let position = self.isEnvironmentValue ? nil : self.position(item)
        try self.add(ConfigurationNode(value, position: position), item)
    }

    /// Puts a value where the scope wants it; in a map it gets the place of its key.
    private mutating func add(
        _ node: ConfigurationNode,
        _ item: ConfigurationLexer.Item
    ) throws(ConfigurationSyntaxError) {
        guard !node.weight.exceeds(ConfigurationSource.weightLimit) else {
            throw self.error("the value that ends on line \(item.line) is too large", item)
        }
        guard let last = self.scopes.indices.last else { return }
        switch self.scopes[last] {
        case .array(var elements):
            self.scopes[last] = .array([])
            elements.append(node)
            self.scopes[last] = .array(elements)
        case .map(let map):
            guard let key = self.keys.popLast() else { return }
            if node.position != nil { node.position = key.position }
            map.set(key.text, node)
        }
    }

    private func integer(
        _ text: String,
        _ item: ConfigurationLexer.Item
    ) throws(ConfigurationSyntaxError) -> Int64 {
        let end = text.unicodeScalars.firstIndex { !$0.isDigit && $0 != "-" } ?? text.endIndex
        let digits = text[..<end]
        guard let number = Int64(digits) else {
            if digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }) {
                throw self.error("integer '\(text)' is out of the range", item)
            }
            throw self.error("expected integer, but got '\(text)'", item)
        }
        guard let factor = SizeSuffix.factors[text[end...].lowercased()] else {
            // The official server drops the key in silence.
            throw self.error("expected integer, but got '\(text)'", item)
        }
        return number &* factor
    }

    private func float(_ text: String, _ item: ConfigurationLexer.Item) throws(ConfigurationSyntaxError) -> Double {
        guard let number = Double(text) else { throw self.error("expected float, but got '\(text)'", item) }
        guard number.isFinite else { throw self.error("float '\(text)' is out of the range", item) }
        return number
    }

    // MARK: Variables

    private mutating func addVariable(
        _ name: String,
        _ item: ConfigurationLexer.Item
    ) throws(ConfigurationSyntaxError) {
        let position = self.isEnvironmentValue ? nil : self.position(item)
        // A bcrypt hash, which begins with a dollar sign too.
        if name.hasPrefix("2a$") {
            try self.add(ConfigurationNode(.string(Array("$\(name)".utf8)), position: position), item)
            return
        }
        for case .map(let map) in self.scopes.reversed() {
            guard let node = map[item.text] else { continue }
            node.isUsedVariable = true
            try self.add(node.copied(to: position), item)
            return
        }
        let found: ConfigurationNode?
        do {
            found = try self.environmentValue(name)
        } catch {
            throw self.error(
                "variable reference for '\(name)' on line \(item.line) could not be parsed: \(error)",
                item
            )
        }
        guard let found else {
            throw self.error("variable reference for '\(name)' on line \(item.line) can not be found", item)
        }
        try self.add(found.copied(to: position), item)
    }

    /// The value of an environment variable, read as if it stood in the file.
    private func environmentValue(_ name: String) throws(ConfigurationSyntaxError) -> ConfigurationNode? {
        guard !self.openVariables.contains(name) else {
            throw ConfigurationSyntaxError("variable reference cycle for '\(name)'")
        }
        guard let text = self.source.environment[name] else { return nil }
        guard self.openVariables.count < ConfigurationLexer.depthLimit / 10 else {
            throw ConfigurationSyntaxError("variable references are nested too deep")
        }
        var parser = ConfigurationParser(
            Array("pk=\(text)".utf8),
            file: "",
            source: self.source,
            depth: self.depth,
            openVariables: self.openVariables + [name],
            isEnvironmentValue: true
        )
        return try parser.run()["pk"]
    }

    // MARK: Includes

    private mutating func include(
        _ path: String,
        _ item: ConfigurationLexer.Item
    ) throws(ConfigurationSyntaxError) {
        let full = FilePath.join(FilePath.directory(self.file), path)
        let included: ConfigurationMap
        do throws(ConfigurationSyntaxError) {
            guard self.depth < ConfigurationSource.includeDepthLimit else {
                throw ConfigurationSyntaxError("files include files more than \(self.depth) levels deep")
            }
            let text: [UInt8]
            do {
                text = try self.source.read(full)
            } catch {
                throw ConfigurationSyntaxError(error.description)
            }
            var parser = ConfigurationParser(
                text,
                file: full,
                source: self.source,
                depth: self.depth + 1,
                isEnvironmentValue: self.isEnvironmentValue
            )
            included = try parser.run()
        } catch {
            throw ConfigurationSyntaxError(
                "error parsing include file '\(path)', \(error)",
                position: error.position ?? self.position(item)
            )
        }
        guard case .map(let map) = self.scopes.last else { return }
        for entry in included.entries {
            map.set(entry.key, entry.node)
        }
    }
}
