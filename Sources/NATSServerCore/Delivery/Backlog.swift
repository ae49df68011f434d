import NIOCore
import Synchronization

/// Bytes that wait in a connection's socket queue, visible to every producing loop.
///
/// Counted from the moment a producing loop hands bytes over. Relaxed atomics, since a slightly old figure only moves a
/// threshold a little.
final class Backlog: Sendable {
    /// Above this many bytes the connection is a slow consumer (`max_pending`).
    let maximum: Int
    private let bytes = Atomic<Int>(0)
    private let congested = Atomic<Bool>(false)

    init(maximum: Int, now: NIODeadline) {
        self.maximum = maximum
        self.lastProgress = Atomic(now.uptimeNanoseconds)
    }

    /// A connection whose socket took something this recently is slow, not dead.
    private static let recent: TimeAmount = .milliseconds(100)

    /// When the socket last took something.
    private let lastProgress: Atomic<UInt64>

    /// Whether more than three quarters are used up (nats-server client.go queueOutbound).
    var isCongested: Bool { self.congested.load(ordering: .relaxed) }

    /// Whether producers should pause before they send more.
    ///
    /// Only for a connection that still drains: waiting for a dead one would slow the others down and save nobody.
    func shouldStallProducers(now: NIODeadline) -> Bool {
        let last = NIODeadline.uptimeNanoseconds(self.lastProgress.load(ordering: .relaxed))
        return self.isCongested && now - last < Self.recent
    }

    /// The socket took something.
    func progressed(now: NIODeadline) { self.lastProgress.store(now.uptimeNanoseconds, ordering: .relaxed) }

    var pending: Int { self.bytes.load(ordering: .relaxed) }

    /// Adds bytes handed over, or takes away bytes that the socket took.
    ///
    /// - Returns: the bytes pending now.
    @discardableResult
    func change(by delta: Int) -> Int {
        let pending = self.bytes.add(delta, ordering: .relaxed).newValue
        let congested = pending > self.maximum / 4 * 3
        if congested != self.congested.load(ordering: .relaxed) { self.congested.store(congested, ordering: .relaxed) }
        return pending
    }
}
