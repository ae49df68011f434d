extension ServerConfiguration {
    /// Reads a configuration file with all that it includes.
    ///
    /// - Parameters:
    ///   - path: As given; it is part of the messages.
    ///   - environment: The variables that `$NAME` may refer to, `HOME` for paths with `~`.
    ///   - readFile: Reads a file, or throws Go's words: `open a.conf: no such file or directory`.
    ///   - checks: What this module cannot check itself.
    /// - Returns: The options, and all that is wrong with them.
    /// - Throws: ``ConfigurationSyntaxError`` when the text cannot be understood. What is wrong with options that were
    ///   understood is in the result.
    package static func load(
        path: String,
        environment: [String: String],
        readFile: @escaping (String) throws(ConfigurationFileError) -> [UInt8],
        checks: ConfigurationChecks = ConfigurationChecks()
    ) throws(ConfigurationSyntaxError) -> LoadedConfiguration {
        let source = ConfigurationSource(environment: environment, readFile: readFile)
        let tree = try ConfigurationParser.parse(file: path, source: source)
        return self.load(tree, path: path, source: source, checks: checks)
    }

    /// Reads a configuration text as if it were the content of the file at `path`.
    package static func load(
        text: [UInt8],
        path: String,
        environment: [String: String] = [:],
        readFile: @escaping (String) throws(ConfigurationFileError) -> [UInt8],
        checks: ConfigurationChecks = ConfigurationChecks()
    ) throws(ConfigurationSyntaxError) -> LoadedConfiguration {
        let source = ConfigurationSource(environment: environment, readFile: readFile)
        let tree = try ConfigurationParser.parse(text: text, file: path, source: source)
        return self.load(tree, path: path, source: source, checks: checks)
    }

    private static func load(
        _ tree: ConfigurationMap,
        path: String,
        source: ConfigurationSource,
        checks: ConfigurationChecks
    ) -> LoadedConfiguration {
        let reader = OptionReader(source: source, checks: checks)
        var configuration = ServerConfiguration()
        if tree.entries.isEmpty {
            reader.warning("\(path): config has no values or is empty", at: nil)
        }
        configuration.read(tree, reader)
        configuration.given = reader.given
        return LoadedConfiguration(
            configuration: configuration,
            errors: Self.sorted(reader.errors),
            warnings: Self.sorted(reader.warnings),
            canonicalBytes: CanonicalJSON.bytes(of: tree)
        )
    }

    /// By place; what has none comes last, in the order of its finding.
    private static func sorted(_ issues: [ConfigurationIssue]) -> [ConfigurationIssue] {
        let order = issues.indices.sorted { left, right in
            switch (issues[left].position, issues[right].position) {
            case (let one?, let other?): one == other ? left < right : one < other
            case (_?, nil): true
            case (nil, _?): false
            case (nil, nil): left < right
            }
        }
        return order.map { issues[$0] }
    }

    /// The keys of the file that are not among the supported ones, with their places, in the order of the file: a
    /// start stops with `not supported yet: KEY (file:line:col)`.
    package func unsupported(except supported: Set<String>) -> [(key: String, position: SourcePosition)] {
        self.given
            .filter { !$0.key.contains(".") && !supported.contains($0.key) }
            .map { (key: $0.key, position: $0.value) }
            .sorted { $0.position < $1.position }
    }
}
