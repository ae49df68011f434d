/// The last figures of each server of a cluster, and how fast they grew; each server has a clock of its own.
struct ServerBook: Sendable, Equatable {
    private struct Entry: Sendable, Equatable {
        var status: ServerStatus
        var moment: Moment
        var rates: Rates
    }

    /// An answer may be of a round before, where it came late.
    private static let leastTook: Duration = .seconds(1)

    private var entries: [String: Entry] = [:]

    /// Fills in the rates of new rows, and marks those of servers that do not answer.
    mutating func take(_ rows: inout [Row], at now: Duration, took: Duration?) {
        var entries: [String: Entry] = [:]
        for index in rows.indices {
            guard case .server(let server) = rows[index].content else { continue }
            guard server.isUp else {
                rows[index].mark = server.state == .withoutPages ? .withoutPages : .lost
                entries[server.key] = self.entries[server.key]
                continue
            }
            let status = server.status
            let moment = Moment(serverTime: status.now, local: now, took: max(took ?? .zero, Self.leastTook))
            var entry = Entry(status: status, moment: moment, rates: Rates())
            if let old = self.entries[server.key], old.status.id == status.id, old.status.start == status.start {
                if old.status.now == status.now, !status.now.isEmpty {
                    // The same answer once more.
                    entry = old
                } else if let seconds = moment.seconds(since: old.moment) {
                    entry.rates = Rates(from: old.status.counters, to: status.counters, seconds: seconds)
                    if status.slowConsumers > old.status.slowConsumers { rows[index].mark = .slow }
                }
            }
            rows[index].rates = entry.rates
            entries[server.key] = entry
        }
        self.entries = entries
    }
}
