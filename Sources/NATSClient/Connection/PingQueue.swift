import DequeModule
import NIOCore

/// Who sent which PING: the server answers them in order (client-protocol: each `PONG` belongs to the oldest PING).
struct PingQueue {
    /// Is told once: the time of the `PONG`, or an error.
    ///
    /// Must not block, and is called outside locks.
    struct Waiter: Sendable {
        let complete: @Sendable (Result<NIODeadline, NATSError>) -> Void
    }

    private var written: Deque<Waiter> = []
    private var unwritten: [Waiter] = []

    /// PINGs that no socket has been given yet.
    var unwrittenCount: Int {
        self.unwritten.count
    }

    mutating func append(_ waiter: Waiter) {
        self.unwritten.append(waiter)
    }

    /// All bytes appended so far have been given to the socket.
    mutating func handedOver() {
        self.written.append(contentsOf: self.unwritten)
        self.unwritten.removeAll(keepingCapacity: true)
    }

    /// A `PONG` arrived; nil if no PING is unanswered.
    mutating func answered() -> Waiter? {
        self.written.popFirst()
    }

    /// The PINGs given to the lost connection; the others stay for the next one.
    mutating func connectionLost() -> [Waiter] {
        defer {
            self.written.removeAll()
        }
        return self.written.isEmpty ? [] : Array(self.written)
    }

    mutating func removeAll() -> [Waiter] {
        defer {
            self.unwritten.removeAll()
        }
        return self.connectionLost() + self.unwritten
    }
}
