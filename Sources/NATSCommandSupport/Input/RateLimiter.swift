/// A token bucket: so many messages a second, with bursts of a fiftieth of a second's worth.
///
/// Pure: the time is given.
package struct RateLimiter: Sendable {
    private let rate: Double
    private let burst: Double
    private var tokens: Double
    private var last: ContinuousClock.Instant

    /// - Parameters:
    ///   - rate: Messages in a second, greater than zero.
    ///   - now: When the bucket is full.
    package init(rate: Double, now: ContinuousClock.Instant) {
        self.rate = rate
        self.burst = max(1, rate / 50)
        self.tokens = self.burst
        self.last = now
    }

    /// Takes a token.
    ///
    /// - Returns: How long to wait before the message is sent.
    package mutating func take(now: ContinuousClock.Instant) -> Duration {
        let elapsed = (now - self.last).components
        self.last = now
        let seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
        self.tokens = min(self.burst, self.tokens + seconds * self.rate) - 1
        guard self.tokens < 0 else { return .zero }
        // A rate near zero: longer than anybody lives, and still a number of nanoseconds.
        return .nanoseconds(Int64(min(-self.tokens / self.rate * 1e9, 9e18)))
    }
}
