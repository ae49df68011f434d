import Testing

@testable import NATSCommandSupport

@Suite("How long a stream is waited for")
struct StreamPatienceTests {
    private let start = ContinuousClock.now

    private func rest(_ patience: inout StreamPatience, outages: UInt64, after seconds: Int) -> Duration? {
        patience.rest(outages: outages, now: self.start + .seconds(seconds))
    }

    @Test("without an outage it is not waited for")
    func noOutage() {
        var patience = StreamPatience()
        #expect(self.rest(&patience, outages: 0, after: 0) == nil)
        patience.answered(outages: 2)
        #expect(self.rest(&patience, outages: 2, after: 1) == nil)
    }

    @Test("after an outage it is waited for half a minute, and no longer")
    func halfAMinute() {
        var patience = StreamPatience()
        #expect(self.rest(&patience, outages: 1, after: 0) == .seconds(30))
        #expect(self.rest(&patience, outages: 1, after: 10) == .seconds(20))
        #expect(self.rest(&patience, outages: 1, after: 30) == nil)
        #expect(self.rest(&patience, outages: 1, after: 31) == nil)
    }

    @Test("each outage gives it half a minute more, until it has answered")
    func anotherOutage() {
        var patience = StreamPatience()
        #expect(self.rest(&patience, outages: 1, after: 0) == .seconds(30))
        #expect(self.rest(&patience, outages: 2, after: 25) == .seconds(30))
        patience.answered(outages: 2)
        #expect(self.rest(&patience, outages: 2, after: 26) == nil)
        #expect(self.rest(&patience, outages: 3, after: 27) == .seconds(30))
    }
}
