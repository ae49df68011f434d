import Logging
internal import NATSText
internal import NATSWire
import NIOConcurrencyHelpers
import NIOCore
import Synchronization

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
        var permissions: ClientPermissions?
        /// Places of configured routes that a reload has removed.
        var removedRoutes: Set<Int> = []
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
    private var timerDeadline: NIODeadline?
    private var hasEnded = false
    /// Many accounts that come at once are looked at once.
    private let accountsArePending = Atomic<Bool>(false)

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
        var state = State(options: options, cluster: name, isDynamic: options.name == nil)
        state.permissions = options.permissions.map { ClientPermissions($0, id: 1, hash: shared.hash) }
        self.state = NIOLockedValueBox(state)
    }

    var options: ClusterOptions { self.state.withLockedValue { $0.options } }

    /// The cluster's name; another one may take the place of one that was made up.
    var clusterName: String { self.state.withLockedValue { $0.cluster } }

    /// What other servers may be told of, as `publish`, and may ask for, as `subscribe`; everything if `nil` (nats-server
    /// route.go setRoutePermissions).
    var permissions: ClientPermissions? { self.state.withLockedValue { $0.permissions } }

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

    /// Secures new connections with something else; those that are there keep theirs.
    func use(_ tls: RouteTLS?) { self.state.withLockedValue { $0.tls = tls } }

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
            guard !self.hasEnded else { return }
            self.home = home
            self.loops = loops
            var generator = SystemRandomNumberGenerator()
            self.book = RouteBook(self.bookOptions(port: port), seed: generator.next())
            self.perform { book, now in book.started(now: now) }
            self.shared.accounts.observe { [weak self] in self?.accountsChanged() }
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

    /// The loops have ended: nothing is referred to any more.
    func dismantle() {
        self.home = nil
        self.loops = []
        self.book = nil
        self.connections = [:]
        self.credentials = [:]
        self.dials = [:]
        self.infos = [:]
    }

    // MARK: Reload

    /// Goes on with another `cluster` block; its routes are changed by ``changeRoutes(to:)``.
    ///
    /// Whom this server asks for, and how long it waits, holds for new connections; those that are accepted come again if
    /// user or password are others. All are made anew where their number, their accounts or the permissions change.
    func reload(_ options: ClusterOptions) {
        let old = self.options
        let newName: String? = self.state.withLockedValue { state in
            let routes = state.options.routes
            state.options = options
            state.options.routes = routes
            state.permissions = options.permissions.map { ClientPermissions($0, id: 1, hash: self.shared.hash) }
            return options.name.flatMap { $0 == state.cluster ? nil : $0 }
        }
        if let newName { self.logger.info("Cluster name updated to \(GoString.harmless(newName.utf8))") }
        let isRestarted =
            old.poolSize != options.poolSize || old.accounts != options.accounts
            || old.permissions != options.permissions
        let isLocked = (old.user, old.password) != (options.user, options.password)
        self.report { book, now in
            // Here, so that none that is adopted at the same time takes its place.
            if let name = options.name { self.state.withLockedValue { ($0.cluster, $0.isDynamic) = (name, false) } }
            let bookOptions = self.bookOptions(port: self.port)
            var actions = book.reloaded(bookOptions, isRestarted: isRestarted, now: now)
            if isLocked { actions += book.closeAccepted(now: now) }
            return actions
        }
        self.shared.loops.tell { loop in
            loop.sendInfoToClients()
            for route in loop.routes.values { route.settingsChanged() }
        }
    }

    /// Goes on with other configured routes.
    func changeRoutes(to routes: [ClusterOptions.Route]) {
        let (added, removed) = self.state.withLockedValue { state in
            let old = state.options.routes
            let removed = Set(old.indices.filter { !routes.contains(old[$0]) && !state.removedRoutes.contains($0) })
            state.removedRoutes.formUnion(removed)
            let kept = old.indices.filter { !state.removedRoutes.contains($0) }.map { old[$0] }
            let added = routes.filter { !kept.contains($0) }
            state.options.routes += added
            return (added, removed)
        }
        self.report { book, now in
            book.changeRoutes(adding: added.map(\.address), removing: removed, now: now)
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
            guard self.isUpToDate(connection) else { return [] }
            self.connections[id] = connection
            return book.accepted(id, from: host, now: now)
        }
    }

    /// Ends a connection that has come to be under permissions that no longer hold; on the first loop.
    ///
    /// The book knows none whose TLS handshake goes on while a reload changes them.
    private func isUpToDate(_ connection: RouteConnection) -> Bool {
        guard connection.permissions?.options != self.permissions?.options else { return true }
        connection.loop.eventLoop.execute { connection.close(.routeRemoved) }
        return false
    }

    /// Whether peers can be told of permissions: what is longer than a line, or than what they keep, is only applied here.
    private static func areShort(_ permissions: PermissionOptions) -> Bool {
        let lists = [permissions.publish, permissions.subscribe].flatMap { [$0?.allow ?? [], $0?.deny ?? []] }
        return lists.allSatisfy { $0.count <= RouteInfo.maximumListCount }
            && lists.joined().reduce(0) { $0 + $1.utf8.count + 3 } <= 16 << 10
    }

    /// A connection will be made for a dial; on the first loop.
    func willDial(_ number: UInt64, as id: UInt64) { self.dials[id] = number }

    /// The connection stands, and so does its encryption.
    func dialled(_ connection: RouteConnection) {
        let (id, host) = (connection.id, connection.remoteIP)
        self.report { book, now in
            guard self.dials[id] != nil, self.isUpToDate(connection) else { return [] }
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
            let actions = book.informed(id, RoutePeer(info), now: now)
            // What others say of a server is not passed on.
            let isItself = book.connections[id]?.peer?.id == info.serverID
            if isItself, self.infos[info.serverID] == nil || info.account.isEmpty { self.infos[info.serverID] = info }
            return actions
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
            return book.closed(id, now: now)
        }
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
        if self.infos.count > book.peers.count { self.forgetInfos(book) }
        self.countPeers()
        self.tellLeafNodes()
        self.schedule()
    }

    private func schedule() {
        let deadline = self.hasEnded ? nil : self.book?.nextDeadline
        guard deadline != self.timerDeadline else { return }
        self.timer?.cancel()
        self.timer = nil
        self.timerDeadline = deadline
        guard let home = self.home, let deadline else { return }
        self.timer = home.eventLoop.scheduleTask(deadline: deadline) {
            self.timer = nil
            self.timerDeadline = nil
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
            let accounts = self.accounts(to: peer.id)
            let own = accounts[id] ?? []
            self.tell(id) { $0.register(link, isConfigured: isConfigured, for: own) }
            self.assign(accounts)
        case .assignAccounts(let peerID):
            self.assign(self.accounts(to: peerID))
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
            self.shared.leafNodes?.clusterRenamed()
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

    /// Leaf nodes may go to the other servers of the cluster as well (nats-server route.go addLeafNodeURL).
    private func tellLeafNodes() {
        guard let leafNodes = self.shared.leafNodes, let book = self.book else { return }
        let urls = book.peers.keys.compactMap { self.infos[$0]?.leafNodeURLs.first }
        leafNodes.setOtherURLs(Set(urls).sorted())
    }

    // MARK: Accounts

    /// Every account has one connection to a peer.
    private func accounts(to peerID: String) -> [UInt64: [Account]] {
        guard let book = self.book else { return [:] }
        var accounts: [UInt64: [Account]] = [:]
        for account in self.shared.accounts.byName.values {
            guard let id = book.connection(to: peerID, for: account.name) else { continue }
            accounts[id, default: []].append(account)
        }
        return accounts
    }

    private func assign(_ accounts: [UInt64: [Account]]) {
        for (id, accounts) in accounts {
            self.tell(id) { connection in
                for account in accounts { connection.watch(account) }
            }
        }
    }

    /// Accounts have come or gone; from any thread.
    private func accountsChanged() {
        guard !self.shared.isEnding, let home = self.shared.loops.all.first,
            !self.accountsArePending.exchange(true, ordering: .acquiringAndReleasing)
        else { return }
        home.eventLoop.execute {
            self.accountsArePending.store(false, ordering: .releasing)
            guard !self.hasEnded, let book = self.book else { return }
            var watched: [UInt64: [Account]] = [:]
            for peerID in book.peers.keys { watched.merge(self.accounts(to: peerID)) { $0 + $1 } }
            for id in self.connections.keys {
                let accounts = watched[id] ?? []
                self.tell(id) { $0.accountsChanged(watching: accounts) }
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
        if let permissions = options.permissions, Self.areShort(permissions) {
            info.importPermissions = permissions.publish
            info.exportPermissions = permissions.subscribe
        }
        info.maxPayload = Int32(clamping: self.shared.options.maxPayload)
        info.cluster = cluster
        info.isClusterDynamic = isDynamic
        if !options.noAdvertise {
            let urls = self.shared.ownClientURLs
            info.connectURLs = urls.plain
            info.webSocketConnectURLs = urls.webSocket
        }
        if let url = self.shared.leafNodes?.advertisedURL { info.leafNodeURLs = [url] }
        info.lameDuckMode = self.shared.isInLameDuckMode
        // Whoever says nothing is taken for one that has never heard of it.
        info.compression = "off"
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
