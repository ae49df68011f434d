import ArgumentParser

/// The values of `--color`.
package enum ColorChoice: String, Sendable, CaseIterable, ExpressibleByArgument {
    case auto
    case always
    case never

    /// Whether standard output gets colors.
    ///
    /// - Parameters:
    ///   - isTerminal: Standard output is a terminal.
    ///   - environment: Looks up a variable.
    /// - Returns: Whether it does.
    package func usesColor(isTerminal: Bool, environment: (String) -> String?) -> Bool {
        switch self {
        case .always: return true
        case .never: return false
        case .auto:
            // no-color.org: set and not empty. A flag is a later word than the variable.
            let isRefused = environment("NO_COLOR").map { !$0.isEmpty } ?? false
            return isTerminal && !isRefused && environment("TERM") != "dumb"
        }
    }
}
