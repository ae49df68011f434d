import ArgumentParser
import NATSText

/// A length of time in Go's syntax (`1h2m3.5s`, `300ms`), or a bare number of seconds.
package struct DurationArgument: Sendable, Hashable {
    package var duration: Duration

    package init(_ duration: Duration) {
        self.duration = duration
    }

    /// Reads `text`; nil if it is malformed, has a sign, or is longer than Go's 292 years.
    package init?(parsing text: String) {
        guard text.utf8.first != UInt8(ascii: "-"), text.utf8.first != UInt8(ascii: "+") else { return nil }
        // A bare number stands alone: "5" but not "1h5".
        let isBare = text.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || $0 == UInt8(ascii: ".") }
        guard let duration = try? GoDuration.parse(isBare ? text + "s" : text) else { return nil }
        self.duration = duration
    }
}

extension DurationArgument: ExpressibleByArgument {
    package init?(argument: String) {
        self.init(parsing: argument)
    }

    /// Shown as the default value in help.
    package var defaultValueDescription: String {
        let components = self.duration.components
        let milliseconds = components.attoseconds / 1_000_000_000_000_000
        if milliseconds == 0 { return "\(components.seconds)s" }
        return components.seconds == 0 ? "\(milliseconds)ms" : "\(components.seconds * 1000 + milliseconds)ms"
    }
}
