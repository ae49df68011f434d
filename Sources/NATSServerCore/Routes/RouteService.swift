import Logging
internal import NATSWire
import NIOConcurrencyHelpers
import NIOCore

/// The server as one of a cluster: asks its ``RouteBook`` what is to be done, and does it.
///
/// The book lives on the first event loop; connections, wherever they live, report to it and are told what to do, each in order.
///
/// `@unchecked Sendable`: what is `home`'s is only touched there.
final class RouteService: @unchecked Sendable {
    private struct State {
        var options: ClusterOptions
        var listener: (any Channel)?
        var port = 0
        var cluster: String
        var isDynamic: Bool
        /// Connections by the ids of the servers to which they are.
        var peers: [String: Int] = [:]
        var isComplete = true
        var tls: RouteTLS?
    }

    private unowned let shared: ServerShared
    private let state: NIOLockedValueBox<State>
    private let logger: Logger

    // Of the first loop.
    private var home: ServerLoop?
    private var loops: [ServerLoop] = []
    private var book: RouteBook?
    private var connections: [UInt64: RouteConnection] = [:]
    /// What dialled connections are to say in their CONNECT.
    private var credentials: [UInt64: RouteCredentials] = [:]
    /// The numbers of dials under way, by the connections that they will become.
    private var dials: [UInt64: UInt64] = [:]
    /// The whole INFO of each peer, for gossip.
    private var infos: [String: RouteInfo] = [:]
    private var timer: Scheduled<Void>?
    private var hasEnded = false

    /// - Parameters:
    ///   - options: The `cluster` block.
    ///   - shared: Whose it is.
    init(_ options: ClusterOptions, shared: ServerShared) {
        self.shared = shared
        self.logger = shared.logger
        var generator = SystemRandomNumberGenerator()
        // As long as those of the official server, which are NUIDs.
        var nuid = NUID(using: &generator)
        let name = options.name ?? nuid.next(using: &generator)
        self.state = NIOLockedValueBox(State(options: options, cluster: name, isDynamic: options.name == nil))
    }

    var options: ClusterOptions { self.state.withLockedValue { $0.options } }

    /// The cluster's name; another one may take the place of one that was made up.
    var clusterName: String { self.state.withLockedValue { $0.cluster } }

    var isDynamic: Bool { self.state.withLockedValue { $0.isDynamic } }

    /// Where routes are accepted; 0 before that.
    var port: Int { self.state.withLockedValue { $0.port } }

    /// Connections to other servers, and how many servers those are.
    var counts: (routes: Int, remotes: Int) {
        self.state.withLockedValue { ($0.peers.values.reduce(0, +), $0.peers.count) }
    }

    /// Connections to each other server, by its id.
    var peers: [String: Int] { self.state.withLockedValue { $0.peers } }

    /// What new connections are secured with; `nil` for clear text.
    var tls: RouteTLS? { self.state.withLockedValue { $0.tls } }

    /// Reads certificates and keys.
    ///
    /// - Throws: If they cannot be used.
    func loadTLS() throws(TLSContext.LoadError) {
        let options = self.options
        guard let block = options.tls else { return }
        let accepting = try TLSContext(block)
        let dialling = try TLSContext.client(block, isInsecure: options.isInsecure)
        let hosts = options.routes.map(\.address.host)
        let name = hosts.first { (try? SocketAddress(ipAddress: $0, port: 0)) == nil }
        let tls = RouteTLS(accepting: accepting, dialling: dialling, name: name)
        self.state.withLockedValue { $0.tls = tls }
    }

    /// Whether every server that is connected has all its connections.
    var isComplete: Bool { self.state.withLockedValue { $0.isComplete } }

    // MARK: Start and end

    /// The listener stands: servers may come, and are dialled.
    ///
    /// - Parameters:
    ///   - listener: Where routes are accepted.
    ///   - loops: All loops of the server.
    func start(_ listener: any Channel, on loops: [ServerLoop]) {
        let port = listener.localAddress?.port ?? 0
        self.state.withLockedValue { state in
            state.listener = listener
            state.port = port
        }
        guard let home = loops.first else { return }
        home.eventLoop.execute {
            self.home = home
            self.loops = loops
            var generator = SystemRandomNumberGenerator()
            self.book = RouteBook(self.bookOptions(port: port), seed: generator.next())
            self.perform { book, now in book.started(now: now) }
        }
    }

    /// No server comes any more, and none is dialled.
    func stopListening() async {
        let listener = self.state.withLockedValue { $0.listener.take() }
        try? await listener?.close()
        guard let home = self.shared.loops.all.first else { return }
        await self.shared.loops.answer(of: home.index) { _ in
            self.hasEnded = true
            self.timer?.cancel()
            self.timer = nil
        }
    }

    private func bookOptions(port: Int) -> RouteBookOptions {
        let (options, cluster, isDynamic) = self.state.withLockedValue { ($0.options, $0.cluster, $0.isDynamic) }
        var book = RouteBookOptions(id: self.shared.identity.id, name: self.shared.serverName, cluster: cluster)
        book.isDynamic = isDynamic
        book.routes = options.routes.map(\.address)
        book.ownAddresses = LocalAddresses.routes(host: options.host, port: port)
        book.poolSize = options.poolSize
        var accounts = options.accounts
        if let system = self.shared.accounts.systemName, !accounts.contains(system) { accounts.append(system) }
        book.accounts = options.poolSize > 0 ? accounts : []
        book.connectRetries = options.connectRetries
        book.connectBackoff = options.connectBackoff
        book.connectErrorReports = self.shared.options.connectErrorReports
        book.reconnectErrorReports = self.shared.options.reconnectErrorReports
        book.noAdvertise = options.noAdvertise
        return book
    }

    // MARK: From connections

    func accepted(_ connection: RouteConnection) {
        let (id, host) = (connection.id, connection.remoteIP)
        self.report { book, now in
            self.connections[id] = connection
            return book.accepted(id, from: host, now: now)
        }
    }

    /// A connection will be made for a dial; on the first loop.
    func willDial(_ number: UInt64, as id: UInt64) { self.dials[id] = number }

    /// The connection stands, and so does its encryption.
    func dialled(_ connection: RouteConnection) {
        let (id, host) = (connection.id, connection.remoteIP)
        self.report { book, now in
            guard let number = self.dials.removeValue(forKey: id) else { return [] }
            self.connections[id] = connection
            return book.dialled(number, as: id, at: host, now: now)
        }
    }

    func dialFailed(_ id: UInt64, _ error: String) {
        self.report { book, now in
            self.credentials[id] = nil
            guard let number = self.dials.removeValue(forKey: id) else { return [] }
            return book.dialFailed(number, error, now: now)
        }
    }

    func greeted(_ connection: RouteConnection, _ greeting: RouteGreeting) {
        let id = connection.id
        self.report { book, now in book.greeted(id, greeting, now: now) }
    }

    func informed(_ connection: RouteConnection, _ info: RouteInfo) {
        let id = connection.id
        self.report { book, now in
            if self.infos[info.serverID] == nil || info.account.isEmpty { self.keep(info) }
            return book.informed(id, RoutePeer(info), now: now)
        }
    }

    func ponged(_ connection: RouteConnection) {
        let id = connection.id
        self.report { book, now in book.ponged(id, now: now) }
    }

    func errorReceived(_ connection: RouteConnection) {
        let id = connection.id
        self.report { book, _ in
            book.errorReceived(id)
            return []
        }
    }

    func closed(_ connection: RouteConnection) {
        let (id, reason) = (connection.id, connection.closedReason?.rawValue ?? "")
        self.report { book, now in
            self.connections[id] = nil
            self.credentials[id] = nil
            // Before anything was said, as in a TLS handshake.
            if let number = self.dials.removeValue(forKey: id) { return book.dialFailed(number, reason, now: now) }
            let actions = book.closed(id, now: now)
            self.forgetInfos(book)
            return actions
        }
    }

    /// More than servers of a cluster can be: of others nothing is kept.
    private static let mostInfos = 2048

    private func keep(_ info: RouteInfo) {
        guard self.infos[info.serverID] != nil || self.infos.count < Self.mostInfos else { return }
        self.infos[info.serverID] = info
    }

    private func forgetInfos(_ book: RouteBook) {
        self.infos = self.infos.filter { book.peers[$0.key] != nil }
    }

    // MARK: The book

    /// Tells the book of something, and does what it wants done; from anywhere.
    private func report(_ event: @escaping @Sendable (inout RouteBook, NIODeadline) -> [RouteAction]) {
        guard !self.shared.isEnding, let home = self.shared.loops.all.first else { return }
        home.eventLoop.execute { self.perform(event) }
    }

    private func perform(_ event: (inout RouteBook, NIODeadline) -> [RouteAction]) {
        guard !self.hasEnded, var book = self.book.take() else { return }
        let actions = event(&book, .now())
        self.book = book
        for action in actions { self.perform(action) }
        self.countPeers()
        self.schedule()
    }

    private func schedule() {
        self.timer?.cancel()
        self.timer = nil
        guard !self.hasEnded, let home = self.home, let deadline = self.book?.nextDeadline else { return }
        self.timer = home.eventLoop.scheduleTask(deadline: deadline) {
            self.timer = nil
            self.perform { book, now in book.timePassed(now: now) }
        }
    }

    private func perform(_ action: RouteAction) {
        switch action {
        case .dial(let number, let address, let credentials):
            let id = self.shared.nextClientID()
            self.credentials[id] = credentials
            guard !self.loops.isEmpty else { return }
            self.dial(number, address, on: self.loops[Int(number % UInt64(self.loops.count))], id: id)
        case .sendConnect(let id):
            let connect = self.makeConnect(self.credentials.removeValue(forKey: id) ?? .none)
            self.tell(id) { $0.sendConnect(connect) }
        case .sendInfo(let id, let link, let gossipMode):
            let info = self.makeInfo(link, gossipMode)
            self.tell(id) { $0.sendInfo(info) }
        case .sendPing(let id):
            self.tell(id) { $0.sendPing() }
        case .register(let id, let peer, let link):
            let isConfigured = self.book?.connections[id]?.plan?.isExplicit ?? false
            self.tell(id) { $0.register(link, isConfigured: isConfigured) }
            self.assignAccounts(to: peer.id)
        case .close(let id, let reason, let text):
            let connection = self.connections.removeValue(forKey: id)
            self.tell(connection) { connection in
                if let text { connection.fail(text, reason) } else { connection.close(reason) }
            }
        case .gossip(let peer, let id):
            self.gossip(peer, to: id)
        case .announce(let clientURLs, let webSocketURLs):
            self.shared.setRemoteURLs(clientURLs, webSocketURLs)
            self.shared.loops.tell { loop in loop.sendInfoToClients() }
        case .adoptCluster(let name):
            self.state.withLockedValue { state in
                state.cluster = name
                state.isDynamic = self.book?.options.isDynamic ?? false
            }
            self.shared.loops.tell { loop in loop.sendInfoToClients() }
        case .log(let level, let text, let id):
            guard let connection = id.flatMap({ self.connections[$0] }) else {
                self.logger.log(level: level, "\(text)")
                return
            }
            self.tell(connection) { $0.logger.log(level: level, "\($0.label) - \(text)") }
        }
    }

    private func tell(_ id: UInt64, _ order: @escaping @Sendable (RouteConnection) -> Void) {
        self.tell(self.connections[id], order)
    }

    private func tell(_ connection: RouteConnection?, _ order: @escaping @Sendable (RouteConnection) -> Void) {
        guard let connection, !self.shared.isEnding else { return }
        connection.loop.eventLoop.execute { order(connection) }
    }

    private func countPeers() {
        let peers = self.book?.peers.mapValues(\.links.count) ?? [:]
        let isComplete = self.book?.isComplete ?? true
        self.state.withLockedValue { state in
            state.peers = peers
            state.isComplete = isComplete
        }
    }

    // MARK: Accounts

    /// Every account has one connection to a peer.
    private func assignAccounts(to peerID: String) {
        guard let book = self.book else { return }
        var accounts: [UInt64: [Account]] = [:]
        for account in self.shared.accounts.byName.values {
            guard let id = book.connection(to: peerID, for: account.name) else { continue }
            accounts[id, default: []].append(account)
        }
        for (id, accounts) in accounts {
            self.tell(id) { connection in
                for account in accounts { connection.watch(account) }
            }
        }
    }

    // MARK: What is said

    private func makeConnect(_ credentials: RouteCredentials) -> RouteConnect {
        let (options, cluster, isDynamic) = self.state.withLockedValue { ($0.options, $0.cluster, $0.isDynamic) }
        var connect = RouteConnect()
        connect.serverID = self.shared.identity.id
        connect.cluster = cluster
        connect.isClusterDynamic = isDynamic
        connect.tlsRequired = options.tls != nil
        switch credentials {
        case .none: break
        case .route(let index):
            guard options.routes.indices.contains(index) else { break }
            connect.user = options.routes[index].user
            connect.password = options.routes[index].password
        case .cluster:
            // A hash is of no use to the other side.
            guard !Bcrypt.isHash(options.password) else { break }
            connect.user = options.user
            connect.password = options.password
        }
        return connect
    }

    private func makeInfo(_ link: RouteLink, _ gossipMode: GossipMode) -> RouteInfo {
        let (options, cluster, isDynamic, port) = self.state.withLockedValue {
            ($0.options, $0.cluster, $0.isDynamic, $0.port)
        }
        var info = RouteInfo()
        info.serverID = self.shared.identity.id
        info.serverName = self.shared.serverName
        info.version = ServerVersion.compatible
        info.proto = 2
        info.goVersion = ServerVersion.go
        info.host = options.host
        info.port = port
        if let advertise = options.advertise, let address = try? AdvertisedAddress(advertise, defaultPort: port) {
            info.host = address.host
            info.port = address.port
            info.ip = "nats-route://\(HostPort.join(address.host, address.port))/"
        }
        info.headers = !self.shared.options.noHeaderSupport
        info.authRequired = !options.user.isEmpty
        info.tlsRequired = options.tls != nil
        info.tlsVerify = options.tls != nil
        info.maxPayload = Int32(clamping: self.shared.options.maxPayload)
        info.cluster = cluster
        info.isClusterDynamic = isDynamic
        if !options.noAdvertise {
            let urls = self.shared.ownClientURLs
            info.connectURLs = urls.plain
            info.webSocketConnectURLs = urls.webSocket
        }
        info.lameDuckMode = self.shared.isInLameDuckMode
        info.poolSize = max(0, options.poolSize)
        switch link {
        case .slot(let index): info.poolIndex = index
        case .account(let name): info.account = name
        }
        info.gossipMode = UInt8(gossipMode.rawValue)
        return info
    }

    private func gossip(_ peer: RoutePeer, to id: UInt64) {
        guard var info = self.infos[peer.id] else { return }
        info.ip = peer.ip
        info.nonce = ""
        info.poolIndex = peer.poolIndex
        info.account = peer.account ?? ""
        info.gossipMode = UInt8(peer.gossipMode.rawValue)
        let line = info
        self.tell(id) { $0.sendInfo(line) }
    }

    /// Clients are sent away: peers do not name this server to theirs any more.
    func announceLameDuckMode() {
        self.report { book, _ in
            let info = self.makeInfo(.slot(0), .normal)
            for peer in book.peers.values { if let id = peer.main { self.tell(id) { $0.sendInfo(info) } } }
            return []
        }
    }
}
