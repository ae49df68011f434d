import NIOConcurrencyHelpers
import NIOCore
import Synchronization

/// Requests that came from other servers to services of this one's clients, and whose latency is measured, until they are
/// answered (nats-server client.go trackRemoteReply).
final class TrackedRequests: Sendable {
    /// Who has got a request, and where its answer goes.
    private struct Key: Hashable {
        let client: UInt64
        let reply: [UInt8]
    }

    struct Request: Sendable {
        /// The account of the service.
        let account: Account
        let start: NIODeadline
        /// When no answer is waited for any more.
        let deadline: NIODeadline
    }

    private struct State {
        var requests: [Key: Request] = [:]
        /// When those whose time is over are looked for.
        var nextSweep = NIODeadline.uptimeNanoseconds(0)

        mutating func sweep(now: NIODeadline) {
            self.requests = self.requests.filter { $0.value.deadline > now }
            self.nextSweep = now + TrackedRequests.sweepInterval
        }
    }

    /// More are not measured at a time.
    private static let most = 65_536
    /// Those whose time is over are looked for when there are so many, and not more often than that.
    private static let sweptFrom = 1024
    private static let sweepInterval = TimeAmount.seconds(1)
    /// nats-server accounts.go minReplyLen.
    private static let shortestReply = 15
    /// Those that servers make have some thirty bytes.
    private static let longestReply = 128

    private let isUsed = Synchronization.Atomic<Bool>(false)
    private let state = NIOLockedValueBox(State())

    /// Whether a reply subject is that of a request whose latency is measured (nats-server accounts.go isTrackedReply).
    @inline(__always)
    static func isTracked(_ base: UnsafePointer<UInt8>, _ reply: Range<Int>) -> Bool {
        reply.count > self.shortestReply && base[reply.upperBound - 1] == UInt8(ascii: "T")
            && base[reply.upperBound - 2] == UInt8(ascii: ".")
    }

    /// A client gets a request.
    func add(_ reply: [UInt8], of client: UInt64, in account: Account, within time: Duration, now: NIODeadline) {
        guard reply.count <= Self.longestReply else { return }
        self.state.withLockedValue { state in
            if state.requests.count >= Self.sweptFrom, now >= state.nextSweep { state.sweep(now: now) }
            guard state.requests.count < Self.most else { return }
            state.requests[Key(client: client, reply: reply)] =
                Request(account: account, start: now, deadline: now + TimeAmount(time))
        }
        self.isUsed.store(true, ordering: .releasing)
    }

    /// Lets go of requests whose time is over.
    func sweep(now: NIODeadline) { self.state.withLockedValue { $0.sweep(now: now) } }

    /// Whether any request is measured.
    var isInUse: Bool { self.isUsed.load(ordering: .acquiring) }

    /// A client answers something: the request, if it is measured, which it is not any more.
    func take(_ reply: [UInt8], of client: UInt64, now: NIODeadline) -> Request? {
        guard self.isInUse else { return nil }
        let request = self.state.withLockedValue { state -> Request? in
            let request = state.requests.removeValue(forKey: Key(client: client, reply: reply))
            if state.requests.isEmpty { self.isUsed.store(false, ordering: .releasing) }
            return request
        }
        guard let request, request.deadline > now else { return nil }
        return request
    }
}
