internal import NATSServerConfig
import NATSAuth
import NATSWire
import NIOCore

/// What the monitoring pages ask of an event loop; everything here runs on it.
extension ServerLoop {
    /// An open connection that a query accepts, and what it is sorted by.
    struct ConnectionMatch: Sendable {
        var key: Int64
        var connection: any ListedConnection
        /// Whether it has to be found out elsewhere if one of its many subscriptions is among those that are asked for.
        var isUndecided: Bool
    }

    /// The open connections of this loop that a query accepts, and how many there are in all.
    func candidates(
        _ query: ConnectionQuery,
        now: NIODeadline
    ) -> EventLoopFuture<(total: Int, matches: [ConnectionMatch])> {
        // nats-server monitor.go Connz: leaf nodes too.
        let leafs = self.leafs.values.filter { $0.isRegistered }
        let connections: [any ListedConnection] = Array(self.connections.values) + leafs
        // Without a key for those that are only counted.
        let found: EventLoopFuture<[(connection: any ListedConnection, key: Int64?, isUndecided: Bool)]>
        let looksAtSubscriptions = !query.filterSubject.isEmpty
        found = self.mapInSlices(
            connections,
            weighing: { $0.weight(listing: looksAtSubscriptions) }
        ) { connection in
            guard connection.phase == .open, query.account.isEmpty || connection.account.name == query.account else {
                return nil
            }
            let isWanted: Bool
            if query.id > 0 {
                // The same: by its id a client only is found.
                isWanted = connection.id == query.id && connection.kind == .client
            } else {
                isWanted = !query.filters || query.accepts(user: connection.shownUser)
            }
            let isUndecided = looksAtSubscriptions && connection.hasManySubscriptions
            guard isWanted, isUndecided || connection.mayGet(query.filterSubject) else {
                return (connection, nil, false)
            }
            // Most lists are in the order of the ids, and nothing but these is needed then.
            let key = query.needsFigures ? query.sortKey(connection.figures, now: now) : 0
            return (connection, key, isUndecided)
        }
        return found.map { found in
            let matches = found.compactMap { match in
                match.key.map { key in
                    ConnectionMatch(key: key, connection: match.connection, isUndecided: match.isUndecided)
                }
            }
            return (found.count, matches)
        }
    }

    var monitoringState: StackszDocument.Loop {
        StackszDocument.Loop(
            index: self.index,
            connections: self.connections.count,
            stagedOutlets: self.stagedOutlets,
            blockedConnections: self.blockedConnections
        )
    }

    /// Figures about the match results of this loop: of one account, or of all if `nil`.
    func cacheStatistics(of account: Account?) -> EventLoopFuture<SublistStatistics> {
        let routers = account.map { [self.existingRouter(for: $0)].compactMap { $0 } } ?? self.allRouters
        var statistics = SublistStatistics()
        var starts: [(router: AccountRouter, slot: Int)] = []
        for router in routers {
            statistics.cached += router.cache.pointee.count
            statistics.lookUps += router.cache.pointee.lookUps
            statistics.misses += router.cache.pointee.misses
            let slots = stride(from: 0, to: router.cache.pointee.capacity, by: MatchCache.scannedAtOnce)
            starts += slots.map { (router, $0) }
        }
        let known = statistics
        let fanouts = self.mapInSlices(starts, atOnce: 1) { $0.router.cache.pointee.fanout(from: $0.slot) }
        return fanouts.map { fanouts in
            var statistics = known
            for fanout in fanouts {
                statistics.totalFanout += fanout.total
                statistics.largestFanout = max(statistics.largestFanout, fanout.largest)
            }
            return statistics
        }
    }
}

/// What the monitoring pages ask of a client's connection; everything here runs on its event loop.
extension ClientConnection: ListedConnection {
    var hasManySubscriptions: Bool { self.subscriptions.count > ServerLoops.sliceSize }

    var shownUser: String { self.session.shownUser }

    func mayGet(_ subject: String) -> Bool {
        guard !subject.isEmpty else { return true }
        return self.subscriptions.values.contains { subscription in
            SubjectText.collide(subject, String(decoding: subscription.subject, as: UTF8.self))
        }
    }

    var figures: ConnectionFigures {
        ConnectionFigures(
            id: self.id,
            start: self.accepted,
            lastActivity: self.lastActivity,
            roundTripNanoseconds: self.keepAlive.roundTripTime?.nanoseconds ?? 0,
            pendingBytes: self.backlog.pending,
            traffic: self.statistics,
            stalls: self.stalls,
            subscriptions: self.subscriptions.count
        )
    }

    func monitoringSnapshot(listing lists: Bool) -> ConnectionSnapshot {
        let payload = self.session.payload
        var snapshot = ConnectionSnapshot(figures: self.figures)
        snapshot.kind = self.webSocket == nil ? .client : .webSocketClient
        snapshot.ip = self.remoteIP
        snapshot.port = self.remotePort
        snapshot.name = payload.name
        snapshot.lang = payload.lang
        snapshot.version = payload.version
        snapshot.user = self.shownUser
        snapshot.issuerKey = self.session.issuerKey
        snapshot.account = self.account.name
        snapshot.accountTag = self.account.nameTag
        if let user = self.session.user {
            // Who has it can connect with it (nats-server monitor.go redactBearerJWT).
            snapshot.jwt = user.isBearer ? "" : payload.jwt
            snapshot.tags = user.tags
            snapshot.userTag = user.name
        } else if !payload.jwt.isEmpty {
            let claims = try? JWT.decode(UserClaims.self, from: payload.jwt)
            snapshot.jwt = claims?.limits.bearerToken == true ? "" : payload.jwt
        }
        snapshot.security = self.securitySnapshot
        if lists {
            snapshot.subscriptions = self.subscriptions.values.map { SubscriptionSnapshot($0, connection: self.id) }
        }
        return snapshot
    }
}

extension ClientConnection {
    private var securitySnapshot: ConnectionSnapshot.Security? {
        guard let security = self.security, self.negotiation.isSecured else { return nil }
        let certificates = [security.certificate].compactMap { $0 }.map { certificate in
            ConnectionSnapshot.PeerCertificate(
                subject: certificate.subject.goDescription,
                publicKeyDigest: certificate.publicKeyDigest,
                digest: certificate.digest
            )
        }
        return ConnectionSnapshot.Security(
            version: security.version,
            cipherSuite: security.cipherSuite,
            isFirst: self.negotiation.isHandshakeFirst,
            peerCertificates: certificates
        )
    }
}

extension ClientSession {
    /// What `/connz` shows as the user, valid or not (nats-server client.go getRawAuthUser).
    var shownUser: String {
        if !self.payload.nkey.isEmpty { return self.payload.nkey }
        if !self.payload.user.isEmpty { return self.payload.user }
        if !self.payload.jwt.isEmpty { return self.user?.publicKey ?? "" }
        return self.payload.authToken.isEmpty ? "" : "[REDACTED]"
    }

    /// Who vouches for the client: the key that has signed the user's JWT, or the account of a user with an nkey
    /// (nats-server events.go issuerForClient).
    var issuerKey: String {
        if let user = self.user { return user.signingKey ?? self.accountName }
        guard self.requiresCredentials, !self.awaitsConnect, !self.payload.nkey.isEmpty else { return "" }
        return self.accountName
    }

    /// The account that the client belongs to.
    var accountName: String { self.account?.name ?? Account.globalName }

    /// How the log names it.
    var accountLabel: String { self.account?.label ?? Account.globalName }
}
