/// Figures about the subscriptions of an account and its cached match results.
struct SublistStatistics: Sendable, Equatable {
    var subscriptions = 0
    var inserts = 0
    var removes = 0
    /// Match results kept by all event loops.
    var cached = 0
    /// How often a result was looked for, and how often there was none.
    var lookUps = 0
    var misses = 0
    /// Subscriptions in the largest result, and in all of them; a queue group counts once.
    var largestFanout = 0
    var totalFanout = 0

    var hitRate: Double {
        self.lookUps > 0 ? Double(max(0, self.lookUps - self.misses)) / Double(self.lookUps) : 0
    }

    var averageFanout: Double { self.cached > 0 ? Double(self.totalFanout) / Double(self.cached) : 0 }

    static func += (left: inout Self, right: Self) {
        left.subscriptions += right.subscriptions
        left.inserts += right.inserts
        left.removes += right.removes
        left.cached += right.cached
        left.lookUps += right.lookUps
        left.misses += right.misses
        left.largestFanout = max(left.largestFanout, right.largestFanout)
        left.totalFanout += right.totalFanout
    }
}
