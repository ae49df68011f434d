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
