internal import Synchronization

/// One SUB of one connection, or one of the server's own.
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
    /// `nil` if the subscription is the server's own.
    unowned let connection: ClientConnection?
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
    /// What the server itself does with the messages.
    let service: ServiceTarget?
    /// Set if this is the shadow of a subscription in the account that exports these subjects.
    let stream: StreamImport?
    /// The shadows of this one; only touched on the connection's event loop.
    var shadows: [Subscription] = []
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
        self.service = nil
        self.stream = nil
        self.echo = echo
        self.headers = headers
        self.deliveryFilter = Self.filter(permissions, subject)
        self.replies = replies
        self.loopCount = loopCount
        self.counters = .allocate(capacity: loopCount)
        for loop in 0..<loopCount { (self.counters + loop).initialize(to: Atomic(0)) }
    }

    /// The shadow of a subscription.
    init(of subscription: Subscription, for stream: StreamImport, subject: [UInt8], permissions: ClientPermissions?) {
        self.subject = subject
        self.queue = subscription.queue
        self.sid = subscription.sid
        self.connection = subscription.connection
        self.index = stream.exporter.index
        self.service = nil
        self.stream = stream
        self.echo = subscription.echo
        self.headers = subscription.headers
        self.deliveryFilter = Self.filter(permissions, Array(stream.to.utf8))
        self.replies = subscription.replies
        self.loopCount = subscription.loopCount
        self.counters = .allocate(capacity: self.loopCount)
        for loop in 0..<self.loopCount { (self.counters + loop).initialize(to: Atomic(0)) }
    }

    /// One of the server's own.
    init(subject: [UInt8], sid: [UInt8], service: ServiceTarget, index: SubscriptionIndex) {
        self.subject = subject
        self.queue = []
        self.sid = sid
        self.connection = nil
        self.index = index
        self.service = service
        self.stream = nil
        self.echo = true
        self.headers = true
        self.loopCount = 1
        self.counters = .allocate(capacity: 1)
        self.counters.initialize(to: Atomic(0))
    }

    deinit {
        self.counters.deinitialize(count: self.loopCount)
        self.counters.deallocate()
    }

    /// The connection's first CONNECT came after the SUB, or its permissions have changed.
    func setPreferences(echo: Bool, headers: Bool, permissions: ClientPermissions?, replies: ReplyPermissions?) {
        self.echo = echo
        self.headers = headers
        self.deliveryFilter = Self.filter(permissions, self.stream.map { Array($0.to.utf8) } ?? self.subject)
        self.replies = replies
    }

    private static func filter(_ permissions: ClientPermissions?, _ subject: [UInt8]) -> ClientPermissions? {
        guard let permissions, permissions.filtersDelivery(of: subject) else { return nil }
        return permissions
    }

    /// Whether messages with this subject may not reach the subscription though it covers them; under the lock of the
    /// index only.
    func isDenied(_ subject: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let filter = self.deliveryFilter else { return false }
        guard let stream = self.stream else { return filter.denies(subject, queue: self.queue) }
        return stream.localSubject(of: subject).withUnsafeBufferPointer { filter.denies($0, queue: self.queue) }
    }

    /// Whether other servers are told of it: not of requests to services, which leave the account where they were made
    /// (nats-server accounts.go addServiceImportSub), nor of what the server answers for its own clients alone.
    var concernsPeers: Bool {
        switch self.service {
        case .request: false
        case .server(let subscription): !subscription.isLocal
        case .answer, nil: true
        }
    }

    /// Counts a message for one of the server's own, which all loops share.
    func countOwn() { self.counters[0].add(1, ordering: .relaxed) }

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
