import NATSTestSupport
import Testing

@testable import NATSServerCore

@Suite struct LameDuckPlanTests {
    private func plan(_ duration: Duration, _ grace: Duration, _ clients: Int) -> LameDuckPlan {
        LameDuckPlan(duration: duration, gracePeriod: grace, clients: clients)
    }

    @Test("the time that is left after the grace period is spread over the clients")
    func spread() {
        #expect(self.plan(.seconds(120), .seconds(10), 1100).gap == 100_000_000)
        #expect(self.plan(.seconds(120), .seconds(10), 1100).batch == 1)
    }

    @Test("no client waits longer than a second after the one before")
    func longest() {
        #expect(self.plan(.seconds(120), .seconds(10), 3).gap == 1_000_000_000)
        #expect(self.plan(.seconds(120), .seconds(10), 0).gap == 1_000_000_000)
    }

    @Test("no time left counts as a second")
    func noTime() {
        #expect(self.plan(.seconds(1), .seconds(5), 10).gap == 100_000_000)
    }

    @Test("more clients than nanoseconds are closed in batches")
    func batches() {
        let plan = self.plan(.nanoseconds(15), .nanoseconds(5), 100)
        #expect(plan.gap == 1)
        #expect(plan.batch == 10)
        var generator = SeededGenerator(seed: 1)
        #expect(plan.pause(after: 1, using: &generator) == nil)
        #expect(plan.pause(after: 10, using: &generator) != nil)
    }

    @Test("pauses are random, from half the gap up to all of it")
    func pauses() {
        let plan = self.plan(.seconds(12), .seconds(2), 10)
        var generator = SeededGenerator(seed: 7)
        let pauses = (0..<1000).compactMap { plan.pause(after: $0, using: &generator) }
        #expect(pauses.count == 1000)
        #expect(pauses.allSatisfy { $0 >= plan.gap / 2 && $0 < plan.gap })
        #expect(Set(pauses).count > 100)
    }
}
