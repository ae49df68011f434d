/// What the options of the program set, and keys change.
package struct Settings: Sendable, Equatable {
    /// Connections to ask for.
    package var limit = 1024
    /// The view that ``sort``, ``isDescending`` and ``columns`` are for.
    package var startView = View.connections
    package var sort = Column.cid
    /// Nil is the usual direction of the column.
    package var isDescending: Bool?
    package var isRaw = false
    package var showsRates = false
    package var showsSubscriptions = false
    package var looksUpNames = false
    /// Columns in their order; nil is the usual choice.
    package var columns: [Column]?
    package var filter = Filter("")
    /// Seconds without traffic after which a connection is marked.
    package var idleSeconds = 60.0
    /// The server that is asked, as it is shown: `127.0.0.1:8222`.
    package var target = ""
    /// What is shown was recorded: nobody can be asked for more.
    package var isRecording = false

    package static let maximumLimit = Sample.maximumConnections

    package init() {}

    /// Reads the name of an order, with `-` for the largest first and `+` for the smallest.
    ///
    /// - Returns: Nil if connections have no such order.
    package static func order(_ text: String, in view: View) -> (column: Column, isDescending: Bool?)? {
        var name = text[...]
        var isDescending: Bool?
        if let sign = name.first, sign == "-" || sign == "+" {
            isDescending = sign == "-"
            name = name.dropFirst()
        }
        guard let column = Column(named: String(name)), view.columns.contains(column) else { return nil }
        return (column, isDescending)
    }

    /// Reads `host,cid,name`, or changes to a choice: `+account,-lang`.
    ///
    /// - Returns: Nil with the first name that is no column of the view.
    package static func columns(
        _ text: String,
        from current: [Column],
        in view: View
    ) -> (columns: [Column]?, unknown: String) {
        var chosen: [Column]?
        for word in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
            let sign = word.first
            let isChange = sign == "+" || sign == "-"
            let name = isChange ? word.dropFirst() : word
            guard let column = Column(named: String(name)), view.columns.contains(column) else {
                return (nil, String(name))
            }
            var columns = chosen ?? (isChange ? current : [])
            columns.removeAll { $0 == column }
            if sign != "-" { columns.append(column) }
            chosen = columns
        }
        return (chosen.flatMap { $0.isEmpty ? nil : $0 } ?? view.defaultColumns, "")
    }
}
