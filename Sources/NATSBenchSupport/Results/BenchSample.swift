/// What one client did in one run.
package struct BenchSample: Sendable {
    package var messages: Int
    /// Of payloads.
    package var bytes: Int
    /// Nanoseconds of a clock that never goes back.
    package var start: UInt64
    package var end: UInt64
    /// Messages that it was to send or get, if that is known.
    package var expected: Int?
    package var latencies: LatencyHistogram?

    package init(
        messages: Int = 0,
        bytes: Int = 0,
        start: UInt64 = 0,
        end: UInt64 = 0,
        expected: Int? = nil,
        latencies: LatencyHistogram? = nil
    ) {
        self.messages = messages
        self.bytes = bytes
        self.start = start
        self.end = end
        self.expected = expected
        self.latencies = latencies
    }

    /// How long it took; never nothing, so that rates are numbers.
    package var nanoseconds: UInt64 { self.end > self.start ? self.end - self.start : 1 }

    package var seconds: Double { self.messages == 0 ? 0 : Double(self.nanoseconds) / 1e9 }

    /// Messages per second, without fraction.
    package var rate: Int { Int(self.exactRate) }

    /// Messages per second.
    package var exactRate: Double {
        self.messages == 0 ? 0 : Double(self.messages) / self.seconds
    }

    /// Bytes of payload per second.
    package var throughput: Double {
        self.messages == 0 ? 0 : Double(self.bytes) / self.seconds
    }

    /// Both together: sums, from the earlier start to the later end.
    package func joined(with other: BenchSample) -> BenchSample {
        var sum = self
        sum.messages += other.messages
        sum.bytes += other.bytes
        sum.expected = nil
        if let expected = self.expected, let more = other.expected { sum.expected = expected + more }
        if self.messages == 0 {
            (sum.start, sum.end) = (other.start, other.end)
        } else if other.messages > 0 {
            sum.start = min(self.start, other.start)
            sum.end = max(self.end, other.end)
        }
        if let latencies = other.latencies {
            sum.latencies = sum.latencies.map { $0.joined(with: latencies) } ?? latencies
        }
        return sum
    }
}
