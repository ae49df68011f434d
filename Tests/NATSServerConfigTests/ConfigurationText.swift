import NATSServerConfig

/// Reads configuration texts in tests.
enum ConfigurationText {
    static func load(
        _ text: String,
        environment: [String: String] = [:],
        files: [String: String] = [:],
        checks: ConfigurationChecks = ConfigurationChecks()
    ) throws -> LoadedConfiguration {
        try self.load(Array(text.utf8), environment: environment, files: files, checks: checks)
    }

    static func load(
        _ text: [UInt8],
        environment: [String: String] = [:],
        files: [String: String] = [:],
        checks: ConfigurationChecks = ConfigurationChecks()
    ) throws -> LoadedConfiguration {
        try NATSServerConfig.ServerConfiguration.load(
            text: text,
            path: "test.conf",
            environment: environment,
            readFile: { path throws(ConfigurationFileError) in
                guard let content = files[path] else {
                    throw ConfigurationFileError("open \(path): no such file or directory")
                }
                return Array(content.utf8)
            },
            checks: checks
        )
    }

    /// The options of a text that must be right.
    static func options(_ text: String) throws -> NATSServerConfig.ServerConfiguration {
        let loaded = try self.load(text)
        guard loaded.errors.isEmpty else { throw TestFailure(loaded.report) }
        return loaded.configuration
    }

    /// The official text about a configuration that cannot be read.
    static func syntaxError(
        _ text: String,
        environment: [String: String] = [:],
        files: [String: String] = [:]
    ) -> String? {
        do {
            _ = try self.load(text, environment: environment, files: files)
            return nil
        } catch {
            return "\(error)"
        }
    }
}
