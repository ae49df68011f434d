/// How a server in lame duck mode spreads the closing of its clients.
///
/// nats-server server.go lameDuckMode.
struct LameDuckPlan: Equatable, Sendable {
    private static let longestGap: Int64 = 1_000_000_000

    /// Nanoseconds between two closings at most; half of it at least.
    let gap: Int64
    /// So many clients are closed in one go.
    let batch: Int

    init(duration: Duration, gracePeriod: Duration, clients: Int) {
        let (seconds, attoseconds) = (duration - gracePeriod).components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let rest = overflow ? Int64.max / 2 : product + attoseconds / 1_000_000_000
        let available = rest > 0 ? rest : 1_000_000_000
        let gap = available / Int64(max(1, clients))
        if gap < 1 {
            self.gap = 1
            self.batch = max(1, Int(Int64(clients) / available))
        } else {
            self.gap = min(gap, Self.longestGap)
            self.batch = 1
        }
    }

    /// The pause after the client of this index; `nil` if the next one follows at once.
    func pause(after index: Int, using generator: inout some RandomNumberGenerator) -> Int64? {
        guard self.batch == 1 || index % self.batch == 0 else { return nil }
        return max(self.gap / 2, Int64.random(in: 0..<self.gap, using: &generator))
    }
}
