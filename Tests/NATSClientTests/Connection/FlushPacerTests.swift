import Testing

@testable import NATSClient

@Suite
struct FlushPacerTests {
    private static func stream(_ pacer: inout FlushPacer, gap: UInt64, count: Int) {
        var now: UInt64 = 1_000_000
        for _ in 0..<count {
            now += gap
            pacer.took(3, wasDelayed: false, now: now)
            now += 4_000
            pacer.wrote(now: now)
        }
    }

    @Test("The first flushes of a stream are not delayed, later ones are")
    func stream() {
        var pacer = FlushPacer()
        Self.stream(&pacer, gap: 2_000, count: 4)
        #expect(!pacer.isStreaming)
        Self.stream(&pacer, gap: 2_000, count: 5)
        #expect(pacer.isStreaming)
    }

    @Test("Publishes with pauses between them are never delayed")
    func pauses() {
        var pacer = FlushPacer()
        Self.stream(&pacer, gap: 30_000, count: 100)
        #expect(!pacer.isStreaming)
    }

    @Test("A delay that brings next to nothing ends the stream, one that brings much does not")
    func end() {
        var pacer = FlushPacer()
        Self.stream(&pacer, gap: 2_000, count: 10)
        pacer.took(500, wasDelayed: true, now: 2_000_000)
        #expect(pacer.isStreaming)
        pacer.took(1, wasDelayed: true, now: 2_100_000)
        #expect(!pacer.isStreaming)
        pacer.took(0, wasDelayed: true, now: 2_200_000)
        #expect(!pacer.isStreaming)
    }
}
