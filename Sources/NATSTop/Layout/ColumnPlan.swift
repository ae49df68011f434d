/// Which columns a line shows, and where.
struct ColumnPlan: Sendable, Equatable {
    struct Place: Sendable, Equatable {
        var column: Column
        var start: Int
        var width: Int
        /// Whether the last column is shown in part.
        var isCut = false
    }

    private(set) var places: [Place] = []
    /// Whether something is to the right of what is shown.
    private(set) var hidesRight = false

    /// Blanks before the first column; the first one is the place of marks.
    static let margin = 2
    private static let gap = 2
    /// No more of a text where room is short.
    private static let narrowLimit = 24

    /// The original's widths where they fit; else those of the contents; else what fits, from the column on to which the
    /// user has scrolled.
    init(model: Model, visible: [Row], width: Int) {
        let columns = model.columns
        let state = model.state
        let style = model.numberStyle
        let showsRates = model.settings.showsRates
        func contentWidth(_ column: Column) -> Int {
            visible.reduce(column.title(showsRates: showsRates).utf8.count) {
                max($0, DisplayWidth.of($1.text(column, style: style)))
            }
        }
        let contents = columns.map(contentWidth)
        let wide = zip(columns, contents).map { column, content in
            switch column {
            // The original counts a blank behind these two to the column.
            case .host: max(state.hostWidth, content)
            case .name: max(state.nameWidth - 1, content)
            case .cid: max(column.fullWidth - 1, content)
            default: max(column.fullWidth, content)
            }
        }
        // The list of subjects may be longer than any line; as the last column it is cut.
        let fixed =
            columns.last == .subscriptions ? wide.dropLast() + [Column.subscriptions.fullWidth] : wide
        if Self.total(fixed) <= width {
            self.place(Array(zip(columns, fixed)), width: width)
            return
        }
        let narrow = zip(columns, contents).map { column, content in
            column == .lastActivity || column == .subscriptions || column == .host || !column.isText
                ? content : min(content, max(Self.narrowLimit, column.title(showsRates: showsRates).utf8.count))
        }
        var shown = Array(zip(columns, narrow))
        if Self.total(narrow) > width, shown.count > 1 {
            shown.removeSubrange(1..<min(shown.count, 1 + state.columnOffset))
        }
        self.place(shown, width: width)
    }

    private static func total(_ widths: [Int]) -> Int {
        widths.reduce(self.margin) { $0 + $1 + self.gap } - self.gap
    }

    private mutating func place(_ columns: [(Column, Int)], width: Int) {
        var start = Self.margin
        for (index, (column, wanted)) in columns.enumerated() {
            let room = width - start
            let isLast = index == columns.count - 1
            if wanted <= room {
                self.places.append(
                    Place(column: column, start: start, width: isLast && column == .subscriptions ? room : wanted)
                )
            } else {
                // The first column says which row it is, however little there is of it.
                let isUseful = column.isText && room >= 6
                if self.places.isEmpty ? room > 0 : isUseful {
                    self.places.append(Place(column: column, start: start, width: room, isCut: true))
                }
                self.hidesRight = true
                return
            }
            start += wanted + Self.gap
        }
    }
}
