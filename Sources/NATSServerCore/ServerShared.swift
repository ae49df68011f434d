import Crypto
import Logging
import NATSAuth
import NATSWire
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Synchronization

/// What all connections of a server share: the options, the subscriptions, and a few counters.
final class ServerShared: Sendable {
    let identity: ServerIdentity
    let accounts: AccountRegistry
    /// As the options said at the start.
    let mostCalloutsAtOnce: Int
    let loops: ServerLoops
    let internalClient: InternalClient
    /// What speaks for the server in the system account, while the server runs.
    private let currentSystem = NIOLockedValueBox<SystemService?>(nil)
    let passwords: PasswordVerifier
    /// Accounts that are JWTs, if they are.
    let operators: OperatorMode?
    /// The permissions of users who are not in the configuration.
    let permissions: PermissionPool
    let closedConnections: ClosedConnections
    let started: NIODeadline
    private let configuration: NIOLockedValueBox<(time: NIODeadline, digest: String)>
    private let anchoredClock = NIOLockedValueBox(ServerClock.now())
    let logger: Logger
    /// Fixed at the start, since clients know the server by it.
    let serverName: String
    private let currentOptions: NIOLockedValueBox<ServerOptions>
    private let maxConnections: Synchronization.Atomic<Int>
    private let lameDuckMode = Atomic<Bool>(false)
    /// INFO without what differs between connections; set once, when the port is known.
    private let info = NIOLockedValueBox(ServerInfo())
    private let lastClientID: Synchronization.Atomic<UInt64>
    private let open = Atomic<Int>(0)
    private let ending = Atomic<Bool>(false)
    private let accepted = Atomic<UInt64>(0)
    private let currentAuthenticator: NIOLockedValueBox<Authenticator>
    /// Fixed at the start, as in the official server, where no reload can change it; `nil` without a limit.
    private let handshakes: NIOLockedValueBox<ConnectionRateLimit>?
    let hash: SubjectHash
    private let currentTLS = NIOLockedValueBox<TLSContext?>(nil)
    /// What WebSocket clients are served with, if they are.
    let webSocket: WebSocketService?
    /// What reply subjects end in of requests whose latency is measured: `.AbCdEfGh.T`, as the official server marks them
    /// with a hash of its name; nothing without a system account (nats-server accounts.go newServiceReply).
    let trackedSuffix: [UInt8]
    /// What other servers measure the latency of.
    let trackedRequests = TrackedRequests()
    /// What makes the server one of a cluster, if it is.
    private let currentRoutes = NIOLockedValueBox<RouteService?>(nil)
    /// What makes the server the hub of leaf nodes, or a leaf node, if it is.
    private let currentLeafNodes = NIOLockedValueBox<LeafService?>(nil)
    /// Where clients of this server, and of the others of its cluster, can connect as well.
    private let clientURLs = NIOLockedValueBox(ClientURLs())
    private let logRateLimit = NIOLockedValueBox(LogRateLimit())

    init(options: ServerOptions) {
        var generator = SystemRandomNumberGenerator()
        let identity = ServerIdentity(using: &generator)
        self.identity = identity
        self.serverName = options.serverName ?? identity.id
        self.currentOptions = NIOLockedValueBox(options)
        self.maxConnections = Synchronization.Atomic(options.maxConnections)
        self.mostCalloutsAtOnce = options.mostCalloutsAtOnce
        let hash = SubjectHash(using: &generator)
        self.hash = hash
        let accounts = AccountRegistry(
            options.authorization.accounts,
            system: options.authorization.systemAccount,
            hash: hash
        )
        self.accounts = accounts
        self.trackedSuffix = options.authorization.systemAccount == nil ? [] : Self.trackedSuffix(self.serverName)
        // The official server's internal clients take the first ones: two of its own, and one for each account.
        let hasSystem = options.authorization.systemAccount != nil
        self.lastClientID = Synchronization.Atomic(hasSystem ? UInt64(accounts.byName.count) + 2 : 4)
        self.loops = ServerLoops()
        self.internalClient = InternalClient(loops: self.loops)
        self.operators = options.operators.map { operators in
            OperatorMode(
                operators,
                registry: accounts,
                hash: hash,
                hasSystemAccount: hasSystem,
                logger: options.logger
            )
        }
        self.permissions = PermissionPool(hash: hash, firstID: 1 << 56)
        self.passwords = PasswordVerifier(threads: System.coreCount / 2)
        self.currentAuthenticator = NIOLockedValueBox(
            Authenticator(
                options.authorization,
                hash: hash,
                accounts: self.accounts.byName,
                operators: self.operators
            )
        )
        self.started = .now()
        self.webSocket = options.webSocket.map(WebSocketService.init)
        self.configuration = NIOLockedValueBox((self.started, options.monitoring.configurationDigest))
        self.keepsClosedConnections = options.monitoring.isEnabled || hasSystem
        self.closedConnections = ClosedConnections(capacity: options.maxClosedClients)
        self.logger = options.logger
        let rate = options.tls?.connectionRateLimit ?? 0
        self.handshakes = rate > 0 ? NIOLockedValueBox(ConnectionRateLimit(limit: rate)) : nil
    }

    private static func trackedSuffix(_ serverName: String) -> [UInt8] {
        let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        let hash = SHA256.hash(data: Array(serverName.utf8)).prefix(8).map { digits[Int($0) % digits.count] }
        return Array(".".utf8) + hash + Array(".T".utf8)
    }

    /// The options as they are now; a copy, so nothing to read for each message: see ``LoopSettings``.
    var options: ServerOptions { self.currentOptions.withLockedValue { $0 } }

    /// Replaces the options.
    func replaceOptions(_ options: ServerOptions) {
        self.currentOptions.withLockedValue { $0 = options }
        self.maxConnections.store(options.maxConnections, ordering: .relaxed)
    }

    /// Whether the server sends its clients away and takes no new ones.
    var isInLameDuckMode: Bool { self.lameDuckMode.load(ordering: .relaxed) }

    /// - Returns: `false` if that was begun before.
    func beginLameDuckMode() -> Bool { !self.lameDuckMode.exchange(true, ordering: .relaxed) }

    /// The event loops are about to end: nothing may be given to another one any more.
    var isEnding: Bool { self.ending.load(ordering: .relaxed) }

    func end() {
        self.ending.store(true, ordering: .relaxed)
        self.passwords.end()
        self.operators?.end()
        self.accounts.end()
    }

    var system: SystemService? { self.currentSystem.withLockedValue { $0 } }

    func setSystem(_ system: SystemService?) { self.currentSystem.withLockedValue { $0 = system } }

    var routes: RouteService? { self.currentRoutes.withLockedValue { $0 } }

    func setRoutes(_ routes: RouteService?) { self.currentRoutes.withLockedValue { $0 = routes } }

    var leafNodes: LeafService? { self.currentLeafNodes.withLockedValue { $0 } }

    func setLeafNodes(_ leafNodes: LeafService?) { self.currentLeafNodes.withLockedValue { $0 = leafNodes } }

    /// Who may connect now.
    var authenticator: Authenticator { self.currentAuthenticator.withLockedValue { $0 } }

    /// Takes over another configuration for new connections.
    ///
    /// - Returns: what the existing ones have to be looked at with.
    @discardableResult
    func replaceAuthorization(_ options: AuthorizationOptions) -> Authenticator {
        self.currentAuthenticator.withLockedValue { current in
            // Accounts that are JWTs change when their claims do.
            if self.operators == nil { self.accounts.update(options.accounts) }
            current = Authenticator(
                options,
                hash: self.hash,
                previous: current,
                accounts: self.accounts.byName,
                operators: self.operators
            )
            return current
        }
    }

    /// What new connections are secured with.
    var tls: TLSContext? { self.currentTLS.withLockedValue { $0 } }

    /// Secures a connection to the monitoring port.
    func addMonitoringTLS(to channel: any Channel) throws {
        // A reload may have taken it away; nobody is answered in clear text then.
        guard let context = self.tls else { throw ChannelError.operationUnsupported }
        try context.addMonitoringHandler(to: channel, logger: self.logger)
    }

    /// - Returns: what was there before.
    func replaceTLS(_ context: TLSContext?) -> TLSContext? {
        self.currentTLS.withLockedValue { current in
            defer { current = context }
            return current
        }
    }

    /// Whether the number of handshakes is limited at all.
    var limitsHandshakes: Bool { self.handshakes != nil }

    /// Whether another handshake of a client may begin (`connection_rate_limit`).
    func mayStartHandshake() -> Bool {
        self.handshakes?.withLockedValue { $0.allow(now: NIODeadline.now().uptimeNanoseconds) } ?? true
    }

    /// How many handshakes were refused since the last call.
    func takeRejectedHandshakes() -> Int { self.handshakes?.withLockedValue { $0.takeRejected() } ?? 0 }

    /// Whether a line that is rate-limited is to be logged now; `text` is what all such lines have in common.
    func shouldLog(_ text: String) -> Bool { self.logRateLimit.withLockedValue { $0.allows(text, now: .now()) } }

    /// When the configuration was loaded, and its digest.
    var loadedConfiguration: (time: NIODeadline, digest: String) { self.configuration.withLockedValue { $0 } }

    func configurationLoaded(digest: String) {
        self.configuration.withLockedValue { $0 = (.now(), digest) }
    }

    /// Nobody asks for closed connections without monitoring and without a system account.
    let keepsClosedConnections: Bool

    /// Tells the times of events; follows the system's clock when that is set.
    var clock: ServerClock {
        self.anchoredClock.withLockedValue { clock in
            let present = ServerClock.now()
            if present.isOff(from: clock) { clock = present }
            return clock
        }
    }

    /// The subscriptions of all accounts, with those that other servers have told of.
    var subscriptionCount: Int {
        self.accounts.byName.values.reduce(self.remoteSubscriptionCount) { $0 + $1.index.count }
    }

    /// Those of them that are of other servers.
    var remoteSubscriptionCount: Int { self.accounts.byName.values.reduce(0) { $0 + $1.index.remoteCount } }

    /// Those of them that are the server's.
    var ownSubscriptionCount: Int { self.accounts.byName.values.reduce(0) { $0 + $1.ownSubscriptionCount } }

    var connectionCount: Int { self.open.load(ordering: .relaxed) }
    var totalConnections: UInt64 { self.accepted.load(ordering: .relaxed) }

    /// Makes INFO say what the options say.
    ///
    /// - Parameter advertised: Host and port for clients.
    func setInfo(_ advertised: AdvertisedAddress) {
        let options = self.options
        self.info.withLockedValue { info in
            info.serverID = self.identity.id
            info.serverName = self.serverName
            info.version = ServerVersion.compatible
            info.proto = 1
            info.goVersion = ServerVersion.go
            info.host = advertised.host
            info.port = advertised.port
            info.headers = !options.noHeaderSupport
            info.maxPayload = options.maxPayload
            info.apiLevel = ServerVersion.apiLevel
            info.xkey = self.identity.xkeys.publicKey.text
        }
    }

    /// How an authorization service knows the server.
    func calloutIdentity(sealed: Bool) -> AuthorizationRequestClaims.Server {
        let (host, name) = self.info.withLockedValue { ($0.host, $0.serverName) }
        var server = AuthorizationRequestClaims.Server()
        server.name = name
        server.host = host
        server.id = self.identity.id
        server.version = ServerVersion.compatible
        server.tags = self.options.monitoring.tags
        if sealed { server.xkey = self.identity.xkeys.publicKey.text }
        return server
    }

    /// The address in INFO; `nil` before the server listens.
    var announcedAddress: (host: String, port: Int)? {
        self.info.withLockedValue { $0.serverID.isEmpty ? nil : ($0.host, $0.port) }
    }

    func makeInfo(clientID: UInt64, clientIP: String) -> ServerInfo {
        var info = self.info.withLockedValue { $0 }
        info.authRequired = self.authenticator.isRequired
        if let options = self.tls?.options {
            info.tlsRequired = !options.allowNonTLS
            info.tlsAvailable = options.allowNonTLS
            info.tlsVerify = options.wantsClientCertificate
        }
        info.clientID = clientID
        info.clientIP = clientIP
        if let routes = self.routes {
            info.cluster = routes.clusterName
            let urls = self.clientURLs.withLockedValue { $0 }
            // As long as no other server has been known, nobody is told of any (nats-server server.go
            // updateServerINFOAndSendINFOToClients); one that sends its clients away does not name itself (sendLDMToClients).
            if urls.hasRemote, !routes.options.noAdvertise {
                let namesItself = !self.isInLameDuckMode
                info.connectURLs = (namesItself ? urls.own : []) + urls.remote
                info.webSocketConnectURLs = (namesItself ? urls.ownWebSocket : []) + urls.remoteWebSocket
            }
        }
        return info
    }

    /// Of this server alone, as peers are told.
    var ownClientURLs: (plain: [String], webSocket: [String]) {
        self.clientURLs.withLockedValue { ($0.own, $0.ownWebSocket) }
    }

    func setOwnURLs(_ plain: [String], _ webSocket: [String]) {
        self.clientURLs.withLockedValue { ($0.own, $0.ownWebSocket) = (plain, webSocket) }
    }

    func setRemoteURLs(_ plain: [String], _ webSocket: [String]) {
        self.clientURLs.withLockedValue { urls in
            (urls.remote, urls.remoteWebSocket) = (plain, webSocket)
            urls.hasRemote = true
        }
    }

    func nextClientID() -> UInt64 { self.lastClientID.add(1, ordering: .relaxed).newValue }

    /// A connection was accepted.
    ///
    /// - Returns: `false` if there are too many now; it still has to be given back with ``connectionClosed()``.
    func connectionOpened() -> Bool {
        self.accepted.add(1, ordering: .relaxed)
        return self.open.add(1, ordering: .relaxed).newValue <= self.maxConnections.load(ordering: .relaxed)
    }

    func connectionClosed() { self.open.subtract(1, ordering: .relaxed) }
}

/// Where clients can connect, `host:port` each.
private struct ClientURLs {
    var own: [String] = []
    var ownWebSocket: [String] = []
    var remote: [String] = []
    var remoteWebSocket: [String] = []
    /// Another server has been known.
    var hasRemote = false
}
