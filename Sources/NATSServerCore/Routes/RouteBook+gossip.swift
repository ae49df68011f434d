internal import Logging
internal import NIOCore

/// Who is told of whom, and where clients are told to connect.
extension RouteBook {
    /// A peer told of another server.
    ///
    /// Nothing in it is believed but that somebody may be found at an address; who it is shows when it is dialled.
    mutating func heard(of info: RoutePeer, from peerID: String, now: NIODeadline) {
        guard info.id != self.options.id, !info.id.isEmpty, info.id.utf8.count <= self.options.limits.nameLength else {
            return
        }
        guard self.peers[peerID]?.allowance.take(now: now) ?? false else { return }
        // Connections for accounts are opened by who dialled the first one.
        guard info.account == nil, self.peers[info.id]?.main == nil, !self.isConfigured(info) else { return }
        guard let address = RouteAddress(url: info.ip), !self.options.ownAddresses.contains(address) else { return }
        let purpose = RouteDialler.Purpose.implicit(address)
        guard !self.handshaking.contains(purpose) else { return }
        guard self.dialler.contains(purpose) || self.mayDialNewcomer(now: now) else { return }
        var plan = RouteDialler.Plan(purpose, address)
        plan.peerID = info.id
        plan.introducer = peerID
        plan.credentials = info.needsCredentials ? .cluster : .none
        plan.gossipMode = info.gossipMode
        plan.mostFailures = 1 + max(0, self.options.connectRetries)
        if !self.dialler.plan(plan, at: self.resting.end(of: address, now: now) ?? now) {
            self.log(.debug, "Too many servers to connect to, ignoring \"\(address)\"")
        }
    }

    /// Peers that come again, or under other names, shall not make us dial more for that.
    private mutating func mayDialNewcomer(now: NIODeadline) -> Bool {
        let limits = self.options.limits
        var allowance =
            self.newcomers
            ?? GossipAllowance(most: limits.newcomersAtOnce, perSecond: limits.newcomersPerSecond, now: now)
        defer { self.newcomers = allowance }
        return allowance.take(now: now)
    }

    /// nats-server route.go hasThisRouteConfigured: by the configured address or by the one that it was seen at.
    private func isConfigured(_ info: RoutePeer) -> Bool {
        let seen = RouteAddress(url: info.ip).flatMap { RouteAddress(host: $0.host, port: info.port) }
        return [RouteAddress(host: info.host, port: info.port), seen].contains { address in
            self.configured.indices.contains {
                !self.configured[$0].isRemoved && self.options.routes[$0] == address
            }
        }
    }

    /// Tells all other peers of a new one, or of its connection for an account.
    ///
    /// nats-server route.go forwardNewRouteInfoToKnownServers.
    mutating func spread(_ newcomer: RoutePeer, on connection: Connection) {
        if newcomer.gossipMode == .disabled { return }
        if let plan = connection.plan, !plan.isExplicit, plan.gossipMode != .override { return }
        guard !newcomer.ip.isEmpty else { return }
        var info = newcomer
        info.poolIndex = 0
        if case .account(let account) = connection.link { info.account = account }
        for peer in self.peers.values.sorted(by: { $0.serial < $1.serial }) where peer.info.id != newcomer.id {
            guard info.account == nil || peer.poolSize > 0 else { continue }
            let dedicated = info.account.flatMap { peer.links[.account($0)] }
            guard let route = dedicated ?? peer.main else { continue }
            info.gossipMode = self.gossipMode(for: peer, newcomerOn: connection)
            self.act(.gossip(info, to: route))
        }
    }

    private func gossipMode(for peer: Peer, newcomerOn connection: Connection) -> GossipMode {
        if let plan = connection.plan { return plan.isExplicit ? .override : .normal }
        let isExplicit = self.configured.contains { configured in
            configured.peerID == peer.info.id && !configured.isSelf && !configured.isRemoved
        }
        return isExplicit ? .override : .disabled
    }

    // MARK: Client URLs

    /// Clients may connect to a peer.
    mutating func announce(_ peerID: String) {
        guard !self.options.noAdvertise, let peer = self.peers[peerID], peer.isMet, !peer.isAnnounced else { return }
        let info = peer.info
        self.peers[peerID]?.isAnnounced = true
        let isChanged = self.clientURLs.add(info.clientURLs)
        if self.webSocketURLs.add(info.webSocketURLs) || isChanged { self.announceAll() }
    }

    /// Clients may not connect to it any more.
    mutating func withdraw(_ info: RoutePeer) {
        let isChanged = self.clientURLs.remove(info.clientURLs)
        if self.webSocketURLs.remove(info.webSocketURLs) || isChanged { self.announceAll() }
    }

    /// A peer goes into lame duck mode: it stays connected, but clients shall not come to it.
    mutating func peerRetires(_ peerID: String) {
        guard let peer = self.peers[peerID] else { return }
        self.peers[peerID]?.info.isLameDuck = true
        self.peers[peerID]?.isAnnounced = false
        if peer.isAnnounced { self.withdraw(peer.info) }
    }

    mutating func announceAll() {
        self.act(.announce(clientURLs: self.clientURLs.all, webSocketURLs: self.webSocketURLs.all))
    }
}
