import NATSTestSupport
import Testing

@testable import NATSClient

@Suite struct RequestMultiplexerTests {
    private func register(
        _ multiplexer: inout RequestMultiplexer<String>,
        _ waiter: String,
        subject: String = "s",
        deadline: UInt64 = 100
    ) -> UInt64 {
        let token = multiplexer.makeToken()
        #expect(multiplexer.register(token, waiter: waiter, subject: subject, deadline: deadline) == true)
        return token
    }

    @Test("a waiter is given back once")
    func once() {
        var multiplexer = RequestMultiplexer<String>()
        let token = self.register(&multiplexer, "a")
        #expect(multiplexer.take(token) == "a")
        #expect(multiplexer.take(token) == nil)
        #expect(multiplexer.expired(timer: 100, now: 1000).isEmpty)
        #expect(multiplexer.count == 0)
    }

    @Test("one timer serves all deadlines, the earliest first")
    func deadlines() {
        var multiplexer = RequestMultiplexer<String>()
        _ = self.register(&multiplexer, "late", deadline: 300)
        #expect(multiplexer.deadlineToArm() == 300)
        _ = self.register(&multiplexer, "later", deadline: 400)
        #expect(multiplexer.deadlineToArm() == nil)
        _ = self.register(&multiplexer, "early", deadline: 200)
        #expect(multiplexer.deadlineToArm() == 200)
        #expect(multiplexer.expired(timer: 200, now: 199).isEmpty)
        #expect(multiplexer.deadlineToArm() == 200)
        #expect(multiplexer.expired(timer: 200, now: 200).map(\.waiter) == ["early"])
        // The timer for 300 is still set.
        #expect(multiplexer.deadlineToArm() == nil)
        #expect(multiplexer.expired(timer: 300, now: 300).map(\.waiter) == ["late"])
        #expect(multiplexer.deadlineToArm() == 400)
    }

    @Test("deadlines of requests that are done do not pile up")
    func compaction() {
        var multiplexer = RequestMultiplexer<String>()
        for index in 0..<10_000 {
            let token = self.register(&multiplexer, "w", deadline: UInt64(1000 + index))
            #expect(multiplexer.take(token) == "w")
        }
        #expect(multiplexer.pendingDeadlines < 200)
    }

    @Test("the heap gives deadlines back in order, whatever their order")
    func heap() {
        var random = SeededGenerator(seed: 5)
        var heap = DeadlineHeap()
        let deadlines = (0..<500).map { _ in UInt64.random(in: 0..<100, using: &random) }
        for (token, deadline) in deadlines.enumerated() {
            heap.insert(.init(deadline: deadline, token: UInt64(token)))
        }
        heap.compact { $0.token % 3 != 0 }
        var popped: [UInt64] = []
        while let entry = heap.removeFirst() {
            popped.append(entry.deadline)
        }
        #expect(popped == deadlines.enumerated().filter { $0.offset % 3 != 0 }.map(\.element).sorted())
    }

    @Test("a lost connection fails what was handed over, now or a moment before it is recorded")
    func connectionLost() {
        var multiplexer = RequestMultiplexer<String>()
        let first = self.register(&multiplexer, "handed over")
        let second = self.register(&multiplexer, "buffered")
        let third = self.register(&multiplexer, "not recorded yet")
        #expect(multiplexer.published(first, number: 1) == nil)
        #expect(multiplexer.published(second, number: 3) == nil)
        #expect(multiplexer.connectionLost(handedOverThrough: 2) == ["handed over"])
        #expect(multiplexer.published(third, number: 2) == "not recorded yet")
        #expect(multiplexer.count == 1)
        #expect(multiplexer.close(NATSError(.connectionClosed, "")) == ["buffered"])
        #expect(multiplexer.register(9, waiter: "x", subject: "s", deadline: 1) == false)
    }

    @Test("a refused subject fails its requests, a refused inbox all")
    func refused() {
        var multiplexer = RequestMultiplexer<String>()
        _ = self.register(&multiplexer, "a", subject: "a")
        _ = self.register(&multiplexer, "b", subject: "b")
        #expect(multiplexer.publishRefused(subject: "a") == ["a"])
        #expect(multiplexer.inboxRefused() == ["b"])
    }

    @Test("a reply without a number belongs to the only request there is")
    func only() {
        var multiplexer = RequestMultiplexer<String>()
        #expect(multiplexer.takeOnly() == nil)
        _ = self.register(&multiplexer, "a")
        #expect(multiplexer.takeOnly() == "a")
        _ = self.register(&multiplexer, "b")
        _ = self.register(&multiplexer, "c")
        #expect(multiplexer.takeOnly() == nil)
    }

    @Test("short requests beside a long one do not set more and more timers")
    func timers() {
        var multiplexer = RequestMultiplexer<String>()
        _ = self.register(&multiplexer, "long", deadline: 1_000_000)
        var timers = [multiplexer.deadlineToArm()].compactMap { $0 }
        var now: UInt64 = 0
        for _ in 0..<1000 {
            _ = self.register(&multiplexer, "short", subject: "q", deadline: now + 10)
            if let timer = multiplexer.deadlineToArm() {
                timers.append(timer)
            }
            now += 10
            while let due = timers.filter({ $0 <= now }).min() {
                timers.removeAll { $0 == due }
                #expect(multiplexer.expired(timer: due, now: now).map(\.subject) == ["q"])
                if let timer = multiplexer.deadlineToArm() {
                    timers.append(timer)
                }
            }
        }
        #expect(timers == [1_000_000])
        #expect(multiplexer.expired(timer: 1_000_000, now: 1_000_000).map(\.waiter) == ["long"])
    }
}
