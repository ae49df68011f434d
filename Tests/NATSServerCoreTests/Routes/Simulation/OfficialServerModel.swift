import NATSTestSupport
import NIOCore

@testable import NATSServerCore

/// What takes part in a ``RouteSimulation``.
protocol SimulatedServer {
    var options: RouteBookOptions { get }
    var nextDeadline: NIODeadline? { get }
    /// The connections to a server.
    func links(to id: String) -> [RouteLink: UInt64]

    mutating func started(now: NIODeadline) -> [RouteAction]
    mutating func timePassed(now: NIODeadline) -> [RouteAction]
    mutating func accepted(_ id: UInt64, from host: String, now: NIODeadline) -> [RouteAction]
    mutating func dialled(_ number: UInt64, as id: UInt64, at host: String, now: NIODeadline) -> [RouteAction]
    mutating func dialFailed(_ number: UInt64, _ error: String, now: NIODeadline) -> [RouteAction]
    mutating func greeted(_ id: UInt64, _ greeting: RouteGreeting, now: NIODeadline) -> [RouteAction]
    mutating func informed(_ id: UInt64, _ info: RoutePeer, now: NIODeadline) -> [RouteAction]
    mutating func ponged(_ id: UInt64, now: NIODeadline) -> [RouteAction]
    mutating func errorReceived(_ id: UInt64)
    mutating func closed(_ id: UInt64, now: NIODeadline) -> [RouteAction]
}

extension RouteBook: SimulatedServer {
    func links(to id: String) -> [RouteLink: UInt64] { self.peers[id]?.links ?? [:] }
}

/// How an official server decides about routes, as far as others have to get on with it.
///
/// After nats-server route.go (addRoute, handleDuplicateRoute, processImplicitRoute) and client.go (reconnect): each of two
/// servers that dial each other may keep the connection that the other one drops; then both are dialled again after a
/// random delay.
struct OfficialServerModel: SimulatedServer {
    private struct Dial {
        let address: RouteAddress
        let isExplicit: Bool
        let account: String?
        let gossipMode: GossipMode
        var due: NIODeadline
        var number: UInt64?
    }

    private struct Connection {
        /// What was dialled, or is dialled when the connection is lost.
        var dial: Dial?
        let isDialled: Bool
        let host: String
        var peer: RoutePeer?
        var link = RouteLink.slot(0)
        var isRegistered = false
        var isRetried = false
        var isFinal = false
        var opensNext = false
    }

    let options: RouteBookOptions
    /// 2.9: no pool, and INFO is sent with CONNECT.
    let isOld: Bool
    private var random: SeededGenerator
    private var connections: [UInt64: Connection] = [:]
    private var peers: [String: [RouteLink: UInt64]] = [:]
    private var dials: [Dial] = []
    private var lastNumber: UInt64 = 0
    private var actions: [RouteAction] = []

    init(_ options: RouteBookOptions, isOld: Bool, seed: UInt64) {
        self.options = options
        self.isOld = isOld
        self.random = SeededGenerator(seed: seed)
    }

    var nextDeadline: NIODeadline? { self.dials.lazy.filter { $0.number == nil }.map(\.due).min() }

    func links(to id: String) -> [RouteLink: UInt64] { self.peers[id] ?? [:] }

    // MARK: Events

    mutating func started(now: NIODeadline) -> [RouteAction] {
        for address in self.options.routes {
            self.plan(address, isExplicit: true, account: nil, at: now)
            for account in self.options.accounts where self.options.poolSize > 0 {
                self.plan(address, isExplicit: true, account: account, at: now)
            }
        }
        return self.finish(now)
    }

    mutating func timePassed(now: NIODeadline) -> [RouteAction] { self.finish(now) }

    mutating func accepted(_ id: UInt64, from host: String, now: NIODeadline) -> [RouteAction] {
        self.connections[id] = Connection(isDialled: false, host: host)
        self.actions.append(.sendInfo(id, link: .slot(0), gossipMode: .normal))
        return self.finish(now)
    }

    mutating func dialled(_ number: UInt64, as id: UInt64, at host: String, now: NIODeadline) -> [RouteAction] {
        guard let place = self.dials.firstIndex(where: { $0.number == number }) else { return self.finish(now) }
        let dial = self.dials.remove(at: place)
        self.connections[id] = Connection(dial: dial, isDialled: true, host: host)
        self.actions.append(.sendConnect(id))
        if self.isOld { self.actions.append(.sendInfo(id, link: .slot(0), gossipMode: .normal)) }
        return self.finish(now)
    }

    mutating func dialFailed(_ number: UInt64, _ error: String, now: NIODeadline) -> [RouteAction] {
        guard let place = self.dials.firstIndex(where: { $0.number == number }) else { return self.finish(now) }
        if self.dials[place].isExplicit {
            self.dials[place].number = nil
            self.dials[place].due = now + .seconds(1)
        } else {
            self.dials.remove(at: place)
        }
        return self.finish(now)
    }

    mutating func greeted(_ id: UInt64, _ greeting: RouteGreeting, now: NIODeadline) -> [RouteAction] {
        self.finish(now)
    }

    mutating func informed(_ id: UInt64, _ info: RoutePeer, now: NIODeadline) -> [RouteAction] {
        guard let connection = self.connections[id] else { return self.finish(now) }
        if let peer = connection.peer {
            if peer.id != info.id { self.heard(of: info, from: peer, now: now) }
            return self.finish(now)
        }
        self.connections[id]?.peer = info
        guard info.id != self.options.id else {
            self.end(id, .duplicateRoute, now: now)
            return self.finish(now)
        }
        self.add(id, info, now: now)
        return self.finish(now)
    }

    mutating func ponged(_ id: UInt64, now: NIODeadline) -> [RouteAction] {
        if let connection = self.connections[id], connection.opensNext, let dial = connection.dial {
            self.connections[id]?.opensNext = false
            self.plan(dial.address, isExplicit: dial.isExplicit, account: nil, at: now)
        }
        return self.finish(now)
    }

    mutating func errorReceived(_ id: UInt64) {}

    mutating func closed(_ id: UInt64, now: NIODeadline) -> [RouteAction] {
        self.lose(id, now: now)
        return self.finish(now)
    }

    // MARK: Routes

    private var poolSize: Int { self.isOld ? 0 : max(0, self.options.poolSize) }

    private mutating func add(_ id: UInt64, _ info: RoutePeer, now: NIODeadline) {
        guard let connection = self.connections[id] else { return }
        let isPooled = self.poolSize > 0 && info.poolSize > 0
        let account = connection.isDialled ? connection.dial?.account : info.account
        if let account {
            guard isPooled, self.options.accounts.contains(account) else {
                if !isPooled { self.connections[id]?.isFinal = true }
                return self.end(id, .protocolViolation, text: "No route for account", now: now)
            }
            if let holder = self.peers[info.id]?[.account(account)] {
                self.connections[id]?.isFinal = true
                self.inherit(from: id, to: holder)
                return self.end(id, .duplicateRoute, now: now)
            }
            return self.register(id, info, .account(account))
        }
        let slots = (self.peers[info.id] ?? [:]).filter { $0.key.isSlot }
        guard isPooled else {
            guard let holder = slots.values.first else { return self.register(id, info, .slot(0)) }
            self.connections[id]?.isFinal = true
            self.inherit(from: id, to: holder)
            return self.end(id, .duplicateRoute, now: now)
        }
        let size = max(self.poolSize, info.poolSize)
        let slot =
            connection.isDialled
            ? (0..<size).first { slots[.slot($0)] == nil } ?? size : info.poolIndex
        guard slot < size else {
            self.connections[id]?.isFinal = true
            return self.end(id, .duplicateRoute, now: now)
        }
        if let holder = slots[.slot(slot)] {
            self.inherit(from: id, to: holder)
            return self.end(id, .duplicateRoute, now: now)
        }
        self.register(id, info, .slot(slot))
        if connection.isDialled, slots.count + 1 < size {
            self.connections[id]?.opensNext = true
            self.actions.append(.sendPing(id))
        }
    }

    /// The connection that is kept is dialled again if the one that is dropped would have been.
    private mutating func inherit(from dropped: UInt64, to kept: UInt64) {
        guard let old = self.connections[dropped] else { return }
        if old.isDialled, let dial = old.dial, self.connections[kept]?.isDialled == false {
            self.connections[kept]?.dial = dial
        }
        self.connections[kept]?.isRetried = true
    }

    private mutating func register(_ id: UInt64, _ info: RoutePeer, _ link: RouteLink) {
        guard let connection = self.connections[id] else { return }
        let isFirst = link.isSlot && !(self.peers[info.id] ?? [:]).keys.contains { $0.isSlot }
        self.peers[info.id, default: [:]][link] = id
        self.connections[id]?.link = link
        self.connections[id]?.isRegistered = true
        if connection.isDialled, !self.isOld {
            self.actions.append(.sendInfo(id, link: link, gossipMode: connection.dial?.gossipMode ?? .normal))
        }
        self.actions.append(.register(id, info, link: link))
        let isHearsay = connection.isDialled && connection.dial?.isExplicit == false
        guard isFirst || !link.isSlot, info.gossipMode != .disabled else { return }
        if isHearsay, connection.dial?.gossipMode != .override { return }
        var news = info
        if news.ip.isEmpty { news.ip = RouteAddress(host: connection.host, port: info.port)?.url ?? "" }
        if case .account(let account) = link { news.account = account }
        for (other, links) in self.peers.sorted(by: { $0.key < $1.key }) where other != info.id {
            guard let route = links.min(by: { $0.key < $1.key })?.value else { continue }
            let isExplicit = self.connections[route]?.dial?.isExplicit ?? false
            news.gossipMode =
                connection.isDialled
                ? (connection.dial?.isExplicit == true ? .override : .normal) : (isExplicit ? .override : .disabled)
            self.actions.append(.gossip(news, to: route))
        }
    }

    private mutating func heard(of info: RoutePeer, from peer: RoutePeer, now: NIODeadline) {
        guard info.id != self.options.id, let address = RouteAddress(url: info.ip) else { return }
        let links = self.peers[info.id] ?? [:]
        if let account = info.account {
            guard self.poolSize > 0, links[.account(account)] == nil else { return }
        } else if links.keys.contains(where: \.isSlot) {
            return
        }
        guard !self.options.routes.contains(address) else { return }
        self.plan(address, isExplicit: false, account: info.account, gossipMode: info.gossipMode, at: now)
        guard info.account == nil, self.poolSize > 0, peer.poolSize == 0 else { return }
        for account in self.options.accounts {
            self.plan(address, isExplicit: false, account: account, gossipMode: info.gossipMode, at: now)
        }
    }

    private mutating func end(_ id: UInt64, _ reason: ClosedReason, text: String? = nil, now: NIODeadline) {
        self.actions.append(.close(id, reason, text: text))
        self.lose(id, now: now)
    }

    private mutating func lose(_ id: UInt64, now: NIODeadline) {
        guard let connection = self.connections.removeValue(forKey: id) else { return }
        let peerID = connection.peer?.id
        if let peerID, connection.isRegistered, self.peers[peerID]?[connection.link] == id {
            self.peers[peerID]?[connection.link] = nil
            if self.peers[peerID]?.isEmpty == true { self.peers[peerID] = nil }
        }
        guard !connection.isFinal, let dial = connection.dial, peerID != self.options.id else { return }
        if dial.account == nil, self.poolSize < 1, let peerID, let holder = self.peers[peerID]?[.slot(0)] {
            if self.connections[holder]?.dial == nil { self.connections[holder]?.dial = dial }
            return
        }
        let jitter = TimeAmount.milliseconds(Int64.random(in: 0..<100, using: &self.random))
        let wait = (dial.isExplicit ? TimeAmount.seconds(1) : .zero) + jitter
        self.plan(dial.address, isExplicit: dial.isExplicit, account: dial.account, at: now + wait)
    }

    private mutating func plan(
        _ address: RouteAddress,
        isExplicit: Bool,
        account: String?,
        gossipMode: GossipMode = .normal,
        at time: NIODeadline
    ) {
        self.dials.append(
            Dial(address: address, isExplicit: isExplicit, account: account, gossipMode: gossipMode, due: time)
        )
    }

    private mutating func finish(_ now: NIODeadline) -> [RouteAction] {
        for place in self.dials.indices where self.dials[place].number == nil && self.dials[place].due <= now {
            self.lastNumber += 1
            self.dials[place].number = self.lastNumber
            self.actions.append(.dial(number: self.lastNumber, self.dials[place].address, .none))
        }
        defer { self.actions = [] }
        return self.actions
    }
}
