/// Columns and lines of a terminal.
package struct Size: Sendable, Equatable {
    package var columns: Int
    package var rows: Int

    /// More than any screen has at a size of letters that can be read; a terminal may tell what it likes, and each cell
    /// costs memory and time.
    package static let maximumColumns = 1024
    package static let maximumRows = 512

    /// No less than one cell, and no more than ``maximumColumns`` and ``maximumRows``.
    package init(columns: Int, rows: Int) {
        self.columns = min(max(columns, 1), Self.maximumColumns)
        self.rows = min(max(rows, 1), Self.maximumRows)
    }
}

/// What has a place on a screen of some size.
struct Geometry: Sendable, Equatable {
    /// How much of the header is shown.
    enum Header: Sendable, Equatable {
        /// As the original: six lines, and one for prompts.
        case full
        /// Four lines; prompts take the place of the title.
        case compact
        /// The first line; prompts take its place.
        case line
    }

    let header: Header
    let hasTitle: Bool
    let hasColumnTitles: Bool
    let hasFooter: Bool
    let bodyHeight: Int

    init(size: Size, isTable: Bool) {
        self.header = size.rows >= 16 ? .full : size.rows >= 8 ? .compact : .line
        self.hasTitle = size.rows >= 8
        self.hasColumnTitles = isTable && size.rows >= 3
        self.hasFooter = size.rows >= 16
        let headerHeight =
            switch self.header {
            case .full: 7
            case .compact: 4
            case .line: 1
            }
        let others = [self.hasTitle, self.hasColumnTitles, self.hasFooter].reduce(0) { $0 + ($1 ? 1 : 0) }
        self.bodyHeight = max(0, size.rows - headerHeight - others)
    }
}
