import NATSTestSupport
import NIOCore
import Testing

@testable import NATSClient

@Suite struct ReconnectStateMachineTests {
    private var random = SeededGenerator(seed: 3)
    private let backoff = ReconnectStateMachine.Backoff(
        initial: .milliseconds(50),
        maximum: .seconds(2),
        jitter: .milliseconds(100)
    )

    private mutating func pool(_ hosts: [String], maxReconnects: Int? = nil) -> ServerPool {
        ServerPool(
            addresses: hosts.map { ServerAddress(host: $0, port: 1) },
            randomize: false,
            ignoreDiscovered: false,
            maxReconnects: maxReconnects,
            random: &self.random
        )
    }

    @Test("waits double up to their limit")
    func waits() {
        let waits = (0...8).map { self.backoff.wait(afterPasses: $0) }
        let expected: [Duration] = [0, 50, 100, 200, 400, 800, 1600, 2000, 2000].map { .milliseconds($0) }
        #expect(waits == expected)
        #expect(self.backoff.wait(afterPasses: .max) == .seconds(2))
    }

    @Test("each pass tries every server once, then waits, with jitter")
    mutating func passes() {
        var pool = self.pool(["a", "b"])
        var machine = ReconnectStateMachine(backoff: self.backoff, isSinglePass: false)
        guard case .wait(let first) = machine.started(using: &self.random) else {
            Issue.record("no wait")
            return
        }
        #expect(first < .milliseconds(100))
        for pass in 1...3 {
            for index in 0..<2 {
                let action =
                    index == 0
                    ? machine.waited(pool: &pool, now: .uptimeNanoseconds(0))
                    : machine.attemptFailed(pool: &pool, now: .uptimeNanoseconds(0), using: &self.random)
                guard case .connect(let address) = action else {
                    Issue.record("pass \(pass), server \(index): \(action)")
                    return
                }
                pool.failed(address, isFatal: false, now: .uptimeNanoseconds(0))
            }
            let action = machine.attemptFailed(pool: &pool, now: .uptimeNanoseconds(0), using: &self.random)
            guard case .wait(let wait) = action else {
                Issue.record("pass \(pass): \(action)")
                return
            }
            let base = self.backoff.wait(afterPasses: pass)
            #expect(wait >= base && wait < base + .milliseconds(100))
        }
    }

    @Test("a pass goes on with what the pool knows by then, and without those that left it")
    mutating func changedPool() {
        var pool = self.pool(["a", "b", "c"])
        var machine = ReconnectStateMachine(backoff: self.backoff, isSinglePass: false)
        _ = machine.started(using: &self.random)
        #expect(machine.waited(pool: &pool, now: .uptimeNanoseconds(0)) == .connect(ServerAddress(host: "a", port: 1)))
        var changed = ServerAddress(host: "c", port: 1, user: "u", password: "new")
        changed.isSecure = true
        pool.replace([ServerAddress(host: "a", port: 1), changed], random: &self.random)
        let action = machine.attemptFailed(pool: &pool, now: .uptimeNanoseconds(0), using: &self.random)
        #expect(action == .connect(changed))
    }

    @Test("a full server is left alone for the longest wait, the others are not")
    mutating func full() {
        var pool = self.pool(["a", "b"])
        var machine = ReconnectStateMachine(backoff: self.backoff, isSinglePass: false)
        let (a, b) = (ServerAddress(host: "a", port: 1), ServerAddress(host: "b", port: 1))
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        _ = machine.started(using: &self.random)
        #expect(machine.waited(pool: &pool, now: now) == .connect(a))
        let second = machine.attemptFailed(fullServer: a, pool: &pool, now: now, using: &self.random)
        #expect(second == .connect(b))
        guard case .wait(let short) = machine.attemptFailed(pool: &pool, now: now, using: &self.random) else {
            Issue.record("no wait")
            return
        }
        #expect(short < .milliseconds(150))
        now = now + .milliseconds(150)
        #expect(machine.waited(pool: &pool, now: now) == .connect(b))
        // Now both are full: nobody is asked before the first has rested.
        guard
            case .wait(let long) = machine.attemptFailed(fullServer: b, pool: &pool, now: now, using: &self.random)
        else {
            Issue.record("no wait")
            return
        }
        #expect(long >= .milliseconds(1850) && long < .milliseconds(1950))
        now = now + .milliseconds(1850)
        #expect(machine.waited(pool: &pool, now: now) == .connect(a))
    }

    @Test("when the server of an attempt leaves the pool, the new pool is tried from its beginning")
    mutating func abandoned() {
        var pool = self.pool(["a", "b"])
        var machine = ReconnectStateMachine(backoff: self.backoff, isSinglePass: false)
        _ = machine.started(using: &self.random)
        _ = machine.waited(pool: &pool, now: .uptimeNanoseconds(0))
        let new = ServerAddress(host: "c", port: 1)
        pool.replace([new], random: &self.random)
        #expect(machine.attemptAbandoned() == .wait(.zero))
        #expect(machine.waited(pool: &pool, now: .uptimeNanoseconds(0)) == .connect(new))
    }

    @Test("the first connect is one pass without a wait")
    mutating func singlePass() {
        var pool = self.pool(["a", "b"])
        var machine = ReconnectStateMachine(backoff: self.backoff, isSinglePass: true)
        #expect(machine.started(using: &self.random) == .wait(.zero))
        #expect(
            machine.waited(pool: &pool, now: .uptimeNanoseconds(0)) == .connect(ServerAddress(host: "a", port: 1))
        )
        #expect(
            machine.attemptFailed(pool: &pool, now: .uptimeNanoseconds(0), using: &self.random)
                == .connect(ServerAddress(host: "b", port: 1))
        )
        #expect(machine.attemptFailed(pool: &pool, now: .uptimeNanoseconds(0), using: &self.random) == .giveUp)
    }

    @Test("when every server is over its limit it gives up")
    mutating func exhausted() {
        var pool = self.pool(["a"], maxReconnects: 2)
        var machine = ReconnectStateMachine(backoff: self.backoff, isSinglePass: false)
        _ = machine.started(using: &self.random)
        for expected in [1, 2] {
            guard case .connect(let address) = machine.waited(pool: &pool, now: .uptimeNanoseconds(0)) else {
                Issue.record("no attempt \(expected)")
                return
            }
            pool.failed(address, isFatal: false, now: .uptimeNanoseconds(0))
            let action = machine.attemptFailed(pool: &pool, now: .uptimeNanoseconds(0), using: &self.random)
            #expect((action == .giveUp) == (expected == 2))
        }
    }

    /// Loses a connection and makes the next one at once; returns the wait between them, without jitter.
    private mutating func waitAfterLoss(
        _ life: Duration,
        _ machine: inout ReconnectStateMachine,
        _ pool: inout ServerPool
    ) -> Duration? {
        guard case .wait(let wait) = machine.connectionLost(after: life, using: &self.random),
            case .connect = machine.waited(pool: &pool, now: .uptimeNanoseconds(0))
        else {
            return nil
        }
        machine.succeeded()
        return wait
    }

    private mutating func connectedMachine(
        waitsBeforeFirstAttempt: Bool = false,
        _ pool: inout ServerPool
    ) -> ReconnectStateMachine {
        var backoff = self.backoff
        backoff.jitter = .zero
        backoff.waitsBeforeFirstAttempt = waitsBeforeFirstAttempt
        var machine = ReconnectStateMachine(backoff: backoff, isSinglePass: true)
        _ = machine.started(using: &self.random)
        _ = machine.waited(pool: &pool, now: .uptimeNanoseconds(0))
        machine.succeeded()
        return machine
    }

    @Test("a server that accepts the client only to drop it is asked less and less often")
    mutating func shortConnections() {
        var pool = self.pool(["a"])
        var machine = self.connectedMachine(&pool)
        let waits = (0...7).map { _ in self.waitAfterLoss(.milliseconds(1), &machine, &pool) }
        #expect(waits == [0, 50, 100, 200, 400, 800, 1600, 2000].map { .milliseconds($0) })
        // A connection that lasts sets it back.
        #expect(self.waitAfterLoss(.seconds(2), &machine, &pool) == .zero)
        #expect(self.waitAfterLoss(.zero, &machine, &pool) == .milliseconds(50))
    }

    @Test("passes that failed before a short connection count")
    mutating func failedPasses() {
        var pool = self.pool(["a"])
        var machine = self.connectedMachine(&pool)
        _ = machine.connectionLost(after: .seconds(60), using: &self.random)
        for _ in 0..<3 {
            _ = machine.waited(pool: &pool, now: .uptimeNanoseconds(0))
            _ = machine.attemptFailed(pool: &pool, now: .uptimeNanoseconds(0), using: &self.random)
        }
        _ = machine.waited(pool: &pool, now: .uptimeNanoseconds(0))
        machine.succeeded()
        #expect(self.waitAfterLoss(.zero, &machine, &pool) == .milliseconds(200))
    }

    @Test("the first attempt waits if it is to")
    mutating func firstAttemptWaits() {
        var pool = self.pool(["a"])
        var machine = self.connectedMachine(waitsBeforeFirstAttempt: true, &pool)
        #expect(self.waitAfterLoss(.seconds(60), &machine, &pool) == .milliseconds(50))
        #expect(self.waitAfterLoss(.seconds(60), &machine, &pool) == .milliseconds(50))
    }

    @Test("the user's own wait replaces back-off and jitter, and is never none")
    mutating func customWait() {
        var backoff = self.backoff
        backoff.custom = { $0 == 3 ? .zero : .seconds($0) }
        #expect(backoff.wait(afterPasses: 0, using: &self.random) == .zero)
        #expect(backoff.wait(afterPasses: 1, using: &self.random) == .seconds(1))
        #expect(backoff.wait(afterPasses: 2, least: .seconds(9), using: &self.random) == .seconds(2))
        #expect(backoff.wait(afterPasses: 3, using: &self.random) == .milliseconds(1))
        var pool = self.pool(["a"])
        var machine = ReconnectStateMachine(backoff: backoff, isSinglePass: false)
        #expect(machine.connectionLost(after: .seconds(60), using: &self.random) == .wait(.zero))
        for pass in 1...2 {
            guard case .connect = machine.waited(pool: &pool, now: .uptimeNanoseconds(0)) else {
                Issue.record("no attempt")
                return
            }
            let action = machine.attemptFailed(pool: &pool, now: .uptimeNanoseconds(0), using: &self.random)
            #expect(action == .wait(.seconds(pass)))
        }
    }

    @Test("secured connections have a jitter of their own")
    mutating func secureJitter() {
        var backoff = self.backoff
        backoff.jitter = .zero
        backoff.secureJitter = .seconds(1)
        var machine = ReconnectStateMachine(backoff: backoff, isSinglePass: false)
        #expect(machine.connectionLost(after: .seconds(60), using: &self.random) == .wait(.zero))
        machine.connectionIsSecure()
        var waits: Set<Duration> = []
        for _ in 0..<10 {
            if case .wait(let wait) = machine.connectionLost(after: .seconds(60), using: &self.random) {
                waits.insert(wait)
            }
        }
        #expect(waits.count > 1 && waits.allSatisfy { $0 < .seconds(1) })
    }

    @Test("a connection that its owner gave up is made again at once, however short it was")
    mutating func forced() {
        var pool = self.pool(["a"])
        var machine = self.connectedMachine(&pool)
        for _ in 0..<3 {
            #expect(machine.connectionLost(after: .zero, isForced: true, using: &self.random) == .wait(.zero))
            #expect(machine.isWaiting)
            #expect(machine.waited(pool: &pool, now: .uptimeNanoseconds(0)) == .connect(pool.servers[0].address))
            #expect(!machine.isWaiting)
            machine.succeeded()
        }
    }

    @Test("servers that left the pool in the middle of a pass are not tried")
    mutating func replacedPool() {
        var pool = self.pool(["a", "b", "c"])
        var machine = ReconnectStateMachine(backoff: self.backoff, isSinglePass: false)
        _ = machine.connectionLost(after: .seconds(60), using: &self.random)
        let first = ServerAddress(host: "a", port: 1)
        #expect(machine.waited(pool: &pool, now: .uptimeNanoseconds(0)) == .connect(first))
        let third = ServerAddress(host: "c", port: 1)
        pool.replace([third, ServerAddress(host: "d", port: 1)], random: &self.random)
        #expect(machine.attemptFailed(pool: &pool, now: .uptimeNanoseconds(0), using: &self.random) == .connect(third))
        guard case .wait = machine.attemptFailed(pool: &pool, now: .uptimeNanoseconds(0), using: &self.random) else {
            Issue.record("the pass is not over")
            return
        }
        let next = machine.waited(pool: &pool, now: .uptimeNanoseconds(0))
        #expect(next == .connect(ServerAddress(host: "d", port: 1)))
    }

    @Test("the waits are those of the configuration")
    func configured() {
        var configuration = NATSClientConfiguration()
        configuration.reconnectWait = .milliseconds(3)
        configuration.maxReconnectWait = .milliseconds(7)
        configuration.reconnectJitter = .milliseconds(11)
        configuration.secureReconnectJitter = .milliseconds(13)
        let backoff = ConnectionCore.backoff(configuration)
        #expect(backoff.initial == .milliseconds(3) && backoff.maximum == .milliseconds(7))
        #expect(backoff.jitter == .milliseconds(11) && backoff.secureJitter == .milliseconds(13))
        #expect(!backoff.waitsBeforeFirstAttempt && backoff.custom == nil)

        configuration.waitsBeforeFirstReconnect = true
        configuration.reconnectDelay = { .seconds($0) }
        let custom = ConnectionCore.backoff(configuration)
        #expect(custom.waitsBeforeFirstAttempt && custom.custom?(17) == .seconds(17))

        // Never in a loop, and never less than the first wait.
        configuration.reconnectWait = .zero
        configuration.maxReconnectWait = .zero
        let least = ConnectionCore.backoff(configuration)
        #expect(least.initial == .milliseconds(1) && least.maximum == .milliseconds(1))
    }
}
