import NIOCore

/// Which of the lines that many connections can cause at once are due again.
///
/// nats-server log.go RateLimitErrorf: a text, without the connection that it is about, appears once and is then left out
/// for a second. The texts are the server's own, with the names of accounts in them.
struct LogRateLimit: Sendable {
    private static let period: TimeAmount = .seconds(1)
    /// So many may stay when their time is over.
    private static let keptCount = 256

    private var last: [String: NIODeadline] = [:]
    private var nextPurge: NIODeadline = .uptimeNanoseconds(0)

    /// How many texts are known; for tests.
    var count: Int { self.last.count }

    mutating func allows(_ text: String, now: NIODeadline) -> Bool {
        if let last = self.last[text], now - last < Self.period { return false }
        if self.last.count >= Self.keptCount, now >= self.nextPurge {
            self.nextPurge = now + Self.period
            self.last = self.last.filter { now - $0.value < Self.period }
        }
        self.last[text] = now
        return true
    }
}
