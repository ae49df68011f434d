import Synchronization

/// One account's interest on its way to another server.
///
/// `@unchecked Sendable`: `cursor` and `leafInterest` are only touched under the lock of the account's ``SubscriptionIndex``.
final class InterestWatcher: @unchecked Sendable {
    let account: Account
    /// Ends the watcher before it ends itself.
    private unowned let peer: PeerConnection
    var cursor: InterestLedger.Cursor?
    /// What the peer is told if it is a leaf node or the hub: each is told of all but its own.
    var leafInterest: LeafInterest?
    /// Whether the peer's connection knows that there is something to tell.
    private let isPending = Atomic<Bool>(false)

    /// - Parameters:
    ///   - account: Whose interest it is.
    ///   - peer: Who is told of it.
    ///   - leafInterest: What of it, if it is a leaf node or the hub.
    init(account: Account, peer: PeerConnection, leafInterest: LeafInterest? = nil) {
        self.account = account
        self.peer = peer
        self.leafInterest = leafInterest
    }

    /// Whether it is told to a peer.
    func belongs(to peer: PeerConnection?) -> Bool { self.peer === peer }

    /// There is something to tell; under the lock of the index, so that it costs next to nothing once that is known.
    func interestChanged() {
        guard !self.isPending.load(ordering: .relaxed), !self.isPending.exchange(true, ordering: .acquiringAndReleasing)
        else { return }
        self.peer.interestIsPending(self)
    }

    /// The peer's connection is about to look what there is to tell.
    func willLook() { self.isPending.store(false, ordering: .releasing) }
}
