import NIOConcurrencyHelpers
import NIOCore

/// Latencies that take two servers to measure: this one, where the request was made and its answer comes, and the one of
/// whoever answers (nats-server accounts.go sendTrackingLatency, events.go remoteLatencyUpdate).
///
/// Either half may come first.
final class RemoteLatencies: Sendable {
    /// What this server has measured.
    struct Whole: Sendable {
        let probe: LatencyProbe
        /// Whose service it is.
        let exporter: Account
        /// When the answer came.
        let answered: NIODeadline
    }

    /// What the other server has measured.
    struct Part: Sendable {
        /// Who has answered, as JSON, and its round-trip time in nanoseconds.
        let responder: [UInt8]
        let roundTrip: Int64
        /// How long that took, in nanoseconds.
        let service: Int64

        /// No time that another server tells is taken for less than nothing, or for more than a day.
        init(responder: [UInt8], roundTrip: Int64, service: Int64) {
            let possible: ClosedRange<Int64> = 0...86_400_000_000_000
            self.responder = responder
            self.roundTrip = min(max(roundTrip, possible.lowerBound), possible.upperBound)
            self.service = min(max(service, possible.lowerBound), possible.upperBound)
        }
    }

    fileprivate enum Half {
        case whole(Whole)
        case part(Part)
    }

    fileprivate struct State {
        var halves: [[UInt8]: (half: Half, deadline: NIODeadline)] = [:]
        /// Of what other servers have told.
        var toldBytes = 0
        var nextSweep = NIODeadline.uptimeNanoseconds(0)
    }

    /// More are not kept at a time.
    fileprivate static let most = 65_536
    /// Nor more bytes of what other servers have told.
    fileprivate static let mostToldBytes = 16 << 20
    /// How long the other half is waited for.
    fileprivate static let patience = TimeAmount.seconds(10)
    fileprivate static let sweepInterval = TimeAmount.seconds(1)

    private let state = NIOLockedValueBox(State())

    /// Halves that wait.
    var count: Int { self.state.withLockedValue { $0.halves.count } }

    /// Lets go of halves whose other half has not come.
    func sweep(now: NIODeadline) { self.state.withLockedValue { $0.sweep(now: now) } }

    /// An answer has come from another server.
    ///
    /// - Returns: what the other server has measured, if that is known already.
    func answered(_ reply: [UInt8], _ whole: Whole) -> Part? {
        self.state.withLockedValue { state in
            if case .part(let part)? = state.take(reply) { return part }
            state.put(.whole(whole), reply, now: whole.answered)
            return nil
        }
    }

    /// Another server has measured something.
    ///
    /// - Parameters:
    ///   - reply: The reply subject of the request.
    ///   - part: What it has measured.
    ///   - isAwaited: Whether that request waits for its answer.
    ///   - now: The time.
    /// - Returns: what this server has measured, if the answer has come already.
    func measured(_ reply: [UInt8], _ part: Part, isAwaited: Bool, now: NIODeadline) -> Whole? {
        self.state.withLockedValue { state in
            switch state.take(reply) {
            case .whole(let whole)?: return whole
            case .part?, nil:
                // Nobody may fill the memory with what was never asked.
                if isAwaited { state.put(.part(part), reply, now: now) }
                return nil
            }
        }
    }
}

extension RemoteLatencies.Half {
    fileprivate var toldBytes: Int { if case .part(let part) = self { part.responder.count } else { 0 } }
}

extension RemoteLatencies.State {
    mutating func take(_ reply: [UInt8]) -> RemoteLatencies.Half? {
        guard let half = self.halves.removeValue(forKey: reply)?.half else { return nil }
        self.toldBytes -= half.toldBytes
        return half
    }

    mutating func put(_ half: RemoteLatencies.Half, _ reply: [UInt8], now: NIODeadline) {
        if now >= self.nextSweep { self.sweep(now: now) }
        _ = self.take(reply)
        guard self.halves.count < RemoteLatencies.most,
            self.toldBytes + half.toldBytes <= RemoteLatencies.mostToldBytes
        else { return }
        self.toldBytes += half.toldBytes
        self.halves[reply] = (half, now + RemoteLatencies.patience)
    }

    mutating func sweep(now: NIODeadline) {
        self.nextSweep = now + RemoteLatencies.sweepInterval
        for (reply, known) in self.halves where known.deadline <= now {
            self.halves[reply] = nil
            self.toldBytes -= known.half.toldBytes
        }
    }
}
