/// When something was counted, by two clocks.
struct Moment: Sendable, Equatable {
    /// By the server's clock.
    var server: Duration?
    /// By ours, which never jumps: when the answer was there.
    var local: Duration
    /// How long before ``local`` the server was asked.
    var took: Duration

    /// What is assumed of a round of which nobody says how long it took.
    private static let usual: Duration = .milliseconds(500)
    /// By how much two clocks that count the same may differ: by their steps, and by a share of the interval.
    private static let step = 0.02
    private static let drift = 0.05

    init(serverTime: String, local: Duration, took: Duration? = nil) {
        self.server = ServerTime(serverTime)?.duration
        self.local = local
        self.took = took ?? Self.usual
    }

    /// Seconds since an earlier moment; nil if none can have passed.
    ///
    /// The server's clock knows when it counted, which was between question and answer; where it says that it was not, it
    /// was set, and is not believed.
    func seconds(since old: Moment) -> Double? {
        let local = (self.local - old.local).seconds
        guard local > 0 else { return nil }
        guard let new = self.server, let before = old.server else { return local }
        let server = (new - before).seconds
        let tolerance = (self.took + old.took).seconds + Self.step + local * Self.drift
        return server > 0.001 && abs(server - local) <= tolerance ? server : local
    }
}
