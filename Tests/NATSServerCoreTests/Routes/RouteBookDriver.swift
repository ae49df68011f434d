import NIOCore

@testable import NATSServerCore

/// One ``RouteBook`` and what a test says for its peers.
final class RouteBookDriver {
    /// A test thought that there is something to dial.
    struct NoDial: Error {}

    var book: RouteBook
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private var lastConnection: UInt64 = 0

    /// A server `N5` with a pool of one connection.
    init(_ change: (inout RouteBookOptions) -> Void = { _ in }) {
        var options = RouteBookOptions(id: "N5", name: "five", cluster: "C1")
        options.poolSize = 1
        change(&options)
        self.book = RouteBook(options, seed: 7)
    }

    static func peer(_ id: String, _ change: (inout RoutePeer) -> Void = { _ in }) -> RoutePeer {
        var peer = RoutePeer(id: id, name: "server \(id)", host: "0.0.0.0", port: 6222, cluster: "C1")
        peer.poolSize = 1
        change(&peer)
        return peer
    }

    /// What gossip says of a server.
    static func rumour(_ id: String, _ host: String, port: Int = 6222) -> RoutePeer {
        Self.peer(id) {
            $0.ip = "nats-route://\(host):\(port)/"
            $0.port = port
        }
    }

    // MARK: Events

    func start() -> [RouteAction] { self.book.started(now: self.now) }

    /// A connection from outside.
    func accept(from host: String = "10.0.0.9") -> (id: UInt64, actions: [RouteAction]) {
        self.lastConnection += 1
        return (self.lastConnection, self.book.accepted(self.lastConnection, from: host, now: self.now))
    }

    /// A connection from outside, up to the peer's INFO.
    func accept(_ peer: RoutePeer, from host: String = "10.0.0.9") -> (id: UInt64, actions: [RouteAction]) {
        let id = self.accept(from: host).id
        _ = self.greet(id, RouteGreeting(id: peer.id, cluster: peer.cluster, isDynamic: peer.isDynamic))
        return (id, self.inform(id, peer))
    }

    func greet(_ id: UInt64, _ greeting: RouteGreeting) -> [RouteAction] {
        self.book.greeted(id, greeting, now: self.now)
    }

    func inform(_ id: UInt64, _ info: RoutePeer) -> [RouteAction] {
        self.book.informed(id, info, now: self.now)
    }

    /// The first dial among some actions succeeds.
    func connect(_ actions: [RouteAction]) throws -> (id: UInt64, actions: [RouteAction]) {
        guard let dial = actions.dials.first else { throw NoDial() }
        self.lastConnection += 1
        let id = self.lastConnection
        return (id, self.book.dialled(dial.number, as: id, at: "10.0.0.1", now: self.now))
    }

    /// The first dial among some actions leads to a server.
    func connect(_ actions: [RouteAction], to peer: RoutePeer) throws -> (id: UInt64, actions: [RouteAction]) {
        let id = try self.connect(actions).id
        return (id, self.inform(id, peer))
    }

    func fail(_ actions: [RouteAction]) -> [RouteAction] {
        guard let dial = actions.dials.first else { return [] }
        return self.book.dialFailed(dial.number, "connection refused", now: self.now)
    }

    func pong(_ id: UInt64) -> [RouteAction] { self.book.ponged(id, now: self.now) }

    func error(_ id: UInt64) { self.book.errorReceived(id) }

    func close(_ id: UInt64) -> [RouteAction] { self.book.closed(id, now: self.now) }

    /// Milliseconds until the book wants to be asked again.
    var wait: Int64? { self.book.nextDeadline.map { ($0 - self.now).nanoseconds / 1_000_000 } }

    /// Lets time pass until the book wants to be asked, and asks it.
    func waitAndAsk() -> [RouteAction] {
        guard let next = self.book.nextDeadline else { return [] }
        self.now = max(self.now, next)
        return self.book.timePassed(now: self.now)
    }

    /// Lets some time pass, and asks whenever it is time to.
    func pass(_ time: TimeAmount) -> [RouteAction] {
        let end = self.now + time
        var actions: [RouteAction] = []
        while let next = self.book.nextDeadline, next <= end {
            actions += self.waitAndAsk()
        }
        self.now = end
        return actions
    }
}

extension [RouteAction] {
    var dials: [(number: UInt64, address: RouteAddress)] {
        self.compactMap { if case .dial(let number, let address, _) = $0 { (number, address) } else { nil } }
    }

    var credentials: [RouteCredentials] {
        self.compactMap { if case .dial(_, _, let credentials) = $0 { credentials } else { nil } }
    }

    var registered: [UInt64] {
        self.compactMap { if case .register(let id, _, _) = $0 { id } else { nil } }
    }

    var links: [RouteLink] {
        self.compactMap { if case .register(_, _, let link) = $0 { link } else { nil } }
    }

    var closed: [UInt64] {
        self.compactMap { if case .close(let id, _, _) = $0 { id } else { nil } }
    }

    var reasons: [ClosedReason] {
        self.compactMap { if case .close(_, let reason, _) = $0 { reason } else { nil } }
    }

    /// The texts of `-ERR`.
    var errors: [String] {
        self.compactMap { if case .close(_, _, let text) = $0 { text } else { nil } }
    }

    var gossip: [(info: RoutePeer, to: UInt64)] {
        self.compactMap { if case .gossip(let info, let id) = $0 { (info, id) } else { nil } }
    }

    var announced: [[String]] {
        self.compactMap { if case .announce(let clientURLs, _) = $0 { clientURLs } else { nil } }
    }

    /// Log lines, as `error text`.
    var lines: [String] {
        self.compactMap { if case .log(let level, let text, _) = $0 { "\(level) \(text)" } else { nil } }
    }

    /// The links that INFOs name.
    var introductions: [RouteLink] {
        self.compactMap { if case .sendInfo(_, let link, _) = $0 { link } else { nil } }
    }
}
