internal import Logging
internal import NATSText
internal import NIOCore

/// Who is on the other end of a connection, and whether we want to be connected with it.
extension RouteBook {
    /// The CONNECT of a server that dialled us; its credentials are in order.
    mutating func greeted(_ id: ConnectionID, _ greeting: RouteGreeting, now: NIODeadline) -> [RouteAction] {
        guard let connection = self.connections[id], connection.phase == .awaitingConnect else {
            return self.finish(now: now)
        }
        if !greeting.language.isEmpty {
            self.refuse(id, .incorrectPort, "attempted to connect to route port")
        } else if !greeting.gateway.isEmpty {
            let gateway = self.quote(greeting.gateway)
            self.refuse(id, .wrongGateway, "Rejecting connection from gateway \(gateway) on the Route port")
        } else if !self.agrees(on: greeting.cluster, isDynamic: greeting.isDynamic, with: greeting.id, now: now) {
            let theirs = self.quote(greeting.cluster)
            let ours = self.quote(self.options.cluster)
            let text = "Rejecting connection, cluster name \(theirs) does not match \(ours)"
            self.refuse(id, .clusterNameConflict, text)
        } else {
            self.connections[id]?.phase = .awaitingInfo
        }
        return self.finish(now: now)
    }

    /// An INFO: the first one makes the connection a route, others are news of the peer or of somebody else.
    mutating func informed(_ id: ConnectionID, _ info: RoutePeer, now: NIODeadline) -> [RouteAction] {
        guard let connection = self.connections[id] else { return self.finish(now: now) }
        switch connection.phase {
        case .awaitingConnect:
            self.close(id, .authenticationFailure, text: "Authorization Violation")
        case .awaitingInfo:
            self.introduced(id, connection, info, now: now)
        case .registered, .rival:
            guard let peer = connection.peer else { break }
            if info.id == peer.id {
                if info.isLameDuck { self.peerRetires(info.id) }
            } else {
                self.heard(of: info, from: peer.id, now: now)
            }
        }
        return self.finish(now: now)
    }

    private mutating func refuse(_ id: ConnectionID, _ reason: ClosedReason, _ text: String) {
        self.log(.error, text, about: id)
        self.close(id, reason, text: text)
    }

    /// nats-server route.go processRouteInfo, addRoute.
    private mutating func introduced(_ id: ConnectionID, _ connection: Connection, _ info: RoutePeer, now: NIODeadline)
    {
        guard info.id != self.options.id else { return self.foundOurselves(id, connection) }
        guard !info.id.isEmpty, info.id.utf8.count <= self.options.limits.nameLength else {
            return self.fail(id, connection, .protocolViolation, now: now)
        }
        let isAgreed =
            info.cluster.isEmpty
            || self.agrees(on: info.cluster, isDynamic: info.isDynamic, with: info.id, now: now)
        guard isAgreed else { return self.fail(id, connection, .clusterNameConflict, now: now) }
        if connection.plan == nil, info.name == self.options.name {
            let name = self.quote(info.name)
            self.log(.error, "Remote server has a duplicate name: \(name)", about: id)
            return self.close(id, .duplicateServerName)
        }
        if let expected = connection.plan?.peerID, connection.plan?.isMain == false, expected != info.id {
            // Another server is there; it is found as any new one is.
            return self.fail(id, connection, .duplicateRoute, now: now)
        }
        let link = connection.plan?.link ?? info.account.map(RouteLink.account) ?? .slot(info.poolIndex)
        if let text = self.objection(to: link, info, isDialled: connection.plan != nil) {
            self.log(.error, text, about: id)
            return self.fail(id, connection, .protocolViolation, text: text, now: now)
        }
        guard self.peers[info.id] != nil || self.peers.count < self.options.limits.peers else {
            self.log(.warning, "Too many routes: server \(self.quote(info.id)) is refused", about: id)
            return self.close(id, .maxConnectionsExceeded)
        }
        var connection = connection
        connection.peer = self.bounded(info, from: connection)
        connection.link = self.effectiveLink(link, info)
        self.connections[id] = connection
        if let other = self.peers[info.id]?.links[connection.link] {
            self.decide(between: other, and: id, now: now)
        } else {
            self.register(id, now: now)
        }
    }

    /// The server has dialled itself: that address is its own.
    private mutating func foundOurselves(_ id: ConnectionID, _ connection: Connection) {
        if let plan = connection.plan {
            self.log(.debug, "Detected route to self, ignoring \(self.quote(plan.address.url))")
            self.options.ownAddresses.insert(plan.address)
            if case .explicit(let index) = plan.purpose { self.configured[index].isSelf = true }
        }
        self.close(id, .duplicateRoute)
    }

    /// The handshake has failed by our decision.
    private mutating func fail(
        _ id: ConnectionID,
        _ connection: Connection,
        _ reason: ClosedReason,
        text: String? = nil,
        now: NIODeadline
    ) {
        self.close(id, reason, text: text)
        self.handshakeFailed(connection, now: now)
    }

    /// What is wrong with a link, in the official server's words.
    private func objection(to link: RouteLink, _ info: RoutePeer, isDialled: Bool) -> String? {
        let size = self.poolSize(with: info)
        switch link {
        case .account(let account):
            let name = self.quote(account)
            guard size > 0 else {
                return "Not possible to have a dedicated route for account \(name) between those servers"
            }
            return self.options.accounts.contains(account) ? nil : "No route for account \(name)"
        case .slot(let slot):
            if size == 0 { return nil }
            if isDialled {
                guard info.poolIndex != 0 else { return nil }
                return "Route pool index should not be set but is set to \(info.poolIndex)"
            }
            guard !(0..<size).contains(slot) else { return nil }
            return "Invalid route pool index: \(slot) - pool size is \(info.poolSize)"
        }
    }

    func poolSize(with info: RoutePeer) -> Int {
        RoutePool.size(own: self.options.poolSize, peer: info.poolSize, most: self.options.limits.poolSize)
    }

    private func effectiveLink(_ link: RouteLink, _ info: RoutePeer) -> RouteLink {
        self.poolSize(with: info) > 0 ? link : .slot(0)
    }

    /// What is kept of an INFO: no more than the limits allow, and where others reach the server.
    private func bounded(_ info: RoutePeer, from connection: Connection) -> RoutePeer {
        var info = info
        let limits = self.options.limits
        let keep = { (urls: [String]) in
            Array(urls.prefix(limits.clientURLs).filter { $0.utf8.count <= limits.clientURLLength })
        }
        info.clientURLs = keep(info.clientURLs)
        info.webSocketURLs = keep(info.webSocketURLs)
        if RouteAddress(url: info.ip) == nil {
            info.ip = RouteAddress(host: connection.host, port: info.port)?.url ?? ""
        }
        return info
    }

    // MARK: The cluster's name

    /// Whether a server is of our cluster; if our name was made up, we may take over its name for that.
    ///
    /// nats-server route.go processRouteConnect: a configured name wins, of two that were made up the greater one.
    private mutating func agrees(on name: String, isDynamic: Bool, with peerID: String, now: NIODeadline) -> Bool {
        if name == self.options.cluster { return true }
        guard self.options.isDynamic, !isDynamic || self.options.cluster < name else { return false }
        guard !name.isEmpty, name.utf8.count <= self.options.limits.nameLength,
            name.utf8.allSatisfy({ $0 > UInt8(ascii: " ") })
        else { return false }
        self.options.cluster = name
        self.options.isDynamic = isDynamic
        self.act(.adoptCluster(name))
        self.log(.info, "Cluster name updated to \(GoString.harmless(name.utf8))")
        let others = self.connections.filter { $0.value.peer.map { $0.id != peerID } ?? false }
        let rivals = others.filter { $0.value.isRival }
        for id in rivals.keys.sorted() + others.keys.filter({ rivals[$0] == nil }).sorted() {
            guard let connection = self.remove(id) else { continue }
            self.act(.close(id, .clusterNameConflict, text: nil))
            self.lost(connection, id, now: now)
        }
        return true
    }
}
