/// Lines for people, on standard error.
///
/// What is written there never stops a tool: errors are ignored.
package struct Diagnostics: Sendable {
    /// `--quiet`: errors only.
    package var isQuiet: Bool
    /// `--verbose`.
    package var isVerbose: Bool

    package init(isQuiet: Bool = false, isVerbose: Bool = false) {
        self.isQuiet = isQuiet
        self.isVerbose = isVerbose
    }

    /// Writes `text` and a line end unless quiet.
    package func say(_ text: @autoclosure () -> String) {
        if !self.isQuiet { Self.writeLine(text()) }
    }

    /// Writes `text` and a line end if verbose.
    package func detail(_ text: @autoclosure () -> String) {
        if self.isVerbose, !self.isQuiet { Self.writeLine(text()) }
    }

    /// Writes `nats: text` and a line end, quiet or not.
    package func error(_ text: String) {
        Self.writeLine("nats: \(text)")
    }

    /// Writes `text` and a line end, quiet or not.
    package func report(_ text: String) {
        Self.writeLine(text)
    }

    /// Writes `text` as it is, quiet or not.
    package func write(_ text: String) {
        var text = text
        text.withUTF8 { _ = POSIX.writeAll(UnsafeRawBufferPointer($0), to: 2) }
    }

    /// Writes `bytes` unchanged unless quiet; for lines that hold a payload.
    package func say(bytes: UnsafeRawBufferPointer) {
        if !self.isQuiet { _ = POSIX.writeAll(bytes, to: 2) }
    }

    private static func writeLine(_ text: String) {
        var line = text
        line.append("\n")
        line.withUTF8 { _ = POSIX.writeAll(UnsafeRawBufferPointer($0), to: 2) }
    }
}
