import NIOConcurrencyHelpers
import NIOCore

/// A look for an account that a connection waits for.
///
/// Nothing of the connection is kept once it does not wait any more, and the look is not made: anybody can make up users
/// of accounts, faster than another server answers.
final class AccountLookUp: PendingCheck {
    private struct Waiter {
        let tell: @Sendable (AccountLookUp, OperatorMode.LookUp) -> Void
        var timeout: Scheduled<Void>?
    }

    private let waiter: NIOLockedValueBox<Waiter?>

    /// - Parameter completion: Called at most once, on another thread; must only hand the result on.
    init(_ completion: @escaping @Sendable (AccountLookUp, OperatorMode.LookUp) -> Void) {
        self.waiter = NIOLockedValueBox(Waiter(tell: completion))
    }

    /// Whether somebody waits.
    var isWanted: Bool { self.waiter.withLockedValue { $0 != nil } }

    /// Gives up after some time.
    func expire(in time: TimeAmount, on eventLoop: any EventLoop) {
        let timeout = eventLoop.scheduleTask(in: time) { self.complete(.failed("account fetch timed out")) }
        let isLate = self.waiter.withLockedValue { waiter in
            waiter?.timeout = timeout
            return waiter == nil
        }
        if isLate { timeout.cancel() }
    }

    /// Lets go of the connection, but not under the lock.
    func cancel() { _ = self.takeWaiter() }

    func complete(_ outcome: OperatorMode.LookUp) { self.takeWaiter()?.tell(self, outcome) }

    private func takeWaiter() -> Waiter? {
        let waiter = self.waiter.withLockedValue { $0.take() }
        waiter?.timeout?.cancel()
        return waiter
    }
}
