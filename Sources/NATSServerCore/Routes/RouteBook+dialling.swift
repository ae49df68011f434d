internal import Logging
internal import NIOCore

/// When whom we dial, and what comes of it.
extension RouteBook {
    /// How long a lost server is looked for that is not configured.
    private static let search: TimeAmount = .hours(1)
    /// How long a peer has for what is its turn.
    private static let patience: TimeAmount = .seconds(2)

    mutating func planConfigured(_ index: Int, at time: NIODeadline, isReconnect: Bool) {
        let purpose = RouteDialler.Purpose.explicit(index)
        guard !self.configured[index].isSelf, !self.configured[index].isRemoved, !self.handshaking.contains(purpose),
            !self.dialler.contains(purpose)
        else { return }
        var plan = RouteDialler.Plan(purpose, self.options.routes[index])
        plan.isReconnect = isReconnect
        _ = self.dialler.plan(plan, at: time)
    }

    /// A server that gossip had told of and that was connected.
    mutating func planLost(_ old: RouteDialler.Plan, _ peer: Peer, at time: NIODeadline, now: NIODeadline) {
        var plan = RouteDialler.Plan(old.purpose, old.address)
        plan.peerID = peer.info.id
        plan.introducer = old.introducer
        plan.credentials = old.credentials
        plan.isReconnect = true
        plan.mostFailures = 1 + max(0, self.options.connectRetries)
        plan.searchEnd = peer.info.isLameDuck ? nil : now + Self.search
        _ = self.dialler.plan(plan, at: time)
    }

    /// A link to a peer that is connected otherwise.
    ///
    /// - Parameters:
    ///   - link: The link.
    ///   - connection: A connection to the peer that we dialled.
    ///   - time: When.
    ///   - mostFailures: After how many it is given up; never if `nil`.
    mutating func planLink(
        _ link: RouteLink,
        like connection: Connection,
        at time: NIODeadline,
        mostFailures: Int? = nil
    ) {
        guard let peer = connection.peer, let old = connection.plan,
            let address = RouteAddress(host: connection.host, port: old.address.port)
        else { return }
        var plan = RouteDialler.Plan(.link(peer: peer.id, link), address)
        plan.link = link
        plan.peerID = peer.id
        plan.gossipMode = old.gossipMode
        plan.isExplicit = old.isExplicit
        plan.credentials = old.credentials
        plan.mostFailures = mostFailures
        _ = self.dialler.plan(plan, at: time)
    }

    /// Connections for accounts are opened by who dialled the first one, but an official server that was told of us by
    /// gossip waits for gossip about each account; if that does not come, we do it.
    mutating func planAccounts(of peerID: String, now: NIODeadline) {
        guard let peer = self.peers[peerID], peer.poolSize > 0 else { return }
        for account in self.options.accounts { self.planLink(.account(account), of: peer, at: now + Self.patience) }
    }

    /// A link to a peer that has dialled us.
    mutating func planLink(_ link: RouteLink, of peer: Peer, at time: NIODeadline, mostFailures: Int? = nil) {
        guard let address = RouteAddress(url: peer.info.ip) else { return }
        var plan = RouteDialler.Plan(.link(peer: peer.info.id, link), address)
        plan.link = link
        plan.peerID = peer.info.id
        plan.credentials = peer.info.needsCredentials ? .cluster : .none
        plan.mostFailures = mostFailures
        _ = self.dialler.plan(plan, at: time)
    }

    /// Whether there is still no connection of the kind that a dial is for.
    func isNeeded(_ plan: RouteDialler.Plan) -> Bool {
        switch plan.purpose {
        case .explicit(let index):
            !self.configured[index].isSelf && !self.configured[index].isRemoved
                && !self.isConnected(self.configured[index].peerID)
        case .implicit(let address):
            !self.options.ownAddresses.contains(address) && !self.isConnected(plan.peerID)
        case .link(let peerID, let link):
            self.peers[peerID].map { $0.links[link] == nil } ?? false
        }
    }

    private func isConnected(_ peerID: String?) -> Bool {
        peerID.flatMap { self.peers[$0]?.main } != nil
    }

    mutating func startDials(now: NIODeadline) {
        for plan in self.dialler.due(now: now) {
            if !self.isNeeded(plan) {
                self.dialler.cancel(plan)
            } else if let number = self.dialler.start(plan) {
                self.act(.dial(number: number, plan.address, plan.credentials))
            }
        }
    }

    /// A dial led to no connection.
    ///
    /// nats-server server.go shouldReportConnectErr.
    mutating func attemptFailed(_ plan: RouteDialler.Plan, _ error: String, now: NIODeadline) {
        let (plan, isPlanned) = self.again(plan, now: now)
        let interval = max(1, plan.isReconnect ? self.options.reconnectErrorReports : self.options.connectErrorReports)
        let attempt = plan.failures
        let isReported = attempt == 1 || (attempt % interval == 0 && !(plan.isSearching && isPlanned))
        self.log(
            isReported ? .error : .debug,
            "Error trying to connect to route (attempt \(attempt)): \(error)"
        )
    }

    /// A connection that we dialled ended before anybody was found on it.
    mutating func handshakeFailed(_ connection: Connection, now: NIODeadline) {
        guard let plan = connection.plan else { return }
        if case .link(let peerID, .account(let account)) = plan.purpose, connection.hasError {
            return self.refuse(account, by: peerID)
        }
        if case .explicit(let index) = plan.purpose {
            return self.planConfigured(index, at: now + .seconds(1) + self.randomDelay(), isReconnect: true)
        }
        _ = self.again(plan, now: now)
    }

    /// Tries again what has failed, if it is worth it.
    private mutating func again(_ plan: RouteDialler.Plan, now: NIODeadline) -> (RouteDialler.Plan, isPlanned: Bool) {
        if !plan.isMain, !self.isNeeded(plan) { return (plan, false) }
        let outcome = self.dialler.failed(plan, now: now)
        if case .implicit(let address) = plan.purpose, !outcome.isPlanned { self.resting.strike(address, now: now) }
        return (outcome.plan, outcome.isPlanned)
    }
}
