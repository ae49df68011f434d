/// The command line is wrong; the tool ends with status 2.
package struct UsageError: Error, Equatable, CustomStringConvertible {
    /// What is wrong, without prefix and line end.
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
