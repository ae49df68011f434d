/// When something was counted, by two clocks.
struct Moment: Sendable, Equatable {
    /// By the server's clock.
    var server: Duration?
    /// By ours, which never jumps.
    var local: Duration

    init(serverTime: String, local: Duration) {
        self.server = ServerTime(serverTime)?.duration
        self.local = local
    }

    /// Seconds since an earlier moment; nil if none can have passed.
    ///
    /// The server's clock knows when it counted; it is not believed when it disagrees much with ours, having been set.
    func seconds(since old: Moment) -> Double? {
        let local = (self.local - old.local).seconds
        guard local > 0 else { return nil }
        guard let new = self.server, let old = old.server else { return local }
        let server = (new - old).seconds
        return server > 0.001 && abs(server - local) <= max(1, local / 2) ? server : local
    }
}
