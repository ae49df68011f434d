import NIOConcurrencyHelpers

/// The connections that ended last (`max_closed_clients`), in the order of their end.
///
/// A connection's subscriptions are kept with it, but only so many in all: a client could otherwise fill the memory with
/// subscriptions by connecting again and again. Then those of the oldest connections are let go.
final class ClosedConnections: Sendable {
    /// Shared with whoever looks at them, so that they are not copied one by one.
    private struct State {
        var ring: [ClosedConnection] = []
        /// Where the next one goes once the ring is full.
        var next = 0
        var subscriptions = 0
        /// The oldest connection that may have subscriptions, counted from the oldest one.
        var trimmed = 0
    }

    static let defaultCapacity = 10_000
    static let subscriptionsKept = 100_000

    private let capacity: Int
    private let state = NIOLockedValueBox(State())

    /// - Parameter capacity: How many are kept; 0 or less means the default.
    init(capacity: Int) { self.capacity = capacity > 0 ? capacity : Self.defaultCapacity }

    func append(_ connection: ClosedConnection) {
        self.state.withLockedValue { state in
            state.subscriptions += connection.connection.subscriptions.count
            if state.ring.count < self.capacity {
                state.ring.append(connection)
            } else {
                state.subscriptions -= state.ring[state.next].connection.subscriptions.count
                state.ring[state.next] = connection
                state.next = state.next + 1 == self.capacity ? 0 : state.next + 1
                state.trimmed = max(0, state.trimmed - 1)
            }
            while state.subscriptions > Self.subscriptionsKept, state.trimmed < state.ring.count {
                let index = (state.next + state.trimmed) % state.ring.count
                state.trimmed += 1
                let old = state.ring[index]
                guard !old.connection.subscriptions.isEmpty else { continue }
                state.subscriptions -= old.connection.subscriptions.count
                var connection = old.connection
                connection.subscriptions = []
                state.ring[index] = ClosedConnection(connection, stop: old.stop, reason: old.reason)
            }
        }
    }

    /// Oldest first.
    var all: [ClosedConnection] {
        let (ring, next) = self.state.withLockedValue { ($0.ring, $0.next) }
        return next == 0 ? ring : Array(ring[next...] + ring[..<next])
    }
}
