/// How many TLS handshakes may begin per second (`connection_rate_limit`).
///
/// nats-server rate_counter.go: windows of a second begin with the first connection after the last one's end; the one that
/// opens a window is counted from zero, so a limit of 1 lets one through per window.
struct ConnectionRateLimit: Sendable {
    private static let window: UInt64 = 1_000_000_000

    private let limit: Int
    private var count = 0
    private var windowEnd: UInt64 = 0
    private var rejected = 0

    /// A limiter.
    ///
    /// - Parameter limit: Connections per second.
    init(limit: Int) { self.limit = limit }

    /// Whether a connection that arrives now, in nanoseconds of a monotonic clock, may go on.
    mutating func allow(now: UInt64) -> Bool {
        if now > self.windowEnd {
            self.count = 0
            self.windowEnd = now &+ Self.window
        } else {
            self.count += 1
        }
        guard self.count < self.limit else {
            self.rejected += 1
            return false
        }
        return true
    }

    /// How many were turned away since the last call, for the log line of each second.
    mutating func takeRejected() -> Int {
        defer { self.rejected = 0 }
        return self.rejected
    }
}
