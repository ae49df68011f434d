import NIOConcurrencyHelpers
import Synchronization

/// Staged output that other event loops have handed over to one; in order per sender.
///
/// One lock per batch and target loop, never per message.
final class LoopMailbox: Sendable {
    private let letters = NIOLockedValueBox<[(ServerConnection, Outlet.Staged)]>([])
    private let filled = Atomic<Bool>(false)

    /// Whether there is something to take; cheap enough to ask for every read.
    var hasMail: Bool { self.filled.load(ordering: .acquiring) }

    /// Leaves output for a connection.
    ///
    /// - Returns: whether the box was empty, so that its owner has to be told.
    func put(_ connection: ServerConnection, _ staged: Outlet.Staged) -> Bool {
        self.letters.withLockedValue { letters in
            letters.append((connection, staged))
            self.filled.store(true, ordering: .releasing)
            return letters.count == 1
        }
    }

    /// Takes everything, oldest first.
    func take() -> [(ServerConnection, Outlet.Staged)] {
        self.letters.withLockedValue { letters in
            self.filled.store(false, ordering: .releasing)
            defer { letters = [] }
            return letters
        }
    }
}
