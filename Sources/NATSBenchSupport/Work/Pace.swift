/// How fast one sender may send.
///
/// Pure: the clock is an argument.
package struct Pace: Sendable, Equatable {
    /// Shorter pauses than this are saved up: no timer is that exact.
    private static let shortestPause: UInt64 = 1_000_000

    private enum Rule: Sendable, Equatable {
        case none
        /// After each message.
        case pause(UInt64)
        case rate(Double)
    }

    private let rule: Rule
    /// The clock is asked once in so many messages.
    private let interval: Int

    /// As fast as it goes.
    package static let unlimited = Pace(rule: .none, interval: .max)

    private init(rule: Rule, interval: Int) {
        self.rule = rule
        self.interval = interval
    }

    /// A pause after each message.
    package init(pause nanoseconds: UInt64) {
        self.init(rule: nanoseconds > 0 ? .pause(nanoseconds) : .none, interval: nanoseconds > 0 ? 1 : .max)
    }

    /// So many messages per second.
    package init(rate: Double) {
        self.init(rule: .rate(max(rate, 1e-9)), interval: max(1, Int(min(rate / 1000, 1e6))))
    }

    /// Whether ``pause(after:start:now:)`` is to be asked after so many messages.
    @inline(__always)
    package func isDue(after sent: Int) -> Bool {
        self.interval == 1 || (self.interval != .max && sent % self.interval == 0)
    }

    /// How long to wait before the next message, in nanoseconds.
    package func pause(after sent: Int, start: UInt64, now: UInt64) -> UInt64 {
        switch self.rule {
        case .none:
            return 0
        case .pause(let nanoseconds):
            return nanoseconds
        case .rate(let rate):
            let due = Double(sent) / rate * 1e9
            let elapsed = Double(now >= start ? now - start : 0)
            let wait = due - elapsed
            guard wait >= Double(Self.shortestPause) else { return 0 }
            return wait < 1e18 ? UInt64(wait) : 1_000_000_000_000_000_000
        }
    }
}
