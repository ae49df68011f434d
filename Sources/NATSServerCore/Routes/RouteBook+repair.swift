internal import NIOCore

/// Links that are missing for too long, and that it was the peer's turn to open.
///
/// Whoever dialled the first connection opens the others. But an official server that was told of us by gossip tries that
/// once (nats-server route.go connectToRoute, `connect_retries`); if the network fails just then, nobody comes back to it,
/// and messages of the accounts that belong to the link are lost. So after some seconds the other side does it too.
extension RouteBook {
    /// A peer has that long for what is its turn.
    private static let repairPatience: TimeAmount = .seconds(5)
    /// So many links are tried at a time, once each: peers that claim large pools must not make a server dial the world.
    private static let repairedAtOnce = 16

    /// Something has come or gone: if links are missing, they are looked at in some seconds.
    mutating func watchForMissingLinks(now: NIODeadline) {
        guard self.repair == nil, !self.isComplete else { return }
        self.repair = now + Self.repairPatience + self.randomDelay()
    }

    /// Opens what is missing if it is time for it.
    mutating func startRepair(now: NIODeadline) {
        guard let due = self.repair, due <= now else { return }
        self.repair = nil
        let peers = self.peers.values.sorted { $0.serial < $1.serial }
        let next = peers.firstIndex { $0.serial > self.lastRepaired } ?? 0
        var rest = Self.repairedAtOnce
        // In turn, so that none keeps the others from it.
        for peer in peers[next...] + peers[..<next] where rest > 0 {
            for link in self.missingLinks(of: peer).prefix(rest) {
                rest -= 1
                self.lastRepaired = peer.serial
                self.planMissing(link, of: peer, now: now)
            }
        }
        self.watchForMissingLinks(now: now)
    }

    /// What is to be there and is not.
    func missingLinks(of peer: Peer) -> [RouteLink] {
        guard peer.poolSize > 0 else { return peer.links[.slot(0)] == nil ? [.slot(0)] : [] }
        let accounts = self.options.accounts.filter { !peer.refused.contains($0) }
        let links = (0..<peer.poolSize).map(RouteLink.slot) + accounts.map(RouteLink.account)
        return links.filter { peer.links[$0] == nil }
    }

    private mutating func planMissing(_ link: RouteLink, of peer: Peer, now: NIODeadline) {
        let purpose = RouteDialler.Purpose.link(peer: peer.info.id, link)
        guard !self.handshaking.contains(purpose), !self.dialler.contains(purpose) else { return }
        let connections = peer.links.values.sorted().compactMap { self.connections[$0] }
        let dialled = connections.first { $0.plan != nil }
        if let dialled {
            self.planLink(link, like: dialled, at: now, mostFailures: 1)
        } else {
            self.planLink(link, of: peer, at: now, mostFailures: 1)
        }
    }
}
