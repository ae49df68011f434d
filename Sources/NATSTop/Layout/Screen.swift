/// What a piece of text is, which decides how it looks.
package enum Role: Sendable, Hashable, CaseIterable {
    case plain
    case label
    case title
    case columnTitle
    case sortedTitle
    case selected
    case slow
    case idle
    case problem
    case notice
    /// Values of a server that does not answer.
    case stale
    case prompt
    case graph
    case footer
    case currentView

    package enum Color: Sendable, Hashable {
        case red
        case green
        case yellow
        case blue
        case cyan
    }

    /// How a terminal draws a role.
    package struct Attributes: Sendable, Hashable {
        package var color: Color?
        package var isBold = false
        package var isDim = false
        package var isReversed = false
        package var isUnderlined = false
    }

    /// What matters differs without colours too.
    package func attributes(hasColors: Bool) -> Attributes {
        func with(
            _ color: Color? = nil,
            bold: Bool = false,
            dim: Bool = false,
            reversed: Bool = false,
            underlined: Bool = false
        ) -> Attributes {
            Attributes(
                color: hasColors ? color : nil,
                isBold: bold,
                isDim: dim,
                isReversed: reversed,
                isUnderlined: underlined
            )
        }
        switch self {
        case .plain: return with()
        case .label: return with(.cyan)
        case .title: return with(bold: true)
        case .columnTitle: return with(reversed: true)
        case .sortedTitle: return with(bold: true, reversed: true, underlined: true)
        case .selected: return with(bold: true, reversed: true)
        case .slow: return with(.red, bold: true)
        case .idle: return with(dim: true)
        case .problem: return with(.red, bold: true, reversed: !hasColors)
        case .notice: return with(.yellow, bold: true)
        case .stale: return with(dim: true)
        case .prompt: return with(bold: true)
        case .graph: return with(.green)
        case .footer: return with(dim: true)
        case .currentView: return with(bold: true, reversed: true)
        }
    }
}

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

/// Characters that a terminal can draw.
package enum Glyphs: Sendable, Equatable {
    case unicode
    /// One question mark for each column of what it cannot draw.
    case ascii

    var bars: [Character] {
        switch self {
        case .unicode: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
        case .ascii: ["_", ".", ":", "-", "=", "+", "*", "#"]
        }
    }

    func drawable(_ text: String) -> String {
        guard self == .ascii, !text.utf8.allSatisfy({ $0 < 0x80 }) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar.isASCII {
                result.unicodeScalars.append(scalar)
            } else if scalar == "…" {
                result += "~"
            } else {
                result += String(repeating: "?", count: DisplayWidth.of(scalar))
            }
        }
        return result
    }
}

/// Fills one line from the left, and never beyond its width.
struct LineBuilder {
    private(set) var spans: [Span] = []
    private(set) var column = 0
    let width: Int
    let glyphs: Glyphs

    init(width: Int, glyphs: Glyphs) {
        self.width = width
        self.glyphs = glyphs
    }

    var room: Int { max(0, self.width - self.column) }

    mutating func add(_ text: String, _ role: Role = .plain) {
        guard self.room > 0, !text.isEmpty else { return }
        let text = self.glyphs.drawable(text)
        let (part, width) = DisplayWidth.prefix(of: text, columns: self.room)
        self.append(part, role)
        self.column += width
        // Half of a wide character is a blank.
        if self.room == 1, part.unicodeScalars.count < text.unicodeScalars.count {
            self.append(" ", role)
            self.column += 1
        }
    }

    /// Blanks up to a column.
    mutating func pad(to column: Int, _ role: Role = .plain) {
        let target = min(column, self.width)
        guard target > self.column else { return }
        self.append(String(repeating: " ", count: target - self.column), role)
        self.column = target
    }

    private mutating func append(_ text: String, _ role: Role) {
        guard !text.isEmpty else { return }
        if let last = self.spans.indices.last, self.spans[last].role == role {
            self.spans[last].text += text
        } else {
            self.spans.append(Span(text, role))
        }
    }
}
