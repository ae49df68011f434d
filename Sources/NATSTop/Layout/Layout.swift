/// Draws a ``Model`` for a terminal.
package struct Layout: Sendable {
    package var glyphs: Glyphs

    package init(glyphs: Glyphs = .unicode) {
        self.glyphs = glyphs
    }

    /// The screen for a size.
    package func screen(of model: Model, size: Size) -> Screen {
        var model = model
        if model.size != size { model.resize(size) }
        var drawing = Drawing(model: model, size: size, glyphs: self.glyphs)
        return drawing.screen()
    }
}

/// One screen being drawn.
struct Drawing {
    let model: Model
    let size: Size
    let glyphs: Glyphs
    let snapshot: Snapshot
    let geometry: Geometry
    private var lines: [[Span]] = []
    private var cursor: (row: Int, column: Int)?

    init(model: Model, size: Size, glyphs: Glyphs) {
        self.model = model
        self.size = size
        self.glyphs = glyphs
        self.snapshot = model.snapshot
        self.geometry = Geometry(size: size, isTable: model.view.isTable)
    }

    mutating func screen() -> Screen {
        if self.model.showsHelp {
            self.drawHelp()
        } else {
            self.drawHeader()
            let plan = self.columnPlan
            if self.geometry.hasTitle { self.drawTitle(plan) }
            if let plan {
                self.drawTable(plan)
            } else if self.model.view == .graphs {
                self.drawGraphs()
            } else {
                self.drawDetails(Details.lines(of: self.model), offset: self.model.state.offset)
            }
            let footer = self.size.rows - (self.geometry.hasFooter ? 1 : 0)
            while self.lines.count < footer { self.lines.append([]) }
            if self.geometry.hasFooter { self.drawFooter() }
        }
        while self.lines.count < self.size.rows { self.lines.append([]) }
        self.lines.removeLast(self.lines.count - self.size.rows)
        return Screen(lines: self.lines, cursor: self.cursor)
    }

    // MARK: Lines

    func builder() -> LineBuilder {
        LineBuilder(width: self.size.columns, glyphs: self.glyphs)
    }

    mutating func add(_ builder: LineBuilder) {
        self.lines.append(builder.spans)
    }

    var remainingLines: Int {
        max(0, self.size.rows - self.lines.count - (self.geometry.hasFooter ? 1 : 0))
    }

    /// Values of a server that is away are drawn faintly.
    var valueRole: Role { self.snapshot.link == .up ? .plain : .stale }

    // MARK: Header

    private mutating func drawHeader() {
        switch self.geometry.header {
        case .full:
            self.drawFirstLine()
            self.drawServerLine()
            self.drawLabelled("  ID:   ", self.snapshot.server.id)
            self.drawLoad()
            self.drawTraffic()
            self.drawPromptLine()
        case .compact:
            self.drawFirstLine()
            self.drawLoad()
            self.drawTraffic()
        case .line:
            if self.model.prompt == nil { self.drawFirstLine() } else { self.drawPromptLine() }
        }
    }

    /// What went wrong; the full header has a line for it.
    private var problem: String {
        if case .lost(_, let problem) = self.snapshot.link { return problem }
        return self.snapshot.problem
    }

    private mutating func drawFirstLine() {
        var line = self.builder()
        let server = self.snapshot.server
        let isWide = self.size.columns >= 60
        let isFull = self.geometry.header == .full
        if isWide {
            line.add("NATS server version \(server.version) (uptime: \(server.uptime)) ", .title)
        } else if self.problem.isEmpty {
            line.add("NATS \(server.version) up \(server.uptime) ", .title)
        }
        switch self.snapshot.link {
        case .connecting:
            line.add("connecting to \(self.model.settings.target)", .notice)
        case .up:
            if !isFull, !self.problem.isEmpty {
                line.add(self.problem, .problem)
            } else if self.geometry.header == .line, let notice = self.model.notice {
                line.add(notice, .notice)
            }
        case .lost(let since, _):
            let away = Quantity.whole((self.model.now - since).seconds)
            var text = "LOST \(away)s ago"
            if let next = self.model.nextPoll, next > self.model.now {
                text += ", next try in \(Quantity.whole((next - self.model.now).seconds.rounded(.up)))s"
            }
            line.add(isFull ? text : "\(text): \(self.problem)", .problem)
        }
        self.add(line)
    }

    private mutating func drawServerLine() {
        var line = self.builder()
        line.add("Server: ", .label)
        line.add(self.snapshot.server.name, self.valueRole)
        let target = self.model.settings.target
        if !target.isEmpty, line.room > DisplayWidth.of(target) + 4 {
            line.pad(to: self.size.columns - DisplayWidth.of(target))
            line.add(target, .footer)
        }
        self.add(line)
    }

    private mutating func drawLabelled(_ label: String, _ value: String) {
        var line = self.builder()
        line.add(label, .label)
        line.add(value, self.valueRole)
        self.add(line)
    }

    private mutating func drawLoad() {
        var line = self.builder()
        let server = self.snapshot.server
        let isNarrow = self.size.columns < 56
        line.add("  Load: ", .label)
        line.add("CPU:  \(Quantity.oneDecimal(server.cpu))%  ", self.valueRole)
        line.add("\(isNarrow ? "Mem" : "Memory"): \(Quantity.bytes(server.memory))  ", self.valueRole)
        line.add("\(isNarrow ? "Slow" : "Slow Consumers"): ", self.valueRole)
        let isGrowing = self.snapshot.history.values(\.slowConsumers, last: 60).contains { ($0 ?? 0) > 0 }
        line.add(String(server.slowConsumers), isGrowing ? .slow : self.valueRole)
        self.drawSparks([("cpu", \.cpu), ("mem", \.memory)], on: &line)
        self.add(line)
    }

    private mutating func drawTraffic() {
        let counters = self.snapshot.server.counters
        let rates = self.snapshot.rates
        self.drawTraffic(
            "  In:   ",
            (counters.inMessages, counters.inBytes, rates.inMessages, rates.inBytes),
            sparks: [("msg", \.rates.inMessages), ("byt", \.rates.inBytes)]
        )
        self.drawTraffic(
            "  Out:  ",
            (counters.outMessages, counters.outBytes, rates.outMessages, rates.outBytes),
            sparks: [("msg", \.rates.outMessages), ("byt", \.rates.outBytes)]
        )
    }

    private mutating func drawTraffic(
        _ label: String,
        _ figures: (messages: UInt64, bytes: UInt64, messageRate: Double, byteRate: Double),
        sparks: [(String, KeyPath<History.Point, Double>)]
    ) {
        let isRaw = self.model.settings.isRaw
        let messages = Quantity.count(figures.messages, isRaw: isRaw)
        let bytes = Quantity.bytes(figures.bytes, isRaw: isRaw)
        let messageRate = Quantity.countRate(figures.messageRate)
        let byteRate = Quantity.byteRate(figures.byteRate, isRaw: isRaw)
        var line = self.builder()
        line.add(label, .label)
        if self.size.columns >= 66 {
            line.add(
                "Msgs: \(messages)  Bytes: \(bytes)  Msgs/Sec: \(messageRate)  Bytes/Sec: \(byteRate)",
                self.valueRole
            )
        } else {
            line.add("\(messages) \(bytes)  \(messageRate)/s \(byteRate)/s", self.valueRole)
        }
        self.drawSparks(sparks, on: &line)
        self.add(line)
    }

    /// Where the header leaves room, the last values beside it, in the same places on each line.
    private func drawSparks(_ sparks: [(String, KeyPath<History.Point, Double>)], on line: inout LineBuilder) {
        let start = 84
        let width = (self.size.columns - start) / 2 - 6
        guard width >= 8, line.column < start else { return }
        for (index, (label, value)) in sparks.enumerated() {
            line.pad(to: start + index * (width + 6))
            line.add("\(label) ", .label)
            let values = self.snapshot.history.values(value, last: width)
            let text = Sparkline.lines(values, width: width, height: 1, glyphs: self.glyphs).first ?? ""
            line.add(text, .graph)
        }
    }

    private mutating func drawPromptLine() {
        var line = self.builder()
        self.drawPrompt(on: &line)
        if self.model.prompt == nil {
            if let notice = self.model.notice {
                line.add(notice, .notice)
            } else {
                line.add(self.problem, .problem)
            }
        }
        self.add(line)
    }

    private mutating func drawPrompt(on line: inout LineBuilder) {
        guard let prompt = self.model.prompt else { return }
        line.add(prompt.label, .prompt)
        // The end of a long text is where it is typed.
        var text = prompt.text[...]
        while !text.isEmpty, DisplayWidth.of(String(text)) > line.room - 1 { text.removeFirst() }
        line.add(String(text), .plain)
        self.cursor = (self.lines.count, min(line.column, self.size.columns - 1))
    }

    // MARK: Title and footer

    private mutating func drawTitle(_ plan: ColumnPlan?) {
        var line = self.builder()
        if self.geometry.header == .compact, self.model.prompt != nil {
            self.drawPrompt(on: &line)
            return self.add(line)
        }
        if self.geometry.header == .compact, let notice = self.model.notice { line.add("\(notice)  ", .notice) }
        if self.model.isPaused { line.add("PAUSED  ", .notice) }
        line.add(self.model.title, .title)
        if let plan {
            let state = self.model.state
            if self.model.rows.count < self.model.rowCount || !self.model.settings.filter.isEmpty {
                line.add("  Shown: \(self.model.rows.count)", .plain)
                line.add("  Filter: \(self.model.settings.filter.text)", .notice)
            }
            var facts = ["  Sort: \(state.sort.rawValue) \(state.isDescending ? "down" : "up")"]
            if self.model.rows.count > self.geometry.bodyHeight { facts.append("  Row: \(state.index + 1)") }
            if plan.hidesRight || state.columnOffset > 0 {
                facts.append("  Columns: \(plan.places.count) of \(self.model.columns.count)")
            }
            for fact in facts where fact.utf8.count <= line.room { line.add(fact, .footer) }
        }
        self.add(line)
    }

    private mutating func drawFooter() {
        var line = self.builder()
        for view in View.allCases {
            line.add(" \(view.rawValue) \(self.footerTitle(view))", view == self.model.view ? .currentView : .footer)
        }
        line.add(self.isFooterShort ? "  ? help" : "  ? help  q quit", .footer)
        self.add(line)
    }

    private var isFooterShort: Bool { self.size.columns < 116 }

    private func footerTitle(_ view: View) -> String {
        guard self.isFooterShort else { return view.title }
        return switch view {
        case .connections: "Conns"
        case .accounts: "Accts"
        case .subscriptions: "Subs"
        case .server: "Srv"
        case .jetStream: "JS"
        default: view.title
        }
    }

    // MARK: Help

    private mutating func drawHelp() {
        let lines = Details.help(self.model.view)
        self.drawDetails(lines, offset: self.model.helpOffset, height: self.size.rows)
    }
}
