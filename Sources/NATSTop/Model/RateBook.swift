/// The last counters of each row, and how fast they grew.
struct RateBook: Sendable, Equatable {
    private struct Entry: Sendable, Equatable {
        var life: String
        var counters: Counters
        var pending: UInt64
        var stalls: UInt64
    }

    private var entries: [Row.ID: Entry] = [:]
    private var moment: Moment?

    /// Fills in the rates of new rows, and marks those that are slow or idle.
    ///
    /// - Parameters:
    ///   - rows: As they came.
    ///   - moment: When they were counted.
    ///   - slowBytes: Pending bytes from which on a client is slow.
    ///   - idleSeconds: From which on a client is idle.
    mutating func take(_ rows: inout [Row], at moment: Moment, slowBytes: UInt64, idleSeconds: Double) {
        let seconds = self.moment.flatMap { moment.seconds(since: $0) }
        var entries: [Row.ID: Entry] = [:]
        entries.reserveCapacity(rows.count)
        for index in rows.indices {
            let row = rows[index]
            let old = self.entries[row.id].flatMap { $0.life == row.life ? $0 : nil }
            if let old, let seconds {
                rows[index].rates = Rates(from: old.counters, to: row.counters, seconds: seconds)
            }
            var entry = Entry(life: row.life, counters: row.counters, pending: 0, stalls: 0)
            if case .connection(let connection) = row.content {
                entry.pending = connection.pending
                entry.stalls = connection.stalls
                let isStuck = old.map { $0.pending > 0 && connection.pending >= $0.pending } ?? false
                let hasStalled = old.map { connection.stalls > $0.stalls } ?? false
                if connection.pending >= slowBytes || isStuck || hasStalled {
                    rows[index].mark = .slow
                } else if (Duration.seconds(ofText: connection.idle) ?? 0) >= idleSeconds {
                    rows[index].mark = .idle
                }
            }
            entries[row.id] = entry
        }
        self.entries = entries
        self.moment = moment
    }

    /// The next rows begin anew.
    mutating func forget() {
        self = RateBook()
    }
}
