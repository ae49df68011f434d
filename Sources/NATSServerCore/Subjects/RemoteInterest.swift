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
    var sublistPlace: SublistPlace?

    init(subject: [UInt8], queue: [UInt8], weight: Int, peer: PeerConnection) {
        self.subject = subject
        self.queue = queue
        self.weight = weight
        self.peer = peer
    }

    /// Whether other servers of the cluster are told of it, as of what is local.
    var concernsRoutes: Bool { self.peer.peerKind == .leafNode }

    /// Whose it is, for leaf nodes and hubs.
    var source: LeafAudience.Source {
        switch self.peer.peerKind {
        case .leafNode: .leafNode(cluster: self.peer.origin)
        case .hub: .hub(cluster: self.peer.origin)
        default: .route
        }
    }
}
