/// One event loop's view of an account: its subscriptions and the loop's match results for them.
///
/// The cache is behind a pointer so that the per-message path pays for no exclusivity check.
///
/// `@unchecked Sendable`: confined to its loop.
final class AccountRouter: @unchecked Sendable {
    let account: Account
    let index: SubscriptionIndex
    let cache: UnsafeMutablePointer<MatchCache>
    /// Sums over the loop's connections of this account, closed ones included.
    var totals = ServerLoop.Totals()

    init(account: Account, budget: MatchCacheBudget) {
        self.account = account
        self.index = account.index
        self.cache = .allocate(capacity: 1)
        self.cache.initialize(to: MatchCache(index: account.index, budget: budget))
    }

    deinit {
        self.cache.deinitialize(count: 1)
        self.cache.deallocate()
    }
}
