internal import NATSServerConfig

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

/// What the monitoring pages ask of a leaf node's connection; everything here runs on its event loop.
extension LeafConnection: ListedConnection {
    var figures: ConnectionFigures {
        ConnectionFigures(
            id: self.id,
            start: self.accepted,
            lastActivity: self.lastActivity,
            roundTripNanoseconds: self.roundTripNanoseconds,
            pendingBytes: self.backlog.pending,
            traffic: self.statistics,
            subscriptions: self.wanted.count
        )
    }

    /// What `/leafz` shows; `listing` says whether with what the peer wants.
    func leafSnapshot(listing: Bool) -> LeafSnapshot {
        var snapshot = LeafSnapshot(figures: self.figures)
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

    /// What a hub has been told (nats-server client.go getRawAuthUser).
    var shownUser: String {
        guard let greeting = self.greeting else { return "" }
        if !greeting.nkey.isEmpty { return greeting.nkey }
        return greeting.user.isEmpty ? self.user?.publicKey ?? "" : greeting.user
    }

    /// They stand elsewhere than those of clients.
    var hasManySubscriptions: Bool { false }

    func mayGet(_ subject: String) -> Bool {
        subject.isEmpty
            || self.wanted.keys.contains { SubjectText.collide(subject, String(decoding: $0.subject, as: UTF8.self)) }
    }

    func monitoringSnapshot(listing lists: Bool) -> ConnectionSnapshot {
        var snapshot = ConnectionSnapshot(figures: self.figures)
        snapshot.kind = .leafNode
        snapshot.ip = self.remoteIP
        snapshot.port = self.remotePort
        // Of a hub nothing is known that CONNECT tells.
        snapshot.name = self.greeting?.name ?? ""
        snapshot.version = self.greeting?.version ?? ""
        snapshot.user = self.shownUser
        snapshot.account = self.account.name
        snapshot.accountTag = self.account.nameTag
        if let user = self.user {
            // Who has it can connect with it (nats-server monitor.go redactBearerJWT).
            snapshot.jwt = user.isBearer ? "" : self.greeting?.jwt ?? ""
            snapshot.issuerKey = user.signingKey ?? self.account.name
            snapshot.tags = user.tags
            snapshot.userTag = user.name
        }
        guard lists else { return snapshot }
        let wanted = Array(self.wanted.values)
        for (interest, delivered) in zip(wanted, self.account.index.deliveries(of: wanted)) {
            snapshot.subscriptions.append(
                SubscriptionSnapshot(interest, connection: self.id, delivered: delivered)
            )
        }
        return snapshot
    }
}
