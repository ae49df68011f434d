import Synchronization

/// One account's interest on its way to one route.
///
/// `@unchecked Sendable`: `cursor` is only touched under the lock of the account's ``SubscriptionIndex``.
final class InterestWatcher: @unchecked Sendable {
    let account: Account
    /// Ends the watcher before it ends itself.
    private unowned let route: RouteConnection
    var cursor: InterestLedger.Cursor?
    /// Whether the route knows that there is something to tell.
    private let isPending = Atomic<Bool>(false)

    init(account: Account, route: RouteConnection) {
        self.account = account
        self.route = route
    }

    /// There is something to tell; under the lock of the index, so that it costs next to nothing once the route knows.
    func interestChanged() {
        guard !self.isPending.load(ordering: .relaxed), !self.isPending.exchange(true, ordering: .acquiringAndReleasing)
        else { return }
        self.route.interestIsPending(self)
    }

    /// The route is about to look what there is to tell.
    func willLook() { self.isPending.store(false, ordering: .releasing) }
}
