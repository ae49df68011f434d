import Testing

@testable import NATSServerCore

@Suite("connection_rate_limit")
struct ConnectionRateLimitTests {
    private static let second: UInt64 = 1_000_000_000

    @Test("so many are let through per window, and the others are counted", arguments: 1...4)
    func windows(limit: Int) {
        var rate = ConnectionRateLimit(limit: limit)
        for window in UInt64(1)...3 {
            // The first after the end of a window opens the next one.
            let start = window * (Self.second + 1)
            let allowed = (0..<6).map { rate.allow(now: start + $0) }
            #expect(allowed == (0..<6).map { $0 < limit })
            let isAllowedAtTheEnd = rate.allow(now: start + Self.second)
            #expect(!isAllowedAtTheEnd)
            let rejected = [rate.takeRejected(), rate.takeRejected()]
            #expect(rejected == [7 - limit, 0])
        }
    }

    @Test("a window begins with a connection, not with the clock")
    func idle() {
        var rate = ConnectionRateLimit(limit: 2)
        let late = 90 * Self.second + 7
        let allowed = [0, 1, 2, Self.second, Self.second + 1].map { rate.allow(now: late + $0) }
        #expect(allowed == [true, true, false, false, true])
    }
}
