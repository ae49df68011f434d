/// Of whose interest a leaf node, or the hub, is told.
///
/// nats-server leafnode.go initLeafNodeSmapAndSendSubs, updateLeafNodesEx, updateSmap: a leaf node is told of everybody
/// else's, the hub only of what is on this server or behind its own leaf nodes. Nobody is told of what is behind another
/// connection of the cluster that it belongs to itself.
struct LeafAudience: Equatable {
    /// Where interest comes from.
    enum Source: Equatable {
        /// A client of this server, or the server itself.
        case local
        /// Another server of the cluster.
        case route
        /// A leaf node (not the hub) of a cluster.
        case leafNode(cluster: [UInt8])
        /// The hub, with the cluster that it is.
        case hub(cluster: [UInt8])
    }

    /// What the subjects begin with by which loops are found.
    static let loopPrefix = Array("$LDS.".utf8)

    /// Whether the peer is the hub.
    var isHub: Bool
    /// The peer's cluster; empty if it has none.
    var cluster: [UInt8]
    /// Whether the peer is not told of other leaf nodes.
    var isIsolated = false

    /// Whether the peer is told of interest in a subject.
    func includes(_ source: Source, _ subject: [UInt8]) -> Bool {
        switch source {
        case .local: return true
        // A loop has to be found on whatever way it leads.
        case .route: return !self.isHub || subject.starts(with: Self.loopPrefix)
        case .leafNode(let cluster):
            return !self.isIsolated && !self.isOfSameCluster(cluster)
        case .hub(let cluster):
            guard !self.isIsolated, !self.isOfSameCluster(cluster) else { return false }
            return !self.isHub || subject.starts(with: Self.loopPrefix)
        }
    }

    private func isOfSameCluster(_ cluster: [UInt8]) -> Bool { !cluster.isEmpty && cluster == self.cluster }
}
