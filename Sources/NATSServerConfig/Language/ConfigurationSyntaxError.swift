/// A configuration that could not be read to its end: unreadable file, wrong syntax, unknown variable.
///
/// There is one at most, since nothing after it can be understood.
package struct ConfigurationSyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The official text, which tells the line at best.
    package var description: String
    /// Where it happened, as exactly as known.
    package var position: SourcePosition?

    package init(_ description: String, position: SourcePosition? = nil) {
        self.description = description
        self.position = position
    }
}

/// A file that could not be read, in the words of Go: `open a.conf: no such file or directory`.
package struct ConfigurationFileError: Error, Sendable, Equatable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
