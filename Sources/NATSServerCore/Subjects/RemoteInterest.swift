internal import Synchronization

/// What another server has told of its subscriptions: one subject, or one queue group of it.
///
/// `@unchecked Sendable`: the variables are only touched under the lock of the ``SubscriptionIndex`` that it stands in.
final class RemoteInterest: SublistElement, @unchecked Sendable {
    let subject: [UInt8]
    let queue: [UInt8]
    /// Which way messages go; takes it out of the index before it ends.
    unowned let peer: PeerConnection
    /// Members of the queue group; 1 without one.
    var weight: Int
    /// Set if this is the shadow of an interest, in the account that exports these subjects.
    let stream: StreamImport?
    var sublistPlace: SublistPlace?
    /// Messages that went to the other server for it, one slot per event loop; made when the first one may.
    private var counters: UnsafeMutablePointer<Atomic<Int>>?
    private var counterCount = 0

    init(subject: [UInt8], queue: [UInt8], weight: Int, peer: PeerConnection, stream: StreamImport? = nil) {
        self.stream = stream
        self.subject = subject
        self.queue = queue
        self.weight = weight
        self.peer = peer
    }

    /// Where it stands.
    var index: SubscriptionIndex { self.stream?.exporter.index ?? self.peer.account.index }

    /// What a message's subject becomes on its way to the peer, if anything.
    func mapped(_ subject: UnsafeBufferPointer<UInt8>) -> [UInt8]? { self.stream?.localSubject(of: subject) }

    /// Whether messages with a subject may go to the other server.
    func allows(_ subject: UnsafeBufferPointer<UInt8>) -> Bool {
        self.mapped(subject)?.withUnsafeBufferPointer(self.peer.mayReceive) ?? self.peer.mayReceive(subject)
    }

    /// Whether other servers of the cluster are told of it, as of what is local.
    var concernsRoutes: Bool { self.isOfLeafNode }

    /// Whether a leaf node has told of it: not the hub, nor another server of the cluster.
    var isOfLeafNode: Bool { self.peer.peerKind == .leafNode }

    /// Whose it is, for leaf nodes and hubs.
    var source: LeafAudience.Source {
        switch self.peer.peerKind {
        case .leafNode: .leafNode(cluster: self.peer.origin)
        case .hub: .hub(cluster: self.peer.origin)
        default: .route
        }
    }

    deinit {
        self.counters?.deinitialize(count: self.counterCount)
        self.counters?.deallocate()
    }

    /// Where an event loop counts messages.
    ///
    /// - Parameters:
    ///   - loop: The index of the loop.
    ///   - count: How many loops there are.
    /// - Returns: an address that is good as long as this object.
    func counter(of loop: Int, outOf count: Int) -> UnsafeMutablePointer<Atomic<Int>> {
        if let counters = self.counters { return counters + loop }
        let counters = UnsafeMutablePointer<Atomic<Int>>.allocate(capacity: count)
        for loop in 0..<count { (counters + loop).initialize(to: Atomic(0)) }
        self.counters = counters
        self.counterCount = count
        return counters + loop
    }

    /// Messages that went to the other server for it.
    var delivered: Int {
        guard let counters = self.counters else { return 0 }
        return (0..<self.counterCount).reduce(0) { $0 &+ counters[$1].load(ordering: .relaxed) }
    }
}
