/// Which columns a line shows, and where.
struct ColumnPlan: Sendable, Equatable {
    struct Place: Sendable, Equatable {
        var column: Column
        var start: Int
        var width: Int
    }

    private(set) var places: [Place] = []
    /// Whether something is to the right of what is shown.
    private(set) var hidesRight = false

    /// Blanks before the first column; the first one is the place of marks.
    static let margin = 2
    /// No more of a text where room is short.
    private static let narrowLimit = 24
    /// No less of a name where the figures would not fit otherwise.
    private static let leastName = 6

    /// The original's widths where they fit; else those of the contents; else what fits, from the column on to which the
    /// user has scrolled.
    init(model: Model, visible: [Row], width: Int) {
        let columns = model.columns
        let state = model.state
        let style = model.numberStyle
        let showsRates = model.settings.showsRates
        let contents = columns.map { column in
            visible.reduce(column.title(showsRates: showsRates).utf8.count) {
                max($0, DisplayWidth.of($1.text(column, style: style)))
            }
        }
        // The original counts one of the two blanks behind these columns to the column.
        var wide = zip(columns, contents).map { column, content in
            switch column {
            case .host: max(state.hostWidth, content)
            case .name: max(state.nameWidth - 1, content)
            case .cid: max(column.fullWidth - 1, content)
            default: max(column.fullWidth, content)
            }
        }
        // The list of subjects may be longer than any line; as the last column it is cut.
        if columns.last == .subscriptions { wide[wide.count - 1] = Column.subscriptions.fullWidth }
        if Self.total(wide, gap: 2) <= width {
            self.place(Array(zip(columns, wide)), gap: 2, width: width)
            return
        }
        var narrow = zip(columns, contents).map { column, content in
            switch column {
            case .name, .account, .user, .lang, .version, .state: min(content, Self.narrowLimit)
            default: content
            }
        }
        let gap = Self.total(narrow, gap: 2) <= width ? 2 : 1
        if let name = columns.firstIndex(of: .name), let last = columns.lastIndex(where: { $0.isFigure }), name < last {
            let excess = Self.total(Array(narrow[...last]), gap: gap) - width
            if excess > 0, narrow[name] - excess >= Self.leastName { narrow[name] -= excess }
        }
        var shown = Array(zip(columns, narrow))
        if Self.total(narrow, gap: gap) > width, shown.count > 1 {
            shown.removeSubrange(1..<min(shown.count, 1 + state.columnOffset))
        }
        self.place(shown, gap: gap, width: width)
    }

    private static func total(_ widths: [Int], gap: Int) -> Int {
        widths.reduce(self.margin - gap) { $0 + $1 + gap }
    }

    private mutating func place(_ columns: [(Column, Int)], gap: Int, width: Int) {
        var start = Self.margin
        for (index, (column, wanted)) in columns.enumerated() {
            let room = width - start
            let isLast = index == columns.count - 1
            guard wanted <= room else {
                // The first column says which row it is, however little there is of it.
                if self.places.isEmpty ? room > 0 : column.isText && room >= 6 {
                    self.places.append(Place(column: column, start: start, width: room))
                }
                self.hidesRight = true
                return
            }
            let isOpen = isLast && column == .subscriptions
            self.places.append(Place(column: column, start: start, width: isOpen ? room : wanted))
            start += wanted + gap
        }
    }
}
