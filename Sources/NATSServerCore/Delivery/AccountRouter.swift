/// One event loop's view of an account: its subscriptions and the loop's match results for them.
///
/// Confined to its loop. The cache is behind a pointer so that the per-message path pays for no exclusivity check.
final class AccountRouter {
    let index: SubscriptionIndex
    let cache: UnsafeMutablePointer<MatchCache>

    init(index: SubscriptionIndex) {
        self.index = index
        self.cache = .allocate(capacity: 1)
        self.cache.initialize(to: MatchCache(index: index))
    }

    deinit {
        self.cache.deinitialize(count: 1)
        self.cache.deallocate()
    }
}
