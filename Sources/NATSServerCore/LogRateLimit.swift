import NIOCore

/// Which of the lines that many connections can cause at once are due again.
///
/// nats-server log.go RateLimitErrorf: a text, without the connection that it is about, appears once and is then left out
/// for a second. The texts are the server's own, so there are only a few.
struct LogRateLimit: Sendable {
    private static let period: TimeAmount = .seconds(1)

    private var last: [String: NIODeadline] = [:]

    mutating func allows(_ text: String, now: NIODeadline) -> Bool {
        if let last = self.last[text], now - last < Self.period { return false }
        self.last[text] = now
        return true
    }
}
