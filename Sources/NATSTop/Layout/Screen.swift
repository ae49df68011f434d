/// Text of one look.
package struct Span: Sendable, Equatable {
    package var text: String
    package var role: Role

    package init(_ text: String, _ role: Role) {
        self.text = text
        self.role = role
    }
}

/// What a terminal shows: a line for each of its rows, none wider than it is.
package struct Screen: Sendable, Equatable {
    package var lines: [[Span]]
    /// Where a prompt waits; nil hides the cursor.
    package var cursor: (row: Int, column: Int)?

    package static func == (left: Screen, right: Screen) -> Bool {
        left.lines == right.lines && left.cursor?.row == right.cursor?.row
            && left.cursor?.column == right.cursor?.column
    }

    /// The lines without looks and without the blanks at their ends.
    package var text: [String] {
        self.lines.map { line in
            var text = line.map(\.text).joined()
            while text.last == " " { text.removeLast() }
            return text
        }
    }
}
