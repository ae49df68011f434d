import Testing

@testable import NATSClient

@Suite struct RequestManyStateMachineTests {
    private func machine(stall: Duration? = nil, maximum: Int? = nil) -> RequestManyStateMachine {
        RequestManyStateMachine(total: .seconds(10), stall: stall, maximum: maximum)
    }

    @Test("the time for all is used up by waiting, not by the consumer")
    func total() {
        var machine = self.machine()
        #expect(machine.next() == .wait(.seconds(10)))
        let first = machine.received(after: .seconds(4))
        #expect(first && machine.next() == .wait(.seconds(6)))
        let second = machine.received(after: .seconds(5))
        #expect(second && machine.next() == .wait(.seconds(1)))
        machine.timedOut(after: .seconds(1))
        #expect(machine.next() == .end(.timeout))
        let late = machine.received(after: .zero)
        #expect(!late && machine.endReason == .timeout)
    }

    @Test("a stall counts from the first reply on, and never beyond the time for all")
    func stall() {
        var machine = self.machine(stall: .seconds(2))
        #expect(machine.next() == .wait(.seconds(10)))
        _ = machine.received(after: .seconds(7))
        #expect(machine.next() == .wait(.seconds(2)))
        _ = machine.received(after: .seconds(2))
        #expect(machine.next() == .wait(.seconds(1)))
        machine.timedOut(after: .seconds(1))
        #expect(machine.endReason == .timeout)

        var stalled = self.machine(stall: .seconds(2))
        _ = stalled.received(after: .seconds(1))
        stalled.timedOut(after: .seconds(2))
        #expect(stalled.endReason == .stall)

        var silent = self.machine(stall: .seconds(2))
        silent.timedOut(after: .seconds(10))
        #expect(silent.endReason == .timeout)
    }

    @Test(
        "a stall that is too short or too long is none",
        arguments: [Duration.microseconds(999), .seconds(10), .seconds(11)]
    )
    func noStall(_ stall: Duration) {
        var machine = self.machine(stall: stall)
        _ = machine.received(after: .seconds(1))
        #expect(machine.next() == .wait(.seconds(9)))
    }

    @Test("as many as wanted, a sentinel, no responders: each is an end")
    func ends() {
        var full = self.machine(maximum: 2)
        let first = full.received(after: .zero)
        #expect(first && full.endReason == nil)
        let second = full.received(after: .zero)
        #expect(second && full.next() == .end(.maximum))

        var sentinel = self.machine(maximum: 2)
        let sign = sentinel.received(after: .zero, isSentinel: true)
        #expect(!sign && sentinel.next() == .end(.sentinel))

        var nobody = self.machine()
        let status = nobody.received(after: .zero, status: 503, isSentinel: true)
        #expect(!status && nobody.next() == .end(.noResponders))
        nobody.finish(.closed)
        #expect(nobody.endReason == .noResponders)
    }
}
