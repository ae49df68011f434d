import NIOCore

extension Duration {
    /// Whole nanoseconds, held within what 64 bits can say.
    var nanosecondsClamped: Int64 {
        let (seconds, attoseconds) = self.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else {
            return seconds < 0 ? .min : .max
        }
        let (sum, overflowed) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflowed ? (seconds < 0 ? .min : .max) : sum
    }

    /// For the event loop, which cannot wait for longer than a few decades without overflow.
    var timeAmount: TimeAmount {
        .nanoseconds(min(self.nanosecondsClamped, 1 << 60))
    }
}
