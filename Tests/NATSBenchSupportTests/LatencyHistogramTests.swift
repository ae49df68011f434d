import NATSBenchSupport
import Testing

@Suite("Latency histogram")
struct LatencyHistogramTests {
    @Test("percentiles are right within a thousandth, and least, average and largest exactly", arguments: [1, 7, 42])
    func errorBound(seed: UInt64) {
        var state = seed
        var values: [UInt64] = []
        var histogram = LatencyHistogram()
        for _ in 0..<10_000 {
            // xorshift, spread over all orders of magnitude of latencies.
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            let value = (state >> 40) << (state % 20)
            values.append(value)
            histogram.record(nanoseconds: value)
        }
        values.sort()
        #expect(histogram.count == values.count)
        #expect(histogram.minimum == values.first)
        #expect(histogram.maximum == values.last)
        #expect(histogram.average == values.reduce(0, +) / 10_000)
        for (percentile, rank) in [(50, 5000), (90, 9000), (99, 9900), (99.9, 9990)] as [(Double, Int)] {
            let exact = Double(values[rank - 1])
            let told = Double(histogram.percentile(percentile))
            #expect(abs(told - exact) <= exact / 1000 + 1, "P\(percentile): \(told), not \(exact)")
        }
    }

    @Test("joined histograms are as one that has seen everything")
    func joined() {
        var low = LatencyHistogram()
        var high = LatencyHistogram()
        var all = LatencyHistogram()
        for value in 1...1000 as ClosedRange<UInt64> {
            low.record(nanoseconds: value)
            high.record(nanoseconds: value * 1_000_000)
            all.record(nanoseconds: value)
            all.record(nanoseconds: value * 1_000_000)
        }
        for both in [low.joined(with: high), high.joined(with: low)] {
            #expect(both.count == all.count)
            #expect(both.average == all.average)
            for percentile in [1, 50, 75, 99.9, 100] {
                #expect(both.percentile(percentile) == all.percentile(percentile))
            }
        }
    }

    @Test("empty and absurd values")
    func extremes() {
        var histogram = LatencyHistogram()
        #expect(histogram.minimum == 0)
        #expect(histogram.maximum == 0)
        #expect(histogram.average == 0)
        #expect(histogram.percentile(99) == 0)
        histogram.record(nanoseconds: .max)
        histogram.record(nanoseconds: 0)
        #expect(histogram.count == 2)
        #expect(histogram.minimum == 0)
        #expect(histogram.maximum == 1 << 50)
    }
}
