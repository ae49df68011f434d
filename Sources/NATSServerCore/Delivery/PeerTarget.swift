import NATSWire
import Synchronization

/// A connection to another server that a cached subject goes over, whatever that has of subscriptions to it.
struct PeerTarget {
    /// What is on the other side.
    struct Kinds: OptionSet {
        let rawValue: UInt8
        /// Another server of the cluster.
        static let route = Kinds(rawValue: 1)
        /// A leaf node of this server.
        static let leafNode = Kinds(rawValue: 2)
        /// The hub that this server is a leaf node of.
        static let hub = Kinds(rawValue: 4)
        static let all: Kinds = [.route, .leafNode, .hub]
    }

    let kind: Kinds
    /// The peer gets the message under another subject: its account imports it.
    let isMapped: Bool
    let outlet: UnsafeMutablePointer<OutletState>
    let owner: Unmanaged<Outlet>
    /// "RMSG [account] subject ", or "LMSG subject "; what differs with headers is the first byte.
    let prefix: UnsafeMutablePointer<UInt8>
    let prefixLength: Int
    /// Whether the other server understands headers.
    let hasHeaders: Bool
    /// Whether it wants the message also without a queue group.
    var isPlain: Bool
    /// What it has subscribed to without a queue group, or else with one; keeps the counter in its place.
    let interest: Unmanaged<RemoteInterest>
    let counter: PeerCounter
}

/// What another server has of one queue group.
struct PeerShare {
    /// Its place among the targets.
    let peer: Int
    /// Members of the group there.
    let weight: Int
    let interest: Unmanaged<RemoteInterest>
    let counter: PeerCounter
}

/// Where one event loop counts the messages that go to another server for one of its subscriptions.
struct PeerCounter {
    private let slot: UnsafeMutablePointer<Atomic<Int>>

    /// Under the lock of the index that the interest stands in; good as long as the interest.
    init(_ interest: RemoteInterest, _ loop: ServerLoop) {
        self.slot = interest.counter(of: loop.index, outOf: max(1, loop.siblings.count))
    }

    /// Counts a message; the slot is written by one loop only, so this needs no atomic addition.
    @inline(__always)
    func count() { self.slot.pointee.store(self.slot.pointee.load(ordering: .relaxed) &+ 1, ordering: .relaxed) }
}

/// One queue group of a match result.
struct MatchGroup {
    /// Index behind its last target here; the first group's first one is at ``MatchResult/plainCount``.
    var end: Int
    /// Index behind its last share; those of routes come first.
    var shareEnd: Int
    /// Members on other servers of the cluster.
    var remoteWeight: Int
    /// Whether there are members behind leaf nodes, or the hub: they get what nobody nearer can.
    var hasLeafs: Bool
    /// The share that the message under way goes to; -1 for none.
    var choice = -1
}
