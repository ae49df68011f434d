/// When something was counted, by two clocks.
struct Moment: Sendable, Equatable {
    /// By the server's clock.
    var server: Duration?
    /// By ours, which never jumps.
    var local: Duration

    init(serverTime: String, local: Duration) {
        self.server = ServerTime(serverTime)?.duration
        self.local = local
    }

    /// Seconds since an earlier moment; nil if none can have passed.
    ///
    /// The server's clock knows when it counted; it is not believed when it disagrees much with ours, having been set.
    func seconds(since old: Moment) -> Double? {
        let local = (self.local - old.local).seconds
        guard local > 0 else { return nil }
        guard let new = self.server, let old = old.server else { return local }
        let server = (new - old).seconds
        return server > 0.001 && abs(server - local) <= max(1, local / 2) ? server : local
    }
}

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

/// The server's figures of the last minutes.
package struct History: Sendable, Equatable {
    /// Fifteen minutes of one sample a second.
    package static let capacity = 900

    package struct Point: Sendable, Equatable {
        package var rates = Rates()
        package var cpu = 0.0
        package var memory = 0.0
        /// New ones since the point before.
        package var slowConsumers = 0.0
        package var connections = 0.0
    }

    /// Oldest first; nil where the server was not reached.
    package private(set) var points: [Point?] = []

    mutating func append(_ point: Point?) {
        self.points.append(point)
        // Seldom and many at once: removing the first one each time would move all.
        if self.points.count >= 2 * Self.capacity { self.points.removeFirst(Self.capacity) }
    }

    /// The last `count` values, oldest first.
    package func values(_ value: KeyPath<Point, Double>, last count: Int) -> [Double?] {
        self.points.suffix(min(count, Self.capacity)).map { $0.map { $0[keyPath: value] } }
    }
}
