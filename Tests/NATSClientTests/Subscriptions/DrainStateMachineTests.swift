import Testing

@testable import NATSClient

@Suite struct DrainStateMachineTests {
    @Test("subscriptions, requests, publishes, end")
    func order() {
        var machine = DrainStateMachine()
        #expect(!machine.isDraining)
        #expect(machine.start() == .unsubscribeAndFlush)
        #expect(machine.start() == .none)
        #expect(machine.consumersAreDone() == .none)
        #expect(machine.flushed() == .awaitConsumers)
        #expect(machine.flushed() == .none)
        #expect(machine.requestsAreDone() == .none)
        #expect(machine.consumersAreDone() == .awaitRequests)
        #expect(machine.requestsAreDone() == .refusePublishesAndFlush)
        #expect(machine.flushed() == .close(nil))
        #expect(machine.deadlinePassed() == .none)
        #expect(machine.isDraining)
    }

    @Test("after the deadline what is buffered still goes out, then it ends with an error")
    func deadline() {
        var machine = DrainStateMachine()
        #expect(machine.deadlinePassed() == .none)
        _ = machine.start()
        _ = machine.flushed()
        #expect(machine.deadlinePassed() == .refusePublishesAndFlush)
        #expect(machine.flushed() == .close(.drainTimeout))
        var stuck = DrainStateMachine()
        _ = stuck.start()
        #expect(stuck.deadlinePassed() == .refusePublishesAndFlush)
        #expect(stuck.deadlinePassed() == .close(.drainTimeout))
    }

    @Test("a lost connection ends it")
    func lost() {
        var machine = DrainStateMachine()
        #expect(machine.connectionLost() == .none)
        _ = machine.start()
        #expect(machine.connectionLost() == .close(.disconnected))
        #expect(machine.connectionLost() == .none)
    }
}
