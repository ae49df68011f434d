import NIOConcurrencyHelpers

/// A look for an account that a connection waits for.
///
/// Nothing of the connection is kept once it does not wait any more, and the look is not made: anybody can make up users
/// of accounts, faster than another server answers.
final class AccountLookUp: PendingCheck {
    private let completion: NIOLockedValueBox<(@Sendable (AccountLookUp, OperatorMode.LookUp) -> Void)?>

    /// - Parameter completion: Called at most once, on another thread; must only hand the result on.
    init(_ completion: @escaping @Sendable (AccountLookUp, OperatorMode.LookUp) -> Void) {
        self.completion = NIOLockedValueBox(completion)
    }

    /// Whether somebody waits.
    var isWanted: Bool { self.completion.withLockedValue { $0 != nil } }

    /// Lets go of the connection, but not under the lock.
    func cancel() { _ = self.completion.withLockedValue { $0.take() } }

    func complete(_ outcome: OperatorMode.LookUp) { self.completion.withLockedValue { $0.take() }?(self, outcome) }
}
