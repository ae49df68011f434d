extension Drawing {
    private var visibleRows: ArraySlice<Row> {
        self.model.rows.dropFirst(self.model.state.offset).prefix(self.geometry.bodyHeight)
    }

    var columnPlan: ColumnPlan? {
        guard self.model.view.isTable else { return nil }
        return ColumnPlan(model: self.model, visible: Array(self.visibleRows), width: self.size.columns)
    }

    mutating func drawTable(_ plan: ColumnPlan) {
        let state = self.model.state
        let rows = self.visibleRows
        if self.geometry.hasColumnTitles { self.drawColumnTitles(plan) }
        for (index, row) in zip(rows.indices, rows) {
            self.drawRow(row, plan, isSelected: index == state.index)
        }
    }

    private mutating func drawColumnTitles(_ plan: ColumnPlan) {
        var line = self.builder()
        let isScrolled = self.model.state.columnOffset > 0
        line.add(isScrolled ? "<" : " ", .columnTitle)
        let last = self.size.columns - 1
        for place in plan.places {
            line.pad(to: place.start, .columnTitle)
            let title = place.column.title(showsRates: self.model.settings.showsRates)
            let isSorted = place.column == self.model.state.sort
            line.add(
                DisplayWidth.prefix(of: title, columns: place.width).text,
                isSorted ? .sortedTitle : .columnTitle
            )
        }
        if plan.hidesRight, line.column <= last {
            line.pad(to: last, .columnTitle)
            line.add(">", .columnTitle)
        }
        line.pad(to: self.size.columns, .columnTitle)
        self.add(line)
    }

    private mutating func drawRow(_ row: Row, _ plan: ColumnPlan, isSelected: Bool) {
        var line = self.builder()
        // The rows of a cluster are not the lost server's.
        let isCurrent = self.snapshot.link == .up || self.model.view == .cluster
        let role: Role =
            switch row.mark {
            case _ where isSelected: .selected
            case .lost?: .slow
            case .slow?: isCurrent ? .slow : .stale
            case .idle?: .idle
            case .withoutPages?, nil: isCurrent ? .plain : .stale
            }
        let mark =
            switch row.mark {
            case .slow?, .lost?: "!"
            case .idle?: "~"
            case .withoutPages?: "?"
            case nil: " "
            }
        line.add(mark, role)
        let style = self.model.numberStyle
        for place in plan.places {
            line.pad(to: place.start, role)
            line.add(self.fitted(row.text(place.column, style: style), to: place.width), role)
        }
        if isSelected { line.pad(to: self.size.columns, role) }
        self.add(line)
    }

    /// The text, with a sign where something of it is missing.
    private func fitted(_ text: String, to width: Int) -> String {
        guard DisplayWidth.of(text) > width else { return text }
        guard width > 1 else { return DisplayWidth.prefix(of: text, columns: width).text }
        return DisplayWidth.prefix(of: text, columns: width - 1).text + "…"
    }

    mutating func drawDetails(_ lines: [Details.Line], offset: Int, height: Int? = nil) {
        let labelWidth = min(lines.reduce(0) { max($0, $1.value.isEmpty ? 0 : $1.label.utf8.count) }, 14)
        for detail in lines.dropFirst(offset).prefix(height ?? self.remainingLines) {
            var line = self.builder()
            line.add("  ")
            line.add(detail.label, .label)
            if !detail.value.isEmpty {
                line.pad(to: 2 + labelWidth + 2)
                line.add(self.fitted(detail.value, to: max(1, line.room)), self.valueRole)
            }
            self.add(line)
        }
    }

    // MARK: Graphs

    private struct Graph {
        var label: String
        var value: KeyPath<History.Point, Double>
        var text: (Double) -> String
    }

    mutating func drawGraphs() {
        let isRaw = self.model.settings.isRaw
        let graphs = [
            Graph(label: "Msgs in/s", value: \.rates.inMessages) { Quantity.countRate($0) },
            Graph(label: "Msgs out/s", value: \.rates.outMessages) { Quantity.countRate($0) },
            Graph(label: "Bytes in/s", value: \.rates.inBytes) { Quantity.byteRate($0, isRaw: isRaw) },
            Graph(label: "Bytes out/s", value: \.rates.outBytes) { Quantity.byteRate($0, isRaw: isRaw) },
            Graph(label: "CPU %", value: \.cpu) { Quantity.oneDecimal($0) },
            Graph(label: "Memory", value: \.memory) { Quantity.bytes(Quantity.whole($0)) },
            Graph(label: "Slow", value: \.slowConsumers) { String(Quantity.whole($0)) },
            Graph(label: "Connections", value: \.connections) { String(Quantity.whole($0)) },
        ]
        let labelWidth = self.size.columns >= 60 ? 34 : 12
        let width = max(0, self.size.columns - labelWidth)
        let height = max(1, self.remainingLines / graphs.count)
        for graph in graphs where self.remainingLines > 0 {
            let values = self.snapshot.history.values(graph.value, last: max(width, 1))
            let bars = Sparkline.lines(values, width: width, height: height, glyphs: self.glyphs)
            let largest = values.reduce(0) { max($0, $1 ?? 0) }
            for index in 0..<min(height, self.remainingLines) {
                var line = self.builder()
                if index == height - 1 {
                    line.add(graph.label, .label)
                    if labelWidth > 12 {
                        line.pad(to: 12)
                        line.add(values.last.flatMap { $0 }.map(graph.text) ?? "-", self.valueRole)
                        line.pad(to: 22)
                        line.add("max \(graph.text(largest))", .footer)
                    }
                }
                line.pad(to: labelWidth)
                if bars.indices.contains(index) { line.add(bars[index], .graph) }
                self.add(line)
            }
        }
    }
}
