import HeapModule
import NIOCore

/// The timers of an event loop's connections.
///
/// Thousands of connections have one or two each and most never go off, so they are small values in one heap behind a
/// single task of the loop, instead of a task each. They are never cancelled: one that has lost its meaning goes off
/// unheard.
struct LoopTimers {
    enum Kind: UInt8 {
        case authentication
        case negotiation
        case keepAlive
    }

    struct Timer: Comparable {
        var deadline: NIODeadline
        var connection: UInt64
        var kind: Kind

        static func < (left: Self, right: Self) -> Bool { left.deadline < right.deadline }
    }

    private var heap = Heap<Timer>()
    /// Deadline of the earliest task that is set.
    private var scheduled: NIODeadline?

    mutating func set(_ kind: Kind, for connection: UInt64, at deadline: NIODeadline) {
        self.heap.insert(Timer(deadline: deadline, connection: connection, kind: kind))
    }

    /// The time for which a task has to be set, which then counts as set; `nil` if one is set that is early enough.
    mutating func nextToSchedule() -> NIODeadline? {
        guard let next = self.heap.min?.deadline, self.scheduled.map({ next < $0 }) ?? true else { return nil }
        self.scheduled = next
        return next
    }

    /// A task that was set has run.
    mutating func scheduledFired(_ deadline: NIODeadline) {
        if self.scheduled == deadline { self.scheduled = nil }
    }

    mutating func popDue(now: NIODeadline) -> Timer? {
        guard let first = self.heap.min, first.deadline <= now else { return nil }
        return self.heap.popMin()
    }
}
