/// One connection of a leaf node at one moment.
struct LeafSnapshot: Sendable {
    var figures: ConnectionFigures
    /// The name of the server on the other side.
    var name = ""
    /// Whether that one is the hub.
    var isSpoke = false
    var isIsolated = false
    var account = ""
    var ip = ""
    var port = 0
    /// `off`, or `not supported` if the peer has no notion of it.
    var compression = ""
    /// What the peer wants; empty unless asked for.
    var subjects: [String] = []
}

extension LeafConnection {
    /// What `/leafz` shows; `listing` says whether with what the peer wants.
    func monitoringSnapshot(listing: Bool) -> LeafSnapshot {
        var figures = ConnectionFigures(id: self.id, start: self.accepted, lastActivity: self.lastActivity)
        figures.roundTripNanoseconds = self.roundTripNanoseconds
        figures.pendingBytes = self.backlog.pending
        figures.traffic = self.statistics
        figures.subscriptions = self.wanted.count
        var snapshot = LeafSnapshot(figures: figures)
        snapshot.name = self.peerName
        snapshot.isSpoke = self.isHub
        snapshot.isIsolated = self.isIsolated
        snapshot.account = self.account.name
        snapshot.ip = self.remoteIP
        snapshot.port = self.remotePort
        snapshot.compression = self.compression
        if listing { snapshot.subjects = self.wanted.keys.map { String(decoding: $0.subject, as: UTF8.self) } }
        return snapshot
    }
}
