internal import Logging
internal import NIOCore

/// What a reload of the configuration changes.
extension RouteBook {
    /// Goes on with other options; routes are changed by ``changeRoutes(adding:removing:now:)``.
    ///
    /// - Parameters:
    ///   - options: The new ones.
    ///   - isRestarted: All connections are made anew: their number, their accounts or what may go over them is another.
    ///   - now: The time.
    /// - Returns: what is to be done.
    mutating func reloaded(_ options: RouteBookOptions, isRestarted: Bool, now: NIODeadline) -> [RouteAction] {
        let wasSilent = self.options.noAdvertise
        let isRenamed = options.cluster != self.options.cluster
        var options = options
        // These are kept here.
        options.routes = self.options.routes
        options.ownAddresses.formUnion(self.options.ownAddresses)
        self.options = options
        self.dialler.hasBackoff = options.connectBackoff
        if isRenamed { self.act(.adoptCluster(options.cluster)) }
        if wasSilent != options.noAdvertise {
            for peerID in self.peers.keys.sorted() { self.changeAnnouncement(of: peerID) }
            self.announceAll()
        }
        if isRestarted { self.closeAll(self.connections.keys.sorted(), now: now) }
        return self.finish(now: now)
    }

    private mutating func changeAnnouncement(of peerID: String) {
        guard let peer = self.peers[peerID] else { return }
        if peer.isAnnounced {
            self.peers[peerID]?.isAnnounced = false
            self.withdraw(peer.info)
        } else if !peer.info.isLameDuck {
            self.announce(peerID)
        }
    }

    /// The configuration names other servers.
    ///
    /// - Parameters:
    ///   - added: They get the places behind those that were there.
    ///   - removed: The places of those that are gone; the others keep theirs.
    ///   - now: The time.
    /// - Returns: what is to be done.
    mutating func changeRoutes(
        adding added: [RouteAddress],
        removing removed: Set<Int>,
        now: NIODeadline
    ) -> [RouteAction] {
        for index in removed.sorted() where self.configured.indices.contains(index) {
            self.configured[index].isRemoved = true
            self.dialler.cancel { $0.purpose == .explicit(index) }
            let peerID = self.configured[index].peerID
            let isElsewhere = self.configured.contains { !$0.isRemoved && $0.peerID == peerID }
            let connections = self.connections.filter { _, connection in
                guard let plan = connection.plan, plan.isExplicit else { return false }
                if plan.purpose == .explicit(index) { return true }
                return !isElsewhere && peerID != nil && connection.peer?.id == peerID
            }
            guard !connections.isEmpty else { continue }
            self.closeAll(connections.keys.sorted(), now: now)
            self.dialler.cancel { !$0.isMain && $0.isExplicit && $0.peerID == peerID }
            self.log(.info, "Removed route \(self.options.routes[index].url)")
        }
        for address in added {
            self.options.routes.append(address)
            self.configured.append(Configured(isSelf: self.options.ownAddresses.contains(address)))
            self.planConfigured(self.configured.count - 1, at: now, isReconnect: false)
        }
        return self.finish(now: now)
    }

    /// Others are asked for than before: who has connected has to show that it knows.
    mutating func closeAccepted(now: NIODeadline) -> [RouteAction] {
        self.closeAll(self.connections.filter { $0.value.plan == nil }.keys.sorted(), now: now)
        return self.finish(now: now)
    }

    private mutating func closeAll(_ ids: [ConnectionID], now: NIODeadline) {
        for id in ids {
            guard let connection = self.remove(id) else { continue }
            self.act(.close(id, .routeRemoved, text: nil))
            if connection.isHandshaking, let plan = connection.plan, case .implicit = plan.purpose {
                // It has not failed, and has its attempts still.
                _ = self.dialler.plan(plan, at: now)
            } else {
                self.lost(connection, id, now: now)
            }
        }
    }
}
