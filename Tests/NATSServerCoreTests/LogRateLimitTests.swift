import NIOCore
import Testing

@testable import NATSServerCore

@Suite struct LogRateLimitTests {
    @Test("each text appears once in a second")
    func period() {
        var limit = LogRateLimit()
        let start = NIODeadline.uptimeNanoseconds(5_000_000_000)
        let asked: [(text: String, milliseconds: Int64, isAllowed: Bool)] = [
            ("a", 0, true), ("a", 999, false), ("b", 999, true), ("a", 1000, true), ("a", 1999, false),
            ("b", 1998, false), ("b", 1999, true), ("a", 2000, true),
        ]
        for (text, milliseconds, isAllowed) in asked {
            let answer = limit.allows(text, now: start + .milliseconds(milliseconds))
            #expect(answer == isAllowed, "\(text) after \(milliseconds) ms")
        }
    }

    @Test("texts whose time is over do not pile up")
    func purge() {
        var limit = LogRateLimit()
        var now = NIODeadline.uptimeNanoseconds(5_000_000_000)
        for number in 0..<20_000 {
            let isAllowed = limit.allows("text of account \(number)", now: now)
            #expect(isAllowed)
            now = now + .milliseconds(10)
        }
        #expect(limit.count < 1000)
    }
}
