internal import NIOCore

/// When a server sends PING to a client, and when it gives up on it.
///
/// nats-server client.go processPingTimer, setFirstPingTimer.
struct KeepAlive {
    enum TimerAction: Equatable {
        case sendPing
        /// The client was active: look again after the interval.
        case wait
        case stale
    }

    /// The first PING comes early, for a sample of the round-trip time.
    private static let firstInterval: TimeAmount = .seconds(2)
    /// The round-trip time is measured anew after this long.
    private static let sampleInterval: TimeAmount = .hours(1)

    var interval: TimeAmount
    var pingsOutMax: Int
    private var pingsOut = 0
    private var pingSent: NIODeadline?
    private var lastActivity: NIODeadline
    /// Last measured round-trip time; at first the time from accept to CONNECT.
    private(set) var roundTripTime: TimeAmount?

    init(interval: TimeAmount, pingsOutMax: Int, now: NIODeadline) {
        self.interval = interval
        self.pingsOutMax = pingsOutMax
        self.lastActivity = now
    }

    /// Time from CONNECT to the first PING; up to a fifth is added at random, so that clients that came together spread.
    func firstDelay(afterConnect: Bool, using generator: inout some RandomNumberGenerator) -> TimeAmount {
        let delay = afterConnect ? min(self.interval, Self.firstInterval) : self.interval
        let extra = Int64.random(in: 0...max(1, delay.nanoseconds / 5), using: &generator)
        // An interval may be as long as a duration can be.
        let (sum, overflow) = delay.nanoseconds.addingReportingOverflow(extra)
        return .nanoseconds(overflow ? .max : sum)
    }

    mutating func connectReceived(accepted: NIODeadline, now: NIODeadline) {
        self.roundTripTime = now - accepted
    }

    /// Messages, subscription changes or a PING arrived.
    mutating func activity(now: NIODeadline) { self.lastActivity = now }

    mutating func pongReceived(now: NIODeadline) {
        self.pingsOut = 0
        if let sent = self.pingSent { self.roundTripTime = now - sent }
    }

    mutating func timerFired(now: NIODeadline) -> TimerAction {
        let needsSample = self.pingSent.map { now - $0 > Self.sampleInterval } ?? true
        if now - self.lastActivity < self.interval, !needsSample { return .wait }
        guard self.pingsOut + 1 <= self.pingsOutMax else { return .stale }
        self.pingsOut += 1
        self.pingSent = now
        return .sendPing
    }
}
