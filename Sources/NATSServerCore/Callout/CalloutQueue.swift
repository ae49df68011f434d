import DequeModule

/// Questions to authorization services about all who are there, as a reload has them.
///
/// A service has to answer each within the time of an authentication, so it gets a few at a time; the official server asks
/// one after the other (nats-server reload.go reloadAuthorization). Confined to an event loop.
struct CalloutQueue {
    /// When somebody is asked about.
    enum Turn {
        /// Before those who came last: the questions of an earlier reload had not come to him yet, and frequent reloads must not
        /// put him off for ever.
        case next
        case last
    }

    private var overdue: Deque<CalloutTicket> = []
    private var waiting: Deque<CalloutTicket> = []
    private var room: Int

    /// - Parameters:
    ///   - mostAtOnce: For all loops of a server together; each has one at least.
    ///   - loopCount: How many they are.
    init(mostAtOnce: Int, loopCount: Int) { self.room = max(1, mostAtOnce / max(1, loopCount)) }

    /// Asks as soon as there is room.
    ///
    /// - Parameters:
    ///   - ticket: The question.
    ///   - turn: When.
    ///   - leave: Called once for every question that was begun, from anywhere; ``left(leave:)`` is to follow.
    mutating func add(_ ticket: CalloutTicket, _ turn: Turn, leave: @escaping @Sendable () -> Void) {
        switch turn {
        case .next: self.overdue.append(ticket)
        case .last: self.waiting.append(ticket)
        }
        self.advance(leave)
    }

    /// A question has ended.
    mutating func left(leave: @escaping @Sendable () -> Void) {
        self.room += 1
        self.advance(leave)
    }

    private mutating func advance(_ leave: @escaping @Sendable () -> Void) {
        while self.room > 0, let next = self.overdue.popFirst() ?? self.waiting.popFirst() {
            if next.begin(leave: leave) { self.room -= 1 }
        }
    }
}
