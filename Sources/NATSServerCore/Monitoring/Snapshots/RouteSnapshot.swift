import NIOCore

/// One connection to another server of the cluster at one moment.
struct RouteSnapshot: Sendable {
    var figures: ConnectionFigures
    var link = RouteLink.slot(0)
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
    /// What the peer takes from this server and gives to it; everything if `nil`.
    var importPermissions: PermissionOptions.Subjects?
    var exportPermissions: PermissionOptions.Subjects?
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
        let compression = self.peer?.compression ?? ""
        snapshot.compression =
            compression.isEmpty ? Self.unsupported : compression == Self.unsupported ? compression : "off"
        if let link = self.link { snapshot.link = link }
        snapshot.importPermissions = self.peerPermissions.imports
        snapshot.exportPermissions = self.peerPermissions.exports
        guard listing else { return snapshot }
        // As the official server names what a peer wants (nats-server route.go processRemoteSub).
        let prefix = Array("R ".utf8)
        for (name, interest) in self.interest {
            let account = self.isDedicated ? [] : name + [0x20]
            let wanted = Array(interest.wanted.values)
            let known: Account? = interest.account
            for (interest, delivered) in zip(wanted, known?.index.deliveries(of: wanted) ?? wanted.map { _ in 0 }) {
                snapshot.subscriptions.append(
                    SubscriptionSnapshot(
                        interest,
                        sidPrefix: prefix + account,
                        connection: self.id,
                        delivered: delivered
                    )
                )
            }
        }
        return snapshot
    }

    /// Of a peer that does not know of compression.
    private static let unsupported = "not supported"
}
