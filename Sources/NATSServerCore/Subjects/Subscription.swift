internal import Synchronization

/// One SUB of one connection.
///
/// Immutable but for its counters and, under the lock of its ``SubscriptionIndex``, its place there and what its connection
/// understands.
///
/// `@unchecked Sendable`: the variables are only touched under that lock; each slot of `counters` is written by one event
/// loop only, and all are atomics.
final class Subscription: SublistElement, @unchecked Sendable {
    let subject: [UInt8]
    let queue: [UInt8]
    let sid: [UInt8]
    unowned let connection: ClientConnection
    /// Where the subscription stands.
    let index: SubscriptionIndex
    /// Whether the connection wants its own messages back; changes under the lock of the index only.
    private(set) var echo: Bool
    /// Whether the connection understands headers; changes under the lock of the index only.
    private(set) var headers: Bool
    /// Set if messages have to be held back from a subscription that is wider than a denial; changes under the lock of the
    /// index only.
    private(set) var deliveryFilter: ClientPermissions?
    /// Set if the connection may answer requests; changes under the lock of the index only.
    private(set) var replies: ReplyPermissions?
    var sublistPlace: SublistPlace?

    /// Messages delivered while no limit was set, one slot per event loop, so that counting needs no contended write.
    let counters: UnsafeMutablePointer<Atomic<Int>>
    private let loopCount: Int

    /// The total of the UNSUB in force; 0 means none.
    private let limit = Atomic<Int>(0)
    /// Messages delivered, once a limit is set.
    private let limited = Atomic<Int>(0)

    init(
        subject: [UInt8],
        queue: [UInt8],
        sid: [UInt8],
        connection: ClientConnection,
        index: SubscriptionIndex,
        echo: Bool,
        headers: Bool,
        permissions: ClientPermissions? = nil,
        replies: ReplyPermissions? = nil,
        loopCount: Int
    ) {
        self.subject = subject
        self.queue = queue
        self.sid = sid
        self.connection = connection
        self.index = index
        self.echo = echo
        self.headers = headers
        self.deliveryFilter = Self.filter(permissions, subject)
        self.replies = replies
        self.loopCount = loopCount
        self.counters = .allocate(capacity: loopCount)
        for loop in 0..<loopCount { (self.counters + loop).initialize(to: Atomic(0)) }
    }

    deinit {
        self.counters.deinitialize(count: self.loopCount)
        self.counters.deallocate()
    }

    /// The connection's first CONNECT came after the SUB, or its permissions have changed.
    func setPreferences(echo: Bool, headers: Bool, permissions: ClientPermissions?, replies: ReplyPermissions?) {
        self.echo = echo
        self.headers = headers
        self.deliveryFilter = Self.filter(permissions, self.subject)
        self.replies = replies
    }

    private static func filter(_ permissions: ClientPermissions?, _ subject: [UInt8]) -> ClientPermissions? {
        guard let permissions, permissions.filtersDelivery(of: subject) else { return nil }
        return permissions
    }

    /// Whether messages with this subject may not reach the subscription though it covers them; under the lock of the
    /// index only.
    func isDenied(_ subject: UnsafeBufferPointer<UInt8>) -> Bool {
        self.deliveryFilter?.denies(subject, queue: self.queue) ?? false
    }

    var isLimited: Bool { self.limit.load(ordering: .relaxed) != 0 }

    /// The total of the UNSUB in force; 0 means none.
    var currentLimit: Int { self.limit.load(ordering: .relaxed) }

    /// Messages delivered since the SUB.
    var delivered: Int { self.limited.load(ordering: .relaxed) &+ self.unlimited }

    private var unlimited: Int {
        (0..<self.loopCount).reduce(0) { $0 &+ self.counters[$1].load(ordering: .relaxed) }
    }

    /// Sets the total after which the subscription ends.
    ///
    /// - Returns: `false` if that many messages have been delivered already.
    func setLimit(_ total: Int) -> Bool {
        guard total > self.delivered else { return false }
        self.limit.store(total, ordering: .relaxed)
        return true
    }

    enum LimitedDelivery {
        case deliver
        case deliverLast
        case exceeded
    }

    /// Counts one delivery against the limit.
    func countLimited() -> LimitedDelivery {
        let total = self.limit.load(ordering: .relaxed)
        let count = self.limited.add(1, ordering: .relaxed).newValue &+ self.unlimited
        if count < total { return .deliver }
        return count == total ? .deliverLast : .exceeded
    }
}
