import NIOConcurrencyHelpers
import NATSWire
import Synchronization

/// The subscriptions of one account, shared by all event loops.
///
/// Each loop keeps match results of its own (``MatchCache``). A result says at which *generation* it was right. Every
/// change bumps the generation; a loop reads it once per batch of input. A result of an older generation is not thrown
/// away: a short log of recent changes tells whether any of them could concern its subject, so subscriptions that come
/// and go (one inbox per request, say) do not cost everybody else's results.
///
/// `@unchecked Sendable`: all but the generation is only touched under `lock`.
final class SubscriptionIndex: @unchecked Sendable {
    /// A subject that was subscribed to or left.
    private struct Change {
        /// Hash of the subject if it has no wildcards, else 0.
        var hash: UInt64
        /// The subject if it has wildcards, else empty.
        var pattern: [UInt8]
    }

    private static let logLength = 256
    private static let removedAtOnce = 1024

    let hash: SubjectHash
    /// Whose subscriptions they are, as routes name it.
    let account: [UInt8]
    private let currentGeneration = Atomic<UInt64>(1)
    private let lock = NIOLock()
    private var sublist: Sublist<Subscription>
    /// What other servers want.
    private var remote: Sublist<RemoteInterest>
    /// What other servers are told; kept once somebody is to be told.
    private var ledger: InterestLedger?
    private var watchers: [InterestWatcher] = []
    /// Leaf nodes, and hubs, that are told.
    private var leafWatchers: [InterestWatcher] = []
    /// What published subjects become; read under the lock only, by ``withMatch(_:_:)``'s caller.
    private var mappings = SubjectMappings([])
    private var inserts = 0
    private var removes = 0
    /// The change that led to generation `g` is at `g % logLength`.
    private var log: [Change]

    init(hash: SubjectHash, account: [UInt8] = []) {
        self.hash = hash
        self.account = account
        self.sublist = Sublist(hash: hash)
        self.remote = Sublist(hash: hash)
        self.log = Array(repeating: Change(hash: 0, pattern: []), count: Self.logLength)
    }

    /// Grows with every change.
    ///
    /// A change made before a peer's bytes were sent is visible after those were received.
    var generation: UInt64 { self.currentGeneration.load(ordering: .acquiring) }

    /// How many subscriptions there are.
    var count: Int { self.lock.withLock { self.sublist.count } }

    /// - Returns: `false` if the subject cannot be subscribed to.
    func insert(_ subscription: Subscription) -> Bool {
        self.lock.withLock { self.insertLocked(subscription) }
    }

    private func insertLocked(_ subscription: Subscription) -> Bool {
        guard self.sublist.insert(subscription) else { return false }
        self.inserts += 1
        self.recordChange(of: subscription.subject)
        self.interestChanged(subscription, by: 1)
        return true
    }

    /// Puts subscriptions in the place of others: every message finds the ones or the others, never both and never none.
    ///
    /// - Returns: those of the new ones that can be subscribed to.
    func exchange(_ old: [Subscription], for new: [Subscription]) -> [Subscription] {
        self.lock.withLock {
            old.forEach(self.removeLocked)
            return new.filter(self.insertLocked)
        }
    }

    func remove(_ subscription: Subscription) {
        self.lock.withLock {
            self.removeLocked(subscription)
        }
    }

    /// Removes many, in slices, so that other loops get their turn in between.
    func remove(contentsOf subscriptions: some Collection<Subscription>) {
        var rest = subscriptions[...]
        while !rest.isEmpty {
            let slice = rest.prefix(Self.removedAtOnce)
            rest = rest.dropFirst(Self.removedAtOnce)
            self.lock.withLock {
                slice.forEach(self.removeLocked)
            }
        }
    }

    private func removeLocked(_ subscription: Subscription) {
        guard self.sublist.remove(subscription) else { return }
        self.removes += 1
        self.recordChange(of: subscription.subject)
        self.interestChanged(subscription, by: -1)
    }

    /// Tells all loops that something else about a subscription has changed, such as its limit.
    ///
    /// - Parameters:
    ///   - subscription: The subscription, in the index.
    ///   - change: Makes the change, under the lock.
    func touch(_ subscription: Subscription, change: (Subscription) -> Void = { _ in }) {
        self.lock.withLock {
            change(subscription)
            self.recordChange(of: subscription.subject)
        }
    }

    /// Matches a published subject and hands the result and its generation to `body`, still under the lock, so that
    /// every subscription in it (and so its connection) is alive.
    func withMatch<R>(
        _ subject: UnsafeBufferPointer<UInt8>,
        _ body: (Sublist<Subscription>.Match, UInt64) -> R
    ) -> R {
        self.lock.withLock {
            body(self.sublist.match(subject), self.currentGeneration.load(ordering: .relaxed))
        }
    }

    /// What a published subject becomes, if anything; under the lock, within ``withMatch(_:_:)``.
    func mapped(_ subject: UnsafeBufferPointer<UInt8>) -> MappedSubject? {
        self.mappings.isEmpty ? nil : self.mappings.match(subject)
    }

    var currentMappings: SubjectMappings { self.lock.withLock { self.mappings } }

    /// Makes subjects become others from now on.
    func setMappings(_ mappings: SubjectMappings) {
        self.lock.withLock {
            guard mappings != self.mappings else { return }
            // Leaf nodes send what is wanted only.
            for old in self.mappings.mappings { self.tellLeafs(Array(old.source.utf8), [], .local, by: -1) }
            for new in mappings.mappings { self.tellLeafs(Array(new.source.utf8), [], .local, by: 1) }
            self.mappings = mappings
            // Every subject may be concerned.
            self.record(Change(hash: 0, pattern: [UInt8(ascii: ">")]))
        }
    }

    /// Whether a result for `subject` that was right at `generation` still is.
    ///
    /// - Returns: the generation at which it is known to be right, or `nil` if it has to be matched again.
    func revalidate(
        _ subject: UnsafeBufferPointer<UInt8>,
        hash: UInt64,
        since generation: UInt64
    ) -> UInt64? {
        self.lock.withLock {
            let current = self.currentGeneration.load(ordering: .relaxed)
            guard current - generation <= UInt64(Self.logLength) else { return nil }
            var next = generation
            while next < current {
                next += 1
                let slot = Int(truncatingIfNeeded: next % UInt64(Self.logLength))
                if self.log[slot].pattern.isEmpty {
                    if self.log[slot].hash == hash { return nil }
                } else {
                    let concerned = self.log[slot].pattern.withUnsafeBytes {
                        SubjectGrammar.matches(subject: UnsafeRawBufferPointer(subject), pattern: $0)
                    }
                    if concerned { return nil }
                }
            }
            return current
        }
    }

    // MARK: Other servers

    /// What other servers want of a subject, if anything; under the lock, within ``withMatch(_:_:)``.
    func remoteMatch(_ subject: UnsafeBufferPointer<UInt8>) -> RemoteMatch? {
        guard self.remote.count > 0 else { return nil }
        var match = self.remote.match(subject)
        let isFree =
            match.plain.allSatisfy { $0.allows(subject) }
            && match.groups.allSatisfy { $0.allSatisfy { $0.allows(subject) } }
        if !isFree {
            match.plain.removeAll { !$0.allows(subject) }
            for index in match.groups.indices { match.groups[index].removeAll { !$0.allows(subject) } }
            match.groups.removeAll { $0.isEmpty }
        }
        return match.isEmpty ? nil : RemoteMatch(account: self.account, interest: match)
    }

    /// How many subscriptions other servers have told of.
    var remoteCount: Int { self.lock.withLock { self.remote.count } }

    /// Another server wants something.
    ///
    /// - Returns: `false` if that cannot be subscribed to.
    func insert(_ interest: RemoteInterest) -> Bool {
        self.lock.withLock {
            guard self.remote.insert(interest) else { return false }
            self.inserts += 1
            self.recordChange(of: interest.subject)
            self.interestChanged(interest, by: interest.weight)
            return true
        }
    }

    /// A queue group has so many members on another server now.
    func setWeight(of interest: RemoteInterest, to weight: Int) {
        self.lock.withLock {
            guard interest.weight != weight else { return }
            let change = weight - interest.weight
            interest.weight = weight
            self.recordChange(of: interest.subject)
            self.interestChanged(interest, by: change)
        }
    }

    /// Other servers do not want that any more; taken out in slices.
    func remove(contentsOf interests: some Collection<RemoteInterest>) {
        var rest = interests[...]
        while !rest.isEmpty {
            let slice = rest.prefix(Self.removedAtOnce)
            rest = rest.dropFirst(Self.removedAtOnce)
            self.lock.withLock {
                for interest in slice where self.remote.remove(interest) {
                    self.removes += 1
                    self.recordChange(of: interest.subject)
                    self.interestChanged(interest, by: -interest.weight)
                }
            }
        }
    }

    /// How many messages went to other servers for each of some subscriptions; looked at in slices.
    func deliveries(of interests: [RemoteInterest]) -> [Int] {
        var deliveries: [Int] = []
        deliveries.reserveCapacity(interests.count)
        for start in stride(from: 0, to: interests.count, by: Self.visitedAtOnce) {
            let slice = interests[start..<min(interests.count, start + Self.visitedAtOnce)]
            self.lock.withLock { deliveries += slice.map(\.delivered) }
        }
        return deliveries
    }

    /// How many of the subscriptions that other servers have told of are some that are looked for; looked at in slices.
    func countRemote(where isWanted: (RemoteInterest) -> Bool) -> Int {
        var cursor = Sublist<RemoteInterest>.Cursor()
        var (count, hasMore) = (0, true)
        while hasMore {
            self.lock.withLock {
                hasMore = self.remote.visit(&cursor, atMost: Self.visitedAtOnce) { if isWanted($0) { count += 1 } }
            }
        }
        return count
    }

    /// Begins to tell another server what is wanted here.
    func begin(_ watcher: InterestWatcher) {
        self.lock.withLock {
            if let interest = watcher.leafInterest {
                self.fill(interest)
                self.leafWatchers.append(watcher)
            } else {
                if self.ledger == nil { self.ledger = self.makeLedger() }
                watcher.cursor = self.ledger?.makeCursor()
                self.watchers.append(watcher)
            }
            watcher.interestChanged()
        }
    }

    /// A route is to hear nothing more of the account.
    ///
    /// - Returns: what it has been told of and has to be taken back.
    func withdraw(_ watcher: InterestWatcher) -> [InterestLedger.Update] {
        self.lock.withLock {
            self.watchers.removeAll { $0 === watcher }
            guard let cursor = watcher.cursor.take() else { return [] }
            return self.ledger?.withdraw(cursor) ?? []
        }
    }

    /// A route is to be told everything again.
    ///
    /// - Returns: what it has been told of and has gone.
    func restart(_ watcher: InterestWatcher) -> [InterestLedger.Update] {
        self.lock.withLock {
            guard let cursor = watcher.cursor, let restarted = self.ledger?.restart(cursor) else { return [] }
            watcher.cursor = restarted.cursor
            watcher.interestChanged()
            return restarted.gone
        }
    }

    /// The connection to another server has ended.
    func end(_ watcher: InterestWatcher) {
        self.lock.withLock {
            self.watchers.removeAll { $0 === watcher }
            self.leafWatchers.removeAll { $0 === watcher }
            watcher.leafInterest = nil
            if let cursor = watcher.cursor.take() { self.ledger?.remove(cursor) }
        }
    }

    /// What another server is to be told next.
    ///
    /// - Parameters:
    ///   - watcher: That server's.
    ///   - limit: How many changes are looked at.
    ///   - body: Gets them in their order; under the lock.
    /// - Returns: whether there is more.
    func next(_ watcher: InterestWatcher, atMost limit: Int, _ body: (InterestLedger.Update) -> Void) -> Bool {
        self.lock.withLock {
            if let interest = watcher.leafInterest { return interest.next(atMost: limit, body) }
            guard let cursor = watcher.cursor else { return false }
            return self.ledger?.next(cursor, atMost: limit, body) ?? false
        }
    }

    /// What other servers may get has changed.
    func peersChanged() { self.lock.withLock { self.record(Change(hash: 0, pattern: [UInt8(ascii: ">")])) } }

    private func makeLedger() -> InterestLedger {
        var ledger = InterestLedger(hash: self.hash)
        self.visitLocked { subscription in
            guard subscription.concernsPeers else { return }
            ledger.change(subscription.subject, queue: subscription.queue, by: 1)
        }
        self.visitRemoteLocked { interest in
            guard interest.concernsRoutes else { return }
            ledger.change(interest.subject, queue: interest.queue, by: interest.weight)
        }
        return ledger
    }

    /// Notes all that a leaf node, or the hub, is to be told.
    private func fill(_ interest: LeafInterest) {
        self.visitLocked { subscription in
            _ = interest.change(subscription.subject, queue: subscription.queue, of: .local, by: 1)
        }
        self.visitRemoteLocked { remote in
            _ = interest.change(remote.subject, queue: remote.queue, of: remote.source, by: remote.weight)
        }
        for mapping in self.mappings.mappings {
            _ = interest.change(Array(mapping.source.utf8), queue: [], of: .local, by: 1)
        }
    }

    private func visitLocked(_ body: (Subscription) -> Void) {
        var cursor = Sublist<Subscription>.Cursor()
        while self.sublist.visit(&cursor, atMost: Self.visitedAtOnce, body) {}
    }

    private func visitRemoteLocked(_ body: (RemoteInterest) -> Void) {
        var cursor = Sublist<RemoteInterest>.Cursor()
        while self.remote.visit(&cursor, atMost: Self.visitedAtOnce, body) {}
    }

    private func interestChanged(_ subscription: Subscription, by count: Int) {
        if !self.leafWatchers.isEmpty { self.tellLeafs(subscription.subject, subscription.queue, .local, by: count) }
        guard self.ledger != nil, subscription.concernsPeers else { return }
        self.tellRoutes(subscription.subject, subscription.queue, by: count)
    }

    private func interestChanged(_ interest: RemoteInterest, by count: Int) {
        if !self.leafWatchers.isEmpty {
            self.tellLeafs(interest.subject, interest.queue, interest.source, by: count, besides: interest.peer)
        }
        guard self.ledger != nil, interest.concernsRoutes else { return }
        self.tellRoutes(interest.subject, interest.queue, by: count)
    }

    private func tellRoutes(_ subject: [UInt8], _ queue: [UInt8], by count: Int) {
        let before = self.ledger?.latest
        self.ledger?.change(subject, queue: queue, by: count)
        guard self.ledger?.latest != before else { return }
        for watcher in self.watchers { watcher.interestChanged() }
    }

    private func tellLeafs(
        _ subject: [UInt8],
        _ queue: [UInt8],
        _ source: LeafAudience.Source,
        by count: Int,
        besides peer: PeerConnection? = nil
    ) {
        for watcher in self.leafWatchers where peer == nil || !watcher.belongs(to: peer) {
            guard watcher.leafInterest?.change(subject, queue: queue, of: source, by: count) == true else { continue }
            watcher.interestChanged()
        }
    }

    // MARK: Monitoring

    /// So many subscriptions are looked at before others get their turn.
    private static let visitedAtOnce = 1024

    var statistics: SublistStatistics {
        self.lock.withLock {
            var statistics = SublistStatistics()
            statistics.subscriptions = self.sublist.count + self.remote.count
            statistics.inserts = self.inserts
            statistics.removes = self.removes
            return statistics
        }
    }

    /// Some of the subscriptions, in no particular order.
    ///
    /// What comes or goes meanwhile may be missed.
    ///
    /// - Parameters:
    ///   - subject: Only those that want this subject, if given.
    ///   - offset: How many are passed over.
    ///   - limit: How many are returned at most.
    ///   - size: What those that are returned may take.
    /// - Returns: how many there are in all, and the ones asked for; `nil` if those are too many.
    func list(
        wanting subject: [UInt8]?,
        offset: Int,
        limit: Int,
        within size: PageSize
    ) -> (total: Int, page: [SubscriptionSnapshot])? {
        var total = 0
        var page: [SubscriptionSnapshot] = []
        self.visit(
            where: { subscription in subject.map { Self.wants(subscription, $0) } ?? true },
            { subscriptions in
                for subscription in subscriptions {
                    defer { total += 1 }
                    guard total >= offset, page.count < limit else { continue }
                    guard size.take(subscription.pageSize) else { return false }
                    page.append(subscription)
                }
                return true
            }
        )
        return size.isExceeded ? nil : (total, page)
    }

    /// Looks at the subscriptions of some connections.
    ///
    /// What comes or goes meanwhile may be missed.
    ///
    /// - Parameters:
    ///   - connections: The client ids.
    ///   - body: Gets some subscriptions at a time; not under the lock. Ends the visit with `false`.
    func visit(of connections: Set<UInt64>, _ body: ([SubscriptionSnapshot]) -> Bool) {
        self.visit(
            where: { subscription in
                subscription.stream == nil && subscription.connection.map { connections.contains($0.id) } ?? false
            },
            body
        )
    }

    /// Looks at all subscriptions, some at a time.
    ///
    /// - Parameters:
    ///   - isWanted: Says which; under the lock.
    ///   - body: Gets some of them, not under the lock; ends the visit with `false`.
    func visit(where isWanted: (Subscription) -> Bool, _ body: ([SubscriptionSnapshot]) -> Bool) {
        var cursor = Sublist<Subscription>.Cursor()
        var isDone = false
        while !isDone {
            var found: [SubscriptionSnapshot] = []
            self.lock.withLock {
                let hasMore = self.sublist.visit(&cursor, atMost: Self.visitedAtOnce) { subscription in
                    guard isWanted(subscription) else { return }
                    found.append(SubscriptionSnapshot(subscription, connection: subscription.connection?.id ?? 1))
                }
                isDone = !hasMore
            }
            guard body(found) else { return }
        }
    }

    private static func wants(_ subscription: Subscription, _ subject: [UInt8]) -> Bool {
        subject.withUnsafeBytes { subject in
            subscription.subject.withUnsafeBytes { SubjectGrammar.matches(subject: subject, pattern: $0) }
        }
    }

    private func recordChange(of subject: [UInt8]) {
        let change = subject.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress, !SubjectGrammar.hasWildcards(UnsafeRawBufferPointer(bytes)) else {
                return Change(hash: 0, pattern: subject)
            }
            return Change(hash: self.hash(base, bytes.count), pattern: [])
        }
        self.record(change)
    }

    private func record(_ change: Change) {
        let next = self.currentGeneration.load(ordering: .relaxed) + 1
        self.log[Int(truncatingIfNeeded: next % UInt64(Self.logLength))] = change
        self.currentGeneration.store(next, ordering: .releasing)
    }
}
