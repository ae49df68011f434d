/// One thing that is wrong with a configuration.
package struct ConfigurationIssue: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where it is; `nil` where the official server names no place either.
    package var position: SourcePosition?
    /// What is wrong, in the official words.
    package var reason: String

    package init(position: SourcePosition?, reason: String) {
        self.position = position
        self.reason = reason
    }

    /// The official line: `file:line:column: reason`.
    package var description: String {
        guard let position else { return self.reason }
        return "\(position): \(self.reason)"
    }
}
