import NATSBenchSupport
import NIOCore
import Testing

@Suite("What benchmarks send")
struct BenchWorkTests {
    @Test("messages are divided, the rest goes to the first ones")
    func shares() {
        #expect(BenchPlan.shares(of: 10, over: 3) == [4, 3, 3])
        #expect(BenchPlan.shares(of: 2, over: 3) == [1, 1, 0])
        #expect(BenchPlan.shares(of: 5, over: 0) == [])
    }

    @Test("one subject, or numbered ones in turn")
    func subjects() {
        var random = SystemRandomNumberGenerator()
        let one = SubjectSequence("s")
        #expect(one.pattern == "s")
        #expect((0..<3).map { one.subject($0, &random) } == ["s", "s", "s"])
        let numbered = SubjectSequence(numbered: "s", maximum: 3, isRandom: false, offset: 2)
        #expect(numbered.pattern == "s.*")
        #expect((0..<4).map { numbered.subject($0, &random) } == ["s.2", "s.0", "s.1", "s.2"])
        #expect(numbered.beginning(at: 0).subject(0, &random) == "s.0")
        let endless = SubjectSequence(numbered: "s", maximum: 0, isRandom: true, offset: 1_000_000)
        #expect(endless.subject(5, &random) == "s.1000005")
        let many = SubjectSequence(numbered: "s", maximum: 1_000_000, isRandom: false, offset: 0)
        #expect(many.subject(999_999, &random) == "s.999999")
    }

    @Test("numbers by chance stay below the maximum and are not all the same")
    func randomSubjects() {
        var random = SystemRandomNumberGenerator()
        let subjects = SubjectSequence(numbered: "s", maximum: 10, isRandom: true, offset: 0)
        // Not captured by a closure: the thread sanitizer takes the address of a generator without size for one.
        var seen: Set<String> = []
        for number in 0..<1000 { seen.insert(subjects.subject(number, &random)) }
        #expect(seen.isSubset(of: Set((0..<10).map { "s.\($0)" })))
        #expect(seen.count > 1)
    }

    @Test("payloads have their size; random ones differ from message to message")
    func payloads() {
        #expect(PayloadSource(size: 16).payload(7) == ByteBuffer(repeating: 0, count: 16))
        #expect(PayloadSource(size: 0).payload(0).readableBytes == 0)
        var random = SystemRandomNumberGenerator()
        let source = PayloadSource(random: &random, size: 100)
        let payloads = Set((0..<1000).map { source.payload($0) })
        #expect(payloads.allSatisfy { $0.readableBytes == 100 })
        #expect(payloads.count == 1000)
        #expect(source.payload(.max).readableBytes == 100)
    }

    @Test("a rate is kept by pauses that are not too short")
    func rate() {
        let pace = Pace(rate: 1000)
        #expect(pace.isDue(after: 1))
        // Due after 10 ms, 4 have passed.
        #expect(pace.pause(after: 10, start: 0, now: 4_000_000) == 6_000_000)
        #expect(pace.pause(after: 10, start: 0, now: 9_500_000) == 0)
        #expect(pace.pause(after: 10, start: 0, now: 20_000_000) == 0)
        let fast = Pace(rate: 1_000_000)
        #expect(!fast.isDue(after: 999))
        #expect(fast.isDue(after: 1000))
        #expect(Pace(rate: 1e-300).pause(after: 1, start: 0, now: 0) > 1_000_000_000)
    }

    @Test("a pause after each message, or none")
    func pause() {
        let pace = Pace(pause: 5)
        #expect(pace.isDue(after: 1))
        #expect(pace.pause(after: 1, start: 0, now: 100) == 5)
        #expect(!Pace(pause: 0).isDue(after: 1))
        #expect(!Pace.unlimited.isDue(after: 1))
    }

    @Test("what JetStream answers")
    func acknowledgements() {
        func read(_ text: String) -> StreamAcknowledgement { StreamAcknowledgement(ByteBuffer(string: text)) }
        #expect(read(#"{"stream":"S", "seq":12}"#) == .stored(stream: "S", sequence: 12))
        #expect(
            read(#"{"error":{"code":400,"err_code":10077,"description":"maximum messages exceeded"},"stream":"S"}"#)
                == .refused("maximum messages exceeded")
        )
        for text in ["", "pong", "{}", "[1]", #"{"stream":5}"#, #"{"seq":-1,"stream":"S"}"#, "{\"stream\":\"S\""] {
            #expect(read(text) == .unreadable, "\(text)")
        }
    }
}
