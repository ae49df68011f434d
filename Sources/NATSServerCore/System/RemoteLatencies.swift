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
    }

    fileprivate enum Half {
        case whole(Whole)
        case part(Part)
    }

    fileprivate struct State {
        var halves: [[UInt8]: (half: Half, deadline: NIODeadline)] = [:]
        var nextSweep = NIODeadline.uptimeNanoseconds(0)
    }

    /// More are not kept at a time.
    fileprivate static let most = 65_536
    /// How long the other half is waited for.
    fileprivate static let patience = TimeAmount.seconds(10)
    fileprivate static let sweptFrom = 1024
    fileprivate static let sweepInterval = TimeAmount.seconds(1)

    private let state = NIOLockedValueBox(State())

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

extension RemoteLatencies.State {
    mutating func take(_ reply: [UInt8]) -> RemoteLatencies.Half? {
        self.halves.removeValue(forKey: reply)?.half
    }

    mutating func put(_ half: RemoteLatencies.Half, _ reply: [UInt8], now: NIODeadline) {
        if self.halves.count >= RemoteLatencies.sweptFrom, now >= self.nextSweep {
            self.halves = self.halves.filter { $0.value.deadline > now }
            self.nextSweep = now + RemoteLatencies.sweepInterval
        }
        guard self.halves.count < RemoteLatencies.most else { return }
        self.halves[reply] = (half, now + RemoteLatencies.patience)
    }
}
