import Histogram

/// Times of requests, in a memory that does not grow with their number.
///
/// Percentiles are right within a thousandth (three digits); least, largest and average are exact.
package struct LatencyHistogram: Sendable {
    /// Longer than any time-out; what is above counts as this.
    private static let largest: UInt64 = 1 << 50

    private var histogram = Histogram<UInt32>(numberOfSignificantValueDigits: .three)
    private var sum: UInt64 = 0

    package init() {}

    package var count: Int { Int(clamping: self.histogram.totalCount) }

    package mutating func record(nanoseconds: UInt64) {
        let value = min(nanoseconds, Self.largest)
        self.histogram.record(value)
        self.sum &+= value
    }

    /// What both have.
    package func joined(with other: LatencyHistogram) -> LatencyHistogram {
        var both = self
        both.histogram.add(other.histogram)
        both.sum &+= other.sum
        return both
    }

    package var minimum: UInt64 { self.histogram.totalCount == 0 ? 0 : self.histogram.min }
    package var maximum: UInt64 { self.histogram.totalCount == 0 ? 0 : self.histogram.maxRecorded }
    package var average: UInt64 { self.histogram.totalCount == 0 ? 0 : self.sum / self.histogram.totalCount }

    /// The time that so many of a hundred requests did not exceed.
    package func percentile(_ percentile: Double) -> UInt64 {
        self.histogram.totalCount == 0 ? 0 : self.histogram.valueAtPercentile(percentile)
    }
}
