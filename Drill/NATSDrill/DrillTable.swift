/// Rows of text in columns: the first ones to the left, numbers to the right.
package struct DrillTable {
    private let header: [String]
    private let leftColumns: Int
    private var rows: [[String]] = []

    /// - Parameters:
    ///   - header: The names of the columns.
    ///   - leftColumns: How many of them hold words.
    package init(_ header: [String], leftColumns: Int) {
        self.header = header
        self.leftColumns = leftColumns
    }

    package mutating func add(_ row: [String]) { self.rows.append(row) }

    package var text: String {
        let all = [self.header] + self.rows
        let widths = self.header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            let cells = zip(row, widths).enumerated().map { column, cell in
                let blanks = String(repeating: " ", count: cell.1 - cell.0.count)
                return column < self.leftColumns ? cell.0 + blanks : blanks + cell.0
            }
            return "  " + String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed()) + "\n"
        }.joined()
    }
}

extension DrillReport {
    /// Everything but the timeline, for people: what must not lose anything first, the others apart.
    package var tables: String {
        var clients = DrillTable(["client", "migrations", "reconnects", "longest gap"], leftColumns: 1)
        for client in self.clients {
            let gap = "\(Int((client.longestGap * 1000).rounded())) ms"
            clients.add([client.name, "\(client.migrations)", "\(client.reconnects)", gap])
        }
        let ours = DrillFamily.migrating
        return [
            clients.text, "Among clients that migrate:", self.traffic { $0 == ours && $1 == ours },
            "With others, at most once:", self.traffic { $0 != ours || $1 != ours },
        ].joined(separator: "\n")
    }

    /// The messages and requests of some pairs of families.
    private func traffic(_ isIncluded: (DrillFamily, DrillFamily) -> Bool) -> String {
        var streams = DrillTable(
            ["messages", "from", "to", "expected", "lost", "duplicated", "reordered"],
            leftColumns: 3
        )
        for stream in self.streams where isIncluded(stream.from, stream.to) {
            streams.add([
                stream.kind.rawValue, stream.from.rawValue, stream.to.rawValue, "\(stream.expected)", "\(stream.lost)",
                "\(stream.duplicated)", stream.reordered.map { "\($0)" } ?? "-",
            ])
        }
        var requests = DrillTable(["requests of", "answered by", "sent", "failed", "why"], leftColumns: 2)
        for request in self.requests where isIncluded(request.from, request.to) {
            let reasons = request.reasons.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            requests.add([
                request.from.rawValue, request.to.rawValue, "\(request.sent)", "\(request.failed)",
                reasons.joined(separator: ", "),
            ])
        }
        return streams.text + "\n" + requests.text
    }
}
