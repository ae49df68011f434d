/// What reading a configuration file gave.
package struct LoadedConfiguration: Sendable {
    /// The options, with the official defaults; meaningful when ``errors`` is empty.
    package var configuration: ServerConfiguration
    /// What is wrong, sorted by position.
    package var errors: [ConfigurationIssue]
    /// What a server starts with in spite of it, but `-t` refuses; sorted by position.
    package var warnings: [ConfigurationIssue]
    /// The bytes whose SHA-256 is the configuration digest (`sha256:…`).
    package var canonicalBytes: [UInt8]

    /// Warnings, then errors, one per line with a line end each: what the official server prints.
    package var report: String {
        (self.warnings + self.errors).map { "\($0)\n" }.joined()
    }
}
