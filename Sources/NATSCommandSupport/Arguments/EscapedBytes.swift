import ArgumentParser

/// Bytes written as text with the escapes `\n`, `\r`, `\t`, `\0`, `\e`, `\\` and `\xNN`.
package struct EscapedBytes: Sendable, Hashable {
    package var bytes: [UInt8]

    /// Reads `text`; nil for any other escape and for a backslash at the end.
    package init?(parsing text: String) {
        guard let bytes = try? EscapedText.bytes(text) else { return nil }
        self.bytes = bytes
    }
}

extension EscapedBytes: ExpressibleByArgument {
    package init?(argument: String) {
        self.init(parsing: argument)
    }
}
