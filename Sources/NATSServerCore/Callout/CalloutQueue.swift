import DequeModule

/// Questions to authorization services about all who are there, as a reload has them.
///
/// A service has to answer each within the time of an authentication, so it gets a few at a time; the official server asks
/// one after the other (nats-server reload.go reloadAuthorization). Confined to an event loop.
struct CalloutQueue {
    /// For all loops of a server together.
    static let mostAtOnce = 256

    private var waiting: Deque<CalloutTicket> = []
    private var room: Int

    init(loopCount: Int) { self.room = max(1, Self.mostAtOnce / max(1, loopCount)) }

    /// Asks as soon as there is room.
    ///
    /// - Parameters:
    ///   - ticket: The question.
    ///   - leave: Called once for every question that was begun, from anywhere; ``left(leave:)`` is to follow.
    mutating func add(_ ticket: CalloutTicket, leave: @escaping @Sendable () -> Void) {
        self.waiting.append(ticket)
        self.advance(leave)
    }

    /// A question has ended.
    mutating func left(leave: @escaping @Sendable () -> Void) {
        self.room += 1
        self.advance(leave)
    }

    private mutating func advance(_ leave: @escaping @Sendable () -> Void) {
        while self.room > 0, let next = self.waiting.popFirst() {
            if next.begin(leave: leave) { self.room -= 1 }
        }
    }
}
