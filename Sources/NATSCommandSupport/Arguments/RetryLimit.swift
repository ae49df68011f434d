import ArgumentParser

/// How often something is tried again: a number, or without one as often as time allows.
package struct RetryLimit: Sendable, Hashable {
    /// What stands for no number.
    package static let unlimited = "unlimited"

    package var limit: Int

    /// Reads a number of at least 0, or ``unlimited``.
    package init?(parsing text: String) {
        if text == Self.unlimited {
            self.limit = .max
        } else if let number = Int(text), number >= 0 {
            self.limit = number
        } else {
            return nil
        }
    }
}

extension RetryLimit: ExpressibleByArgument {
    package init?(argument: String) {
        self.init(parsing: argument)
    }
}
