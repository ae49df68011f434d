import HeapModule
import NIOCore

/// The timers of an event loop's connections.
///
/// Thousands of connections have one or two each and most never go off, so they are small values in one heap behind a
/// single task of the loop, instead of a task each. None is cancelled by itself: one that has lost its meaning goes off
/// unheard. Those of connections that are gone are swept out together when there have been as many ends as there are
/// connections, so that an end costs next to nothing and no interval, however long, lets the heap grow.
struct LoopTimers {
    enum Kind: UInt8 {
        case authentication
        case negotiation
        case keepAlive
        /// The end of a user's JWT.
        case userExpiry
    }

    struct Timer: Comparable {
        var deadline: NIODeadline
        var connection: UInt64
        var kind: Kind

        static func < (left: Self, right: Self) -> Bool { left.deadline < right.deadline }
    }

    /// So many connections may have ended before anything is swept out.
    private static let keptEnds = 64

    private var heap = Heap<Timer>()
    /// Connections that have ended since the last sweep.
    private var ends = 0
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

    /// A connection has ended.
    ///
    /// - Parameters:
    ///   - remaining: How many connections there are without it.
    ///   - isOpen: Whether a connection is one of them.
    mutating func connectionEnded(remaining: Int, isOpen: (UInt64) -> Bool) {
        self.ends += 1
        guard remaining == 0 || self.ends >= max(Self.keptEnds, remaining) else { return }
        self.ends = 0
        self.heap = Heap(self.heap.unordered.filter { isOpen($0.connection) })
    }

    /// The task that was set will not run.
    mutating func taskCancelled() { self.scheduled = nil }

    /// Timers that are set, with those of ended connections that have not been swept out.
    var count: Int { self.heap.count }

    mutating func popDue(now: NIODeadline) -> Timer? {
        guard let first = self.heap.min, first.deadline <= now else { return nil }
        return self.heap.popMin()
    }
}
