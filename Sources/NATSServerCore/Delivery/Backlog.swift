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

    init(maximum: Int) {
        self.maximum = maximum
    }

    /// Whether producers should pause before they send more (nats-server client.go queueOutbound: above 75 %).
    var isCongested: Bool { self.congested.load(ordering: .relaxed) }

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
