import Testing

@testable import NATSClient

@Suite struct MigrationStateMachineTests {
    private let a = ServerAddress(host: "a", port: 1)
    private let b = ServerAddress(host: "b", port: 1)
    private let waits = MigrationStateMachine.Waits(
        retry: .seconds(7),
        lead: .seconds(6),
        overlap: .seconds(8),
        linger: .seconds(9)
    )

    private enum Stage: CaseIterable {
        case idle, waiting, connecting, preparing, subscribing, flushingOld, overlapping, draining, lingering
    }

    /// A machine that has come so far with servers `a` and `b` to choose from.
    private func machine(_ stage: Stage) -> MigrationStateMachine {
        var machine = MigrationStateMachine(waits: self.waits)
        let steps: [(inout MigrationStateMachine) -> [MigrationStateMachine.Action]] = [
            { $0.lameDuck(jitter: .seconds(1)) },
            { [a, b] in $0.waited(candidates: [a, b]) },
            { $0.newReady() },
            { $0.waited(candidates: []) },
            { $0.newFlushed() },
            { $0.oldFlushed() },
            { $0.waited(candidates: []) + $0.waited(candidates: []) },
            { $0.oldDrained() },
        ]
        for step in steps.prefix(Stage.allCases.firstIndex(of: stage) ?? 0) {
            #expect(!step(&machine).isEmpty)
        }
        return machine
    }

    @Test("everything goes well")
    func goodWay() {
        var machine = MigrationStateMachine(waits: self.waits)
        #expect(machine.isIdle && !machine.isBeforeSwitch)
        #expect(machine.lameDuck(jitter: .seconds(1)) == [.wait(.seconds(1))])
        // A server may say it twice.
        #expect(machine.lameDuck(jitter: .seconds(1)) == [])
        #expect(machine.waited(candidates: [self.a, self.b]) == [.connect(self.a)])
        #expect(machine.newReady() == [.watchOld, .wait(.seconds(6))])
        #expect(!machine.canPromote && machine.isBeforeSwitch)
        #expect(machine.waited(candidates: []) == [.subscribe])
        #expect(machine.canPromote && machine.isBeforeSwitch && !machine.isSwitched)
        #expect(machine.newFlushed() == [.holdWrites])
        #expect(machine.oldFlushed() == [.wait(.seconds(4)), .switchOver])
        #expect(machine.canRevert && machine.isSwitched && !machine.isBeforeSwitch && !machine.canPromote)
        #expect(machine.waited(candidates: [self.a]) == [.expectCopies, .wait(.seconds(4))])
        #expect(machine.canRevert && machine.isSwitched)
        #expect(machine.waited(candidates: [self.a]) == [.drainOld])
        #expect(!machine.canRevert && machine.isSwitched)
        #expect(machine.oldDrained() == [.finish, .wait(.seconds(9))])
        #expect(machine.waited(candidates: []) == [.end])
        #expect(machine.isIdle)
    }

    @Test("one server after the other is tried, then again after a while")
    func candidates() {
        var machine = self.machine(.connecting)
        #expect(machine.newFailed() == [.abandonNew, .connect(self.b)])
        #expect(machine.newReady() == [.watchOld, .wait(.seconds(6))])
        #expect(machine.waited(candidates: []) == [.subscribe])
        #expect(machine.newFlushed() == [.holdWrites])
        #expect(machine.newFailed() == [.abandonNew, .wait(.seconds(7))])
        #expect(machine.waited(candidates: []) == [.wait(.seconds(7))])
        #expect(machine.waited(candidates: [self.b]) == [.connect(self.b)])
    }

    @Test("the old connection is lost", arguments: 0..<9)
    func oldLost(_ index: Int) {
        let stage = Stage.allCases[index]
        var machine = self.machine(stage)
        switch stage {
        case .idle, .lingering:
            #expect(machine.oldLost() == [])
        case .waiting, .connecting, .preparing:
            #expect(machine.oldLost() == [.abandonNew, .end])
            #expect(machine.isIdle)
        case .subscribing, .flushingOld:
            #expect(machine.oldLost() == [.promote, .finish, .wait(.seconds(9))])
            #expect(machine.settled() == [.end])
        case .overlapping, .draining:
            #expect(machine.oldLost() == [.finish, .wait(.seconds(9))])
            #expect(machine.settled() == [.end])
        }
    }

    @Test("the new connection is lost after the switch", arguments: 0..<9)
    func newLost(_ index: Int) {
        let stage = Stage.allCases[index]
        var machine = self.machine(stage)
        switch stage {
        case .idle, .waiting, .connecting, .preparing, .subscribing, .flushingOld:
            #expect(machine.newLost() == [])
        case .overlapping:
            #expect(machine.newLost() == [.revert, .wait(.seconds(7))])
            #expect(machine.waited(candidates: [self.b]) == [.connect(self.b)])
        case .draining:
            #expect(machine.newLost() == [])
            #expect(machine.oldDrained() == [.finish, .wait(.seconds(9))])
        case .lingering:
            #expect(machine.newLost() == [.end])
            #expect(machine.isIdle)
        }
    }

    @Test("a stop ends it before the switch; after it the old connection is still drained", arguments: 0..<9)
    func stop(_ index: Int) {
        let stage = Stage.allCases[index]
        var machine = self.machine(stage)
        switch stage {
        case .waiting, .connecting, .preparing, .subscribing, .flushingOld:
            #expect(machine.stop() == [.abandonNew, .end])
            #expect(machine.isIdle)
        case .idle, .overlapping, .draining, .lingering:
            #expect(machine.stop() == [])
            #expect(machine.isIdle == (stage == .idle))
        }
    }

    @Test("with no room for more the overlap is hurried; the next server may be going as well")
    func hurryAndAgain() {
        var machine = self.machine(.overlapping)
        #expect(machine.lameDuck(jitter: .seconds(3)) == [])
        #expect(machine.hurry() == [.drainOld])
        #expect(machine.hurry() == [])
        #expect(machine.waited(candidates: []) == [])
        #expect(machine.oldDrained() == [.finish, .wait(.seconds(9))])
        #expect(machine.settled() == [.end, .wait(.seconds(3))])
        #expect(machine.waited(candidates: [self.a]) == [.connect(self.a)])
    }

    @Test("what comes too late changes nothing")
    func late() {
        for stage in Stage.allCases {
            if stage != .connecting {
                var machine = self.machine(stage)
                #expect(machine.newReady() == [])
            }
            if stage != .subscribing {
                var machine = self.machine(stage)
                #expect(machine.newFlushed() == [])
            }
            if stage != .flushingOld {
                var machine = self.machine(stage)
                #expect(machine.oldFlushed() == [])
            }
            if stage != .draining {
                var machine = self.machine(stage)
                #expect(machine.oldDrained() == [])
            }
            if stage != .lingering {
                var machine = self.machine(stage)
                #expect(machine.settled() == [])
            }
        }
    }
}
