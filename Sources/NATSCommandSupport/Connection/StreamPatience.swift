/// How long to go on asking for a stream that nobody answers for: after an outage a cluster elects its leaders first.
package struct StreamPatience: Sendable {
    private static let longestElection: Duration = .seconds(30)

    /// The outages that are over: JetStream has answered since.
    private var knownOutages: UInt64 = 0
    /// Until when JetStream is waited for after the others, and how many they are.
    private var wait: (outages: UInt64, end: ContinuousClock.Instant)?

    package init() {}

    /// JetStream answers, after so many outages.
    package mutating func answered(outages: UInt64) {
        (self.knownOutages, self.wait) = (outages, nil)
    }

    /// Nobody answers.
    ///
    /// - Parameters:
    ///   - outages: How often the connection was lost until now.
    ///   - now: Now.
    /// - Returns: For how long to go on; nil if no outage is the reason, or none any longer.
    package mutating func rest(outages: UInt64, now: ContinuousClock.Instant) -> Duration? {
        guard outages != self.knownOutages else { return nil }
        if self.wait?.outages != outages { self.wait = (outages, now + Self.longestElection) }
        guard let end = self.wait?.end, now < end else { return nil }
        return end - now
    }
}
