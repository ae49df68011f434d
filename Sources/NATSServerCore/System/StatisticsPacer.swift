import NIOCore

/// When a server tells its figures unasked: soon after the start, then less and less often (nats-server events.go
/// startStatszTimer, heartbeatStatsz, limitStatsz).
struct StatisticsPacer {
    static let firstInterval: TimeAmount = .milliseconds(250)
    private static let longestInterval: TimeAmount = .seconds(10)
    /// Between two messages, unless they come by themselves more often.
    private static let shortestPause: TimeAmount = .seconds(1)

    private(set) var interval = Self.firstInterval
    private var last: NIODeadline?

    /// The timer has gone off; the next time is after ``interval``.
    mutating func beat() {
        self.interval = min(Self.longestInterval, .nanoseconds(self.interval.nanoseconds * 2))
    }

    /// Whether a message may go out now, which then counts as sent.
    ///
    /// - Returns: when to try again if not.
    mutating func limit(now: NIODeadline) -> NIODeadline? {
        let pause = min(self.interval, Self.shortestPause)
        if let last = self.last, now - last < pause { return last + pause }
        self.last = now
        return nil
    }

    /// Somebody has asked: the next message may go out at once.
    mutating func forgive() { self.last = nil }
}
