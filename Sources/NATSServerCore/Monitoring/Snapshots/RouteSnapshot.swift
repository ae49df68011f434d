import NIOCore

/// One connection to another server of the cluster at one moment.
struct RouteSnapshot: Sendable {
    var figures: ConnectionFigures
    var remoteID = ""
    var remoteName = ""
    var isSolicited = false
    var isConfigured = false
    var ip = ""
    var port = 0
    /// The account that the connection is dedicated to; empty for none.
    var account = ""
    /// `off`, or `not supported` if the peer has no notion of it.
    var compression = ""
    /// What the peer wants; empty unless asked for.
    var subscriptions: [SubscriptionSnapshot] = []
}

extension RouteConnection {
    /// What `/routez` shows; `listing` says whether with what the peer wants.
    func monitoringSnapshot(listing: Bool) -> RouteSnapshot {
        var figures = ConnectionFigures(id: self.id, start: self.accepted, lastActivity: self.lastActivity)
        figures.roundTripNanoseconds = self.keepAlive.roundTripTime?.nanoseconds ?? 0
        figures.pendingBytes = self.backlog.pending
        figures.traffic = self.statistics
        figures.subscriptions = self.interest.values.reduce(0) { $0 + $1.wanted.count }
        var snapshot = RouteSnapshot(figures: figures)
        snapshot.remoteID = self.peer?.serverID ?? ""
        snapshot.remoteName = self.peerName
        snapshot.isSolicited = self.isSolicited
        snapshot.isConfigured = self.isConfigured
        snapshot.ip = self.remoteIP
        snapshot.port = self.remotePort
        snapshot.account = self.dedicatedAccount.map { String(decoding: $0, as: UTF8.self) } ?? ""
        snapshot.compression = (self.peer?.compression.isEmpty ?? true) ? "not supported" : "off"
        guard listing else { return snapshot }
        for (account, interest) in self.interest {
            for key in interest.wanted.keys {
                // As the official server names what a peer wants.
                let sid = account + [0x20] + key.subject + (key.queue.isEmpty ? [] : [0x20] + key.queue)
                snapshot.subscriptions.append(
                    SubscriptionSnapshot(
                        subject: String(decoding: key.subject, as: UTF8.self),
                        queue: String(decoding: key.queue, as: UTF8.self),
                        sid: String(decoding: sid, as: UTF8.self),
                        connection: self.id
                    )
                )
            }
        }
        return snapshot
    }
}
