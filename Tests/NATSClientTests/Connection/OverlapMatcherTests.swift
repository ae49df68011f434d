import NATSTestSupport
import Testing

@testable import NATSClient

@Suite struct OverlapMatcherTests {
    private typealias Matcher = OverlapMatcher<String>

    private func key(_ text: String, sid: UInt64 = 1) -> Matcher.Key {
        .init(sid: sid, digest: text.hashValue, length: text.utf8.count)
    }

    private func arrive(_ text: String, on matcher: inout Matcher, sid: UInt64 = 1) -> Matcher.Verdict {
        let key = self.key(text, sid: sid)
        let verdict = matcher.arrivedOnNew(key)
        if verdict == .hold {
            matcher.hold(text, key, bytes: text.utf8.count)
        }
        return verdict
    }

    @Test("a copy is dropped, whichever connection is first; the rest comes behind the old connection's, in order")
    func copies() {
        var matcher = Matcher()
        matcher.newIsComplete()
        matcher.arrivedOnOld(self.key("1"))
        #expect(self.arrive("1", on: &matcher) == .copy)
        for text in ["2", "3", "4", "5"] {
            #expect(self.arrive(text, on: &matcher) == .hold)
        }
        matcher.arrivedOnOld(self.key("2"))
        matcher.arrivedOnOld(self.key("4"))
        #expect(matcher.heldMessages == 2 && matcher.heldBytes == 2)
        #expect(matcher.oldEnded() == ["3", "5"])
        #expect(matcher.heldMessages == 0 && matcher.isSettled && matcher.copies == 3)
        #expect(self.arrive("6", on: &matcher) == .deliver)
        #expect(matcher.largestHeldMessages == 4 && matcher.largestHeldBytes == 4)
    }

    @Test("equal messages are counted, and subscriptions kept apart")
    func counts() {
        var matcher = Matcher()
        matcher.newIsComplete()
        for _ in 0..<3 {
            matcher.arrivedOnOld(self.key("x"))
        }
        matcher.arrivedOnOld(self.key("x", sid: 2))
        #expect((0..<5).map { _ in self.arrive("x", on: &matcher) } == [.copy, .copy, .copy, .hold, .hold])
        #expect(self.arrive("x", on: &matcher, sid: 2) == .copy)
        #expect(self.arrive("x", on: &matcher, sid: 3) == .hold)
        #expect(matcher.oldEnded() == ["x", "x", "x"])
    }

    @Test("what the old connection brought before the new one had the subscriptions is waited for only for a while")
    func suspects() {
        var matcher = Matcher()
        matcher.arrivedOnOld(self.key("before"))
        matcher.arrivedOnOld(self.key("slow"))
        matcher.newIsComplete()
        matcher.arrivedOnOld(self.key("after"))
        #expect(self.arrive("slow", on: &matcher) == .copy)
        matcher.forgetSuspects()
        // An equal message that is published later is another one.
        #expect(self.arrive("before", on: &matcher) == .hold)
        #expect(matcher.oldEnded() == ["before"])
        #expect(!matcher.isSettled && matcher.awaitedMessages == 1)
        #expect(self.arrive("after", on: &matcher) == .copy)
        #expect(matcher.isSettled)
    }

    @Test("equal messages, one after the other: none is lost by those that have no copies")
    func ticks() {
        for isNewFirst in [true, false] {
            var matcher = Matcher()
            for _ in 0..<3 {
                matcher.arrivedOnOld(self.key("tick"))
            }
            matcher.newIsComplete()
            for _ in 0..<5 {
                if isNewFirst {
                    #expect(self.arrive("tick", on: &matcher) == .copy)
                }
                matcher.arrivedOnOld(self.key("tick"))
                if !isNewFirst {
                    #expect(self.arrive("tick", on: &matcher) == .copy)
                }
            }
            matcher.forgetSuspects()
            #expect(self.arrive("tick", on: &matcher) == .hold)
            #expect(matcher.oldEnded() == ["tick"] && matcher.isSettled)
        }
    }

    @Test("equal messages around the moment in which suspects are forgotten: none is lost")
    func straddling() {
        var matcher = Matcher()
        // From before the SUB: no copy of it comes.
        matcher.arrivedOnOld(self.key("tick"))
        matcher.newIsComplete()
        #expect(self.arrive("tick", on: &matcher) == .copy)
        matcher.forgetSuspects()
        matcher.arrivedOnOld(self.key("tick"))
        // The old connection does not get this one any more.
        #expect(self.arrive("tick", on: &matcher) == .hold)
        #expect(matcher.oldEnded() == ["tick"] && matcher.isSettled)
    }

    @Test("messages from before the new subscriptions beyond the bound are counted: their copies are delivered")
    func suspectBound() {
        var matcher = Matcher(maximumMessages: 4, maximumBytes: 100)
        for index in 0..<7 {
            matcher.arrivedOnOld(self.key("\(index)"))
        }
        // Of three messages and no more it is known that copies may come.
        #expect(matcher.forgotten == 4)
        #expect(self.arrive("0", on: &matcher) == .hold)
        #expect(self.arrive("6", on: &matcher) == .copy)
    }

    @Test("of a stream of equal messages none is lost, whenever suspects are forgotten")
    func equalProperty() {
        var random = SeededGenerator(seed: 12)
        for _ in 0..<2000 {
            let count = Int.random(in: 1...20, using: &random)
            let firstOfNew = Int.random(in: 0...count, using: &random)
            let endOfOld = Int.random(in: firstOfNew...count, using: &random)
            var matcher = Matcher()
            var delivered = 0
            var (old, new) = (0, firstOfNew)
            var (isComplete, isForgotten) = (false, false)
            while old < endOfOld || new < count {
                if !isComplete, old >= firstOfNew, Bool.random(using: &random) {
                    isComplete = true
                    matcher.newIsComplete()
                } else if isComplete, !isForgotten, new >= endOfOld || Bool.random(using: &random) {
                    // The old server is asked to end: it has got all that the new one has brought by then.
                    isForgotten = true
                    matcher.forgetSuspects()
                } else if old < endOfOld, new >= (isForgotten ? count : endOfOld) || Bool.random(using: &random) {
                    matcher.arrivedOnOld(self.key("tick"))
                    old += 1
                    delivered += 1
                } else if new < (isForgotten ? count : endOfOld) {
                    #expect(self.arrive("tick", on: &matcher) != .deliver)
                    new += 1
                }
            }
            matcher.forgetSuspects()
            delivered += matcher.oldEnded().count
            #expect(delivered >= count)
        }
    }

    @Test("of those that may have copies the newest are known")
    func newestSuspects() {
        var matcher = Matcher(maximumMessages: 100, maximumBytes: 1000)
        for index in 0..<10_000 {
            matcher.arrivedOnOld(self.key("\(index)"))
        }
        for index in 9950..<10_000 {
            #expect(self.arrive("\(index)", on: &matcher) == .copy)
        }
        #expect(self.arrive("5", on: &matcher) == .hold)
        matcher.forgetSuspects()
        #expect(matcher.oldEnded() == ["5"] && matcher.isSettled)
    }

    @Test("memory is bounded: by messages, by bytes, and in what is known of copies")
    func bounds() {
        var matcher = Matcher(maximumMessages: 3, maximumBytes: 100)
        matcher.newIsComplete()
        for index in 0..<3 {
            #expect(!matcher.isFull)
            #expect(self.arrive("\(index)", on: &matcher) == .hold)
        }
        #expect(matcher.isFull)
        matcher.arrivedOnOld(self.key("1"))
        #expect(!matcher.isFull)
        for index in 10..<15 {
            matcher.arrivedOnOld(self.key("\(index)"))
        }
        #expect(matcher.awaitedMessages == 3 && matcher.forgotten == 2)
        #expect(self.arrive("14", on: &matcher) == .hold)
        #expect(self.arrive("10", on: &matcher) == .copy)
        var large = Matcher(maximumMessages: 1000, maximumBytes: 100)
        large.newIsComplete()
        #expect(self.arrive(String(repeating: "x", count: 100), on: &large) == .hold && large.isFull)
        // Cancelled ones behind one that stays are no memory without bound either.
        var holes = Matcher(maximumMessages: 3, maximumBytes: 100)
        #expect(self.arrive("first", on: &holes) == .hold)
        var count = 0
        while !holes.isFull, count < 1000 {
            #expect(self.arrive("\(count)", on: &holes) == .hold)
            holes.arrivedOnOld(self.key("\(count)"))
            count += 1
        }
        #expect(count < 1000 && holes.oldEnded() == ["first"])
    }

    @Test("whatever two connections bring of one stream, each message comes once and in order")
    func property() {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<500 {
            let count = Int.random(in: 1...40, using: &random)
            let firstOfNew = Int.random(in: 0...count, using: &random)
            let endOfOld = Int.random(in: firstOfNew...count, using: &random)
            var matcher = Matcher()
            var delivered: [Int] = []
            var (old, new) = (0, firstOfNew)
            while old < endOfOld || new < count {
                if old == endOfOld, !matcher.isSettled, Bool.random(using: &random) {
                    delivered += matcher.oldEnded().compactMap { Int($0) }
                    old += 1_000_000
                } else if old < endOfOld, new >= count || Bool.random(using: &random) {
                    if old >= firstOfNew {
                        matcher.newIsComplete()
                    }
                    matcher.arrivedOnOld(self.key("\(old)"))
                    delivered.append(old)
                    old += 1
                } else if new < count {
                    if self.arrive("\(new)", on: &matcher) == .deliver {
                        delivered.append(new)
                    }
                    new += 1
                }
            }
            delivered += matcher.oldEnded().compactMap { Int($0) }
            #expect(delivered == Array(0..<count))
        }
    }
}
