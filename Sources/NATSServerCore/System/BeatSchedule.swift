import NIOCore

/// When the connections of accounts are told though nothing has changed (nats-server events.go eventsHBInterval).
struct BeatSchedule<Key: Hashable & Sendable>: Sendable {
    static var interval: TimeAmount { .seconds(30) }

    private var times: [Key: NIODeadline] = [:]
    /// The time for which a timer is set.
    private var scheduled: NIODeadline?

    /// An account has been told of; it is told of again after the interval, unless it has no connections.
    mutating func told(_ key: Key, hasConnections: Bool, now: NIODeadline) {
        self.times[key] = hasConnections ? now + Self.interval : nil
    }

    /// The time for which a timer has to be set, which then counts as set; `nil` if one is.
    mutating func nextToSchedule() -> NIODeadline? {
        guard self.scheduled == nil, let next = self.times.values.min() else { return nil }
        self.scheduled = next
        return next
    }

    /// The timer has gone off.
    ///
    /// - Returns: what has to be told now.
    mutating func takeDue(now: NIODeadline) -> [Key] {
        self.scheduled = nil
        let due = self.times.filter { $0.value <= now }.map(\.key)
        for key in due { self.times[key] = nil }
        return due
    }
}
