/// Where something stands in a configuration file.
///
/// Counted as the official server does: lines from 1; columns in bytes, from 0 on the first line and from 1 on all
/// others (its lexer takes the line break for the first byte of a line).
package struct SourcePosition: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The path as it was given, or as `include` composed it.
    package var file: String
    package var line: Int
    package var column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    package var description: String { "\(self.file):\(self.line):\(self.column)" }

    package static func < (left: SourcePosition, right: SourcePosition) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}
