internal import Logging
internal import NIOCore

/// One connection for each link: which one it is, and what happens when it is lost.
///
/// Two servers that dial each other at once have two connections for one link, and must not both close the one that the
/// other keeps. A server with a pool sends its INFO on a connection that it dialled only after it has made it its route. So:
///
/// - A connection that we dialled is given up before our INFO is sent if the link exists by then: the peer never knew of it.
/// - If the link exists on a connection that we dialled, and the peer's own one arrives, it has registered that one. The
///   server with the greater id gives way: it drops the one that it dialled. The other one waits for the peer to drop either:
///   an official server drops the one that it did not register, one of ours with the greater id the one that it dialled.
/// - Where the peer's INFO proves nothing (no pool, a connection for an account) both wait, the one with the lesser id for
///   longer.
/// - If both were dialled by the peer, it has lost the first one, whether we have noticed or not.
extension RouteBook {
    private static let shortContest: TimeAmount = .seconds(1)
    private static let longContest: TimeAmount = .seconds(3)
    private static let probe: TimeAmount = .seconds(2)

    /// Decides which of two connections has a link, or that the time is not ripe.
    mutating func decide(between old: ConnectionID, and new: ConnectionID, now: NIODeadline) {
        guard let first = self.connections[old], let second = self.connections[new], let peer = second.peer else {
            return
        }
        let isProven = second.link.isSlot && peer.poolSize > 0
        let givesWay = self.options.id > peer.id
        guard second.plan == nil else { return self.dropDuplicate(new, of: peer.id, now: now) }
        guard self.peers[peer.id]?.rivals[second.link] == nil else {
            return self.dropDuplicate(new, of: peer.id, now: now)
        }
        if first.plan == nil {
            if isProven {
                self.replace(old, by: new, .staleConnection, now: now)
            } else {
                self.act(.sendPing(old))
                self.wait(new, until: now + Self.probe)
            }
        } else if isProven, givesWay {
            self.replace(old, by: new, .duplicateRoute, now: now)
        } else {
            let isShort = givesWay && !isProven
            self.wait(new, until: now + (isShort ? Self.shortContest : Self.longContest))
        }
    }

    private mutating func wait(_ id: ConnectionID, until deadline: NIODeadline) {
        guard let connection = self.connections[id], let peer = connection.peer else { return }
        if connection.isHandshaking { self.endHandshake(of: connection) }
        self.connections[id]?.phase = .rival(until: deadline)
        self.peers[peer.id]?.rivals[connection.link] = id
    }

    /// The peer has not decided: it is the newer connection that it knows for certain.
    mutating func decideForRival(_ id: ConnectionID, now: NIODeadline) {
        guard let connection = self.connections[id], let peerID = connection.peer?.id else { return }
        self.peers[peerID]?.rivals[connection.link] = nil
        guard let other = self.peers[peerID]?.links[connection.link] else { return self.register(id, now: now) }
        let isStale = self.connections[other]?.plan == nil
        self.replace(other, by: id, isStale ? .staleConnection : .duplicateRoute, now: now)
    }

    /// The connection that has the link lives, so the other one, from the same dialler, is one too many.
    mutating func dropProbingRival(of peerID: String, _ link: RouteLink, now: NIODeadline) {
        guard let peer = self.peers[peerID], let rival = peer.rivals[link], let holder = peer.links[link],
            let connection = self.connections[holder], connection.plan == nil
        else { return }
        self.peers[peerID]?.rivals[link] = nil
        self.dropDuplicate(rival, of: peerID, now: now)
    }

    private mutating func replace(
        _ old: ConnectionID,
        by new: ConnectionID,
        _ reason: ClosedReason,
        now: NIODeadline
    ) {
        if let connection = self.remove(old), let peerID = connection.peer?.id {
            self.peers[peerID]?.links[connection.link] = nil
            self.note(peerID, isBehind: connection.plan, now: now)
            self.act(.close(old, reason, text: nil))
        }
        self.register(new, now: now)
    }

    private mutating func dropDuplicate(_ id: ConnectionID, of peerID: String, now: NIODeadline) {
        self.note(peerID, isBehind: self.connections[id]?.plan, now: now)
        self.log(.debug, "Detected duplicate remote route \(self.quote(peerID))", about: id)
        self.close(id, .duplicateRoute)
    }

    /// Who was found where we dialled, though we are connected with it otherwise.
    private mutating func note(_ peerID: String, isBehind plan: RouteDialler.Plan?, now: NIODeadline) {
        switch plan?.purpose {
        case .explicit(let index): self.configured[index].peerID = peerID
        case .implicit(let address): self.resting.strike(address, now: now)
        case .link, nil: break
        }
    }

    // MARK: Registered

    /// Makes a connection the one that carries its link.
    mutating func register(_ id: ConnectionID, now: NIODeadline) {
        guard var connection = self.connections[id], let info = connection.peer else { return }
        if connection.isHandshaking { self.endHandshake(of: connection) }
        connection.phase = .registered(since: now)
        self.connections[id] = connection
        var peer = self.peers[info.id] ?? self.makePeer(info, now: now)
        let isNew = !peer.isMet && connection.link.isSlot
        peer.poolSize = self.poolSize(with: info)
        peer.links[connection.link] = id
        if connection.link == .slot(0) {
            peer.hasPonged = false
            peer.plan = connection.plan.flatMap { $0.isMain ? $0 : peer.plan }
        }
        if isNew {
            peer.info = info
            peer.isMet = true
        }
        self.peers[info.id] = peer
        self.watchForMissingLinks(now: now)

        if let plan = connection.plan {
            self.act(.sendInfo(id, link: connection.link, gossipMode: plan.gossipMode))
            if case .explicit(let index) = plan.purpose { self.configured[index].peerID = info.id }
            if case .implicit(let address) = plan.purpose { self.resting.clear(address) }
        }
        switch connection.link {
        case .slot: self.log(.debug, "Registering remote route \(self.quote(info.id))", about: id)
        case .account(let account):
            self.log(
                .debug,
                "Registering remote route \(self.quote(info.id)) for account \(self.quote(account))",
                about: id
            )
        }
        self.act(.register(id, info, link: connection.link))
        if connection.plan != nil, connection.link == .slot(0) { self.act(.sendPing(id)) }
        if isNew || !connection.link.isSlot { self.spread(info, on: connection) }
        guard isNew else { return }
        if connection.plan == nil { self.planAccounts(of: info.id, now: now) }
        self.announce(info.id)
        self.secondRoundIsDue(now: now)
    }

    private mutating func makePeer(_ info: RoutePeer, now: NIODeadline) -> Peer {
        self.lastSerial += 1
        let limits = self.options.limits
        let allowance = GossipAllowance(most: limits.gossipAtOnce, perSecond: limits.gossipPerSecond, now: now)
        return Peer(info: info, serial: self.lastSerial, allowance: allowance)
    }

    /// Opens what belongs to the pool and the accounts of a peer whose first connection we dialled.
    ///
    /// Only after a PONG: then the peer has accepted our credentials.
    mutating func openMissingLinks(to peerID: String, now: NIODeadline) {
        guard let peer = self.peers[peerID], peer.hasPonged, peer.poolSize > 0, let main = peer.links[.slot(0)],
            let connection = self.connections[main], connection.plan != nil
        else { return }
        let accounts = self.options.accounts.filter { !peer.refused.contains($0) }
        for link in (0..<peer.poolSize).map(RouteLink.slot) + accounts.map(RouteLink.account) {
            let purpose = RouteDialler.Purpose.link(peer: peerID, link)
            guard peer.links[link] == nil, !self.handshaking.contains(purpose), !self.dialler.contains(purpose)
            else { continue }
            self.planLink(link, like: connection, at: now)
        }
    }

    // MARK: Lost

    /// A connection has ended, by no decision about duplicates.
    mutating func lost(_ connection: Connection, _ id: ConnectionID, now: NIODeadline) {
        guard let peerID = connection.peer?.id, var peer = self.peers[peerID] else {
            return self.handshakeFailed(connection, now: now)
        }
        if peer.rivals[connection.link] == id {
            self.peers[peerID]?.rivals[connection.link] = nil
            return
        }
        guard peer.links[connection.link] == id else { return }
        peer.links[connection.link] = nil
        let rival = peer.rivals.removeValue(forKey: connection.link)
        self.peers[peerID] = peer
        if let rival {
            // The peer has dropped the one and kept the other.
            self.note(peerID, isBehind: connection.plan, now: now)
            self.register(rival, now: now)
        } else if peer.links.isEmpty {
            self.forget(peer, last: connection, now: now)
        } else if case .account(let account) = connection.link, connection.hasError, self.isShort(connection, now: now)
        {
            self.refuse(account, by: peerID)
        } else if connection.plan != nil {
            self.planLink(connection.link, like: connection, at: now + self.delay(afterLossOf: connection, now: now))
        }
        self.watchForMissingLinks(now: now)
    }

    /// A peer has no link any more.
    private mutating func forget(_ peer: Peer, last connection: Connection, now: NIODeadline) {
        let peerID = peer.info.id
        self.peers[peerID] = nil
        self.dialler.cancel { plan in !plan.isMain && plan.peerID == peerID }
        // One of them would make the peer connected again, and nobody would dial what is lost.
        let opening = self.connections.filter { _, connection in
            guard let plan = connection.plan, connection.isHandshaking else { return false }
            return !plan.isMain && plan.peerID == peerID
        }
        for id in opening.keys.sorted() { self.close(id, .clientClosed) }
        if peer.isAnnounced { self.withdraw(peer.info) }
        for index in self.configured.indices where self.configured[index].peerID == peerID {
            self.planConfigured(index, at: now + .seconds(1) + self.randomDelay(), isReconnect: true)
        }
        if let plan = peer.plan, !plan.isExplicit {
            self.planLost(plan, peer, at: now + self.delay(afterLossOf: connection, now: now), now: now)
        }
    }

    /// How long a lost connection is left alone: one that did not last, or leads to a configured server, for longer.
    private mutating func delay(afterLossOf connection: Connection, now: NIODeadline) -> TimeAmount {
        let isLong = connection.plan?.isExplicit == true || self.isShort(connection, now: now)
        return (isLong ? .seconds(1) : .zero) + self.randomDelay()
    }

    /// Whether a connection has ended before it was any good.
    private func isShort(_ connection: Connection, now: NIODeadline) -> Bool {
        guard case .registered(let since) = connection.phase else { return true }
        return now < since + .seconds(5)
    }

    /// The peer wants no connection for an account: it goes with the others.
    mutating func refuse(_ account: String, by peerID: String) {
        guard self.peers[peerID]?.refused.insert(account).inserted == true else { return }
        self.act(.assignAccounts(peerID))
    }
}
