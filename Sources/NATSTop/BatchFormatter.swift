import NATSWire

/// Snapshots for files and logs, without anything that a terminal obeys.
package struct BatchFormatter: Sendable, Equatable {
    package enum Format: Sendable, Equatable {
        /// The grid of the original's `-o`.
        case grid
        /// The original's `-l`: fields with the delimiter between them, nothing quoted.
        case delimited(String)
        /// The grid behind a line with the time, and an empty line behind it.
        case log
        /// One object a line.
        case json
    }

    package var format: Format

    package init(format: Format) {
        self.format = format
    }

    /// Prints a snapshot.
    ///
    /// - Parameters:
    ///   - model: Its rows, in their order and with its filter.
    ///   - time: When it was taken, as it is printed; only logs and JSON show it.
    /// - Returns: The snapshot in this format, with the line end.
    package func text(_ model: Model, time: String) -> String {
        switch self.format {
        case .grid: return Self.grid(model).joined(separator: "\n") + "\n"
        case .delimited(let delimiter): return Self.delimited(model, delimiter).joined(separator: "\n") + "\n"
        case .log:
            guard self.hasRows(model) else { return "\(time) \(Self.stateText(model))\n" }
            let lines = ["\(time) \(Self.stateText(model))"] + Self.grid(model).map { Self.trimmed($0) }
            return lines.joined(separator: "\n") + "\n\n"
        case .json: return String(decoding: Self.json(model, time: time), as: UTF8.self) + "\n"
        }
    }

    /// Whether there is something to show: the values of a server that does not answer are old, those of the others are not.
    private func hasRows(_ model: Model) -> Bool {
        model.snapshot.link == .up || model.view == .cluster
    }

    private static func problem(_ model: Model) -> String {
        if case .lost(_, let problem) = model.snapshot.link { return problem }
        return model.snapshot.problem
    }

    private static func stateText(_ model: Model) -> String {
        switch model.snapshot.link {
        case .connecting: "connecting"
        case .up: model.snapshot.problem.isEmpty ? "up" : "up, \(model.snapshot.problem)"
        case .lost(_, let problem): "lost: \(problem)"
        }
    }

    private static func trimmed(_ line: String) -> String {
        var line = line
        while line.last == " " { line.removeLast() }
        return line
    }

    // MARK: Grid

    private struct Figures {
        let load: (cpu: String, memory: String, slow: String)
        let incoming: [String]
        let outgoing: [String]

        init(_ model: Model) {
            let server = model.snapshot.server
            let rates = model.snapshot.rates
            let isRaw = model.settings.isRaw
            self.load = (
                "\(Quantity.oneDecimal(server.cpu))%", Quantity.bytes(server.memory), String(server.slowConsumers)
            )
            self.incoming = [
                Quantity.count(server.counters.inMessages, isRaw: isRaw),
                Quantity.bytes(server.counters.inBytes, isRaw: isRaw),
                Quantity.countRate(rates.inMessages), Quantity.byteRate(rates.inBytes, isRaw: isRaw),
            ]
            self.outgoing = [
                Quantity.count(server.counters.outMessages, isRaw: isRaw),
                Quantity.bytes(server.counters.outBytes, isRaw: isRaw),
                Quantity.countRate(rates.outMessages), Quantity.byteRate(rates.outBytes, isRaw: isRaw),
            ]
        }
    }

    private static let trafficLabels = ["Msgs: ", "Bytes: ", "Msgs/Sec: ", "Bytes/Sec: "]

    private static func grid(_ model: Model) -> [String] {
        let server = model.snapshot.server
        let figures = Figures(model)
        func traffic(_ values: [String]) -> String {
            zip(self.trafficLabels, values).map { $0 + $1 }.joined(separator: "  ")
        }
        var lines = [
            "NATS server version \(server.version) (uptime: \(server.uptime)) \(self.problem(model))",
            "Server: \(server.name)",
            "  ID:   \(server.id)",
            "  Load: CPU:  \(figures.load.cpu)  Memory: \(figures.load.memory)  Slow Consumers: \(figures.load.slow)",
            "  In:   \(traffic(figures.incoming))",
            "  Out:  \(traffic(figures.outgoing))",
            "",
            model.title,
        ]
        let columns = model.columns
        let state = model.state
        let style = model.numberStyle
        let showsRates = model.settings.showsRates
        let widths = columns.map { column in
            switch column {
            case .host: return state.hostWidth
            case .cid: return column.fullWidth - 1
            case .name: return model.view == .connections ? state.nameWidth - 1 : max(state.nameWidth, 4)
            case .subscriptions: return 0
            default:
                let title = column.title(showsRates: showsRates).utf8.count
                guard column.fullWidth < title else { return column.fullWidth }
                return model.rows.reduce(title) { max($0, DisplayWidth.of($1.text(column, style: style))) }
            }
        }
        func line(_ text: (Column) -> String) -> String {
            let cells = zip(columns, widths).map { column, width in
                let value = text(column)
                return value + String(repeating: " ", count: max(0, width - DisplayWidth.of(value)))
            }
            return "  " + cells.joined(separator: "  ")
        }
        lines.append(line { $0.title(showsRates: showsRates) })
        for row in model.rows { lines.append(line { row.text($0, style: style) }) }
        return lines
    }

    // MARK: Delimiters

    private static func delimited(_ model: Model, _ delimiter: String) -> [String] {
        let server = model.snapshot.server
        let figures = Figures(model)
        func joined(_ fields: [String]) -> String { fields.joined(separator: delimiter) }
        func traffic(_ label: String, _ values: [String]) -> String {
            joined([label] + zip(self.trafficLabels, values).flatMap { [self.trimmed($0), $1] })
        }
        var columns = model.columns
        if !columns.contains(.name), let place = columns.firstIndex(of: .cid) { columns.insert(.name, at: place + 1) }
        let style = model.numberStyle
        var lines = [
            joined(["NATS server version", server.version, "(uptime: \(server.uptime))", self.problem(model)]),
            "Server:",
            joined([
                "Load:", "CPU:", figures.load.cpu, "Memory:", figures.load.memory, "Slow Consumers:", figures.load.slow,
            ]),
            traffic("In:", figures.incoming),
            traffic("Out:", figures.outgoing),
            "",
            joined(["\(model.view.heading):", String(model.rowCount)]),
            joined(columns.map { $0.title(showsRates: model.settings.showsRates) }),
        ]
        for row in model.rows {
            lines.append(
                joined(
                    columns.map { column in
                        if column == .subscriptions, case .connection(let connection) = row.content {
                            return connection.subjects.joined(separator: "  ")
                        }
                        return row.text(column, style: style)
                    }
                )
            )
        }
        return lines
    }

    // MARK: JSON

    private static func json(_ model: Model, time: String) -> [UInt8] {
        var writer = JSONDocumentWriter(indentation: nil)
        let snapshot = model.snapshot
        writer.object { writer in
            writer.write("time", time)
            switch snapshot.link {
            case .connecting: writer.write("state", "connecting")
            case .up: writer.write("state", "up")
            case .lost: writer.write("state", "lost")
            }
            writer.writeUnlessEmpty("error", self.problem(model))
            // The values of a server that does not answer are old.
            guard snapshot.link == .up || model.view == .cluster else { return }
            if snapshot.link == .up { writer.object("server") { self.write(snapshot, to: &$0) } }
            writer.write("view", model.view.title.lowercased())
            writer.array("rows") { writer in
                for row in model.rows { self.write(row, to: &writer) }
            }
        }
        return writer.bytes
    }

    private static func write(_ snapshot: Snapshot, to writer: inout JSONDocumentWriter) {
        let server = snapshot.server
        writer.write("id", server.id)
        writer.writeUnlessEmpty("name", server.name)
        writer.write("version", server.version)
        writer.write("now", server.now)
        writer.write("uptime", server.uptime)
        writer.write("cpu", number: server.cpu)
        writer.write("mem", server.memory)
        writer.write("slow_consumers", server.slowConsumers)
        writer.write("connections", server.connections)
        writer.write("total_connections", server.totalConnections)
        writer.write("subscriptions", server.subscriptions)
        writer.write("restarts", snapshot.restarts)
        self.write(server.counters, snapshot.rates, to: &writer)
    }

    private static func write(_ counters: Counters, _ rates: Rates, to writer: inout JSONDocumentWriter) {
        writer.write("in_msgs", counters.inMessages)
        writer.write("in_bytes", counters.inBytes)
        writer.write("out_msgs", counters.outMessages)
        writer.write("out_bytes", counters.outBytes)
        writer.write("in_msgs_per_second", number: rates.inMessages)
        writer.write("in_bytes_per_second", number: rates.inBytes)
        writer.write("out_msgs_per_second", number: rates.outMessages)
        writer.write("out_bytes_per_second", number: rates.outBytes)
    }

    private static func write(_ server: ClusterServer, to writer: inout JSONDocumentWriter) {
        let status = server.status
        writer.writeUnlessEmpty("id", status.id)
        writer.writeUnlessEmpty("name", status.name)
        writer.writeUnlessEmpty("address", server.address)
        writer.write("state", server.state.rawValue)
        writer.writeUnlessEmpty("error", server.problem)
        guard server.isUp else { return }
        writer.write("version", status.version)
        writer.write("uptime", status.uptime)
        writer.write("cpu", number: status.cpu)
        writer.write("mem", status.memory)
        writer.write("connections", status.connections)
        writer.write("subscriptions", status.subscriptions)
        writer.write("slow_consumers", status.slowConsumers)
        writer.write("routes", status.routes)
    }

    private static func write(_ row: Row, to writer: inout JSONDocumentWriter) {
        writer.object { writer in
            switch row.content {
            case .connection(let connection):
                writer.write("cid", connection.id)
                writer.writeUnlessEmpty("kind", connection.kind)
                writer.write("ip", connection.ip)
                writer.write("port", connection.port)
                writer.writeUnlessEmpty("name", connection.name)
                writer.writeUnlessEmpty("lang", connection.lang)
                writer.writeUnlessEmpty("version", connection.version)
                writer.writeUnlessEmpty("account", connection.account)
                writer.writeUnlessEmpty("user", connection.user)
                writer.write("subscriptions", connection.subscriptionCount)
                writer.write("pending_bytes", connection.pending)
                writer.writeUnlessEmpty("rtt", connection.rtt)
                writer.writeUnlessEmpty("uptime", connection.uptime)
                writer.writeUnlessEmpty("idle", connection.idle)
                writer.writeUnlessEmpty("last_activity", connection.lastActivity)
                writer.writeUnlessEmpty("stop", connection.stop)
                writer.writeUnlessEmpty("reason", connection.reason)
                writer.writeUnlessEmpty("subscriptions_list", connection.subjects)
            case .account(let account):
                writer.write("account", account.name)
                writer.write("connections", account.connections)
                writer.write("leafnodes", account.leafNodes)
                writer.write("subscriptions", account.subscriptionCount)
                writer.write("slow_consumers", account.slowConsumers)
            case .subscription(let subscription):
                writer.write("subject", subscription.subject)
                writer.writeUnlessEmpty("queue", subscription.queueGroup)
                writer.write("sid", subscription.sid)
            case .server(let server): self.write(server, to: &writer)
            }
            switch row.mark {
            case .lost?: writer.write("mark", "lost")
            case .slow?: writer.write("mark", "slow")
            case .idle?: writer.write("mark", "idle")
            case .withoutPages?, nil: break
            }
            if row.hasFigures { self.write(row.counters, row.rates, to: &writer) }
        }
    }
}
