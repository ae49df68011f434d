import Logging
import NATSText
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A failed start, in the official server's words.
package struct ServerStartError: Error, CustomStringConvertible {
    package let description: String
}

/// A NATS server: the engine behind the test server and the program.
///
/// Owns its threads. Touches nothing of the process: no signals, no exit, no standard output.
package final class Server: Sendable {
    private enum State {
        case idle
        case starting
        case running(listener: any Channel, group: MultiThreadedEventLoopGroup, port: Int)
        case stopping([CheckedContinuation<Void, Never>])
        case stopped
    }

    private enum ShutdownAction {
        case stop(any Channel, MultiThreadedEventLoopGroup)
        case wait
        case release
        case none
    }

    let shared: ServerShared
    private let state = NIOLockedValueBox(State.idle)
    var loops: ServerLoops { self.shared.loops }
    private let monitor = NIOLockedValueBox<MonitoringServer?>(nil)
    /// The sums of loops that have ended.
    private let finalTotals = NIOLockedValueBox(ServerLoop.Totals())
    private let reloadAction = NIOLockedValueBox<(@Sendable () async -> String?)?>(nil)
    private let wasAnnounced = NIOLockedValueBox(false)
    private let willExit = NIOLockedValueBox<(@Sendable () -> Void)?>(nil)

    /// A server that does nothing yet.
    package init(options: ServerOptions) {
        self.shared = ServerShared(options: options)
        if let cluster = options.cluster {
            self.shared.setRoutes(RouteService(cluster, shared: self.shared))
        }
        if let leafNodes = options.leafNodes {
            self.shared.setLeafNodes(LeafService(leafNodes, shared: self.shared))
        }
    }

    deinit {
        // One that was never started: its accounts refer to each other.
        if case .idle = self.state.withLockedValue({ $0 }) { self.shared.accounts.end() }
    }

    package var options: ServerOptions { self.shared.options }

    /// Sets what is to be done at the end of a shutdown, before its last log line.
    package func setWillExit(_ action: @escaping @Sendable () -> Void) {
        self.willExit.withLockedValue { $0 = action }
    }

    /// The server's public identity: 56 characters that begin with `N`.
    package var serverID: String { self.shared.identity.id }

    package var serverName: String { self.shared.serverName }

    /// The port that the server listens on; 0 unless it runs.
    package var boundPort: Int {
        self.state.withLockedValue { state in
            if case .running(_, _, let port) = state { return port }
            return 0
        }
    }

    /// Listens for clients; ready when it returns.
    ///
    /// - Throws: ``ServerStartError`` if the address cannot be listened on, or if the server was started before.
    package func start() async throws(ServerStartError) {
        let mayStart = self.state.withLockedValue { state in
            guard case .idle = state else { return false }
            state = .starting
            return true
        }
        guard mayStart else { throw ServerStartError(description: "server was started before") }
        let options = self.shared.options
        let logger = self.shared.logger
        if let problem = options.authorization.firstProblem() {
            self.refuseStart()
            throw ServerStartError(description: problem)
        }
        if let problem = options.webSocket?.firstProblem(options) {
            self.refuseStart()
            throw ServerStartError(description: problem)
        }
        do {
            _ = self.shared.replaceTLS(try Self.loadTLS(options.tls))
            self.shared.webSocket?.use(try Self.loadTLS(options.webSocket?.tls))
        } catch {
            self.refuseStart()
            throw ServerStartError(description: error.description)
        }
        self.announce()
        do throws(ServerStartError) {
            try await self.openOperators()
        } catch {
            self.refuseStart()
            throw error
        }
        // -1 asks for any port; the official server refuses what is lower.
        guard (-1...65_535).contains(options.port) else {
            self.shared.operators?.end()
            self.refuseStart()
            throw self.listenError("listen tcp: address \(options.port): invalid port")
        }
        let count = max(1, options.eventLoopCount ?? System.coreCount / 2)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: count)
        do {
            let loops = self.makeLoops(on: group)
            self.startSystem()
            try await self.startMonitoring()
            self.startResolver()
            try await self.startWebSocket(on: group, loops)
            let leafListener = try await self.listenForLeafNodes(on: group, loops)
            let listener = try await self.listen(on: group, loops)
            let port = listener.localAddress?.port ?? 0
            logger.info("Listening for client connections on \(HostPort.join(options.host, port))")
            self.announceTLS()
            self.shared.setInfo(try self.advertisedAddress(options, port: port))
            let isStopped = self.state.withLockedValue { state in
                guard case .starting = state else { return true }
                state = .running(listener: listener, group: group, port: port)
                return false
            }
            guard !isStopped else {
                try? await listener.close()
                throw ServerStartError(description: "server was stopped")
            }
            self.setOwnURLs()
            // Only now, since the first INFO needs the port.
            for listener in [self.shared.webSocket?.listener, leafListener, listener].compactMap({ $0 }) {
                // A shutdown may end the loops meanwhile.
                try await self.loops.result { listener.setOption(.autoRead, value: true) }
            }
            self.watchHandshakeRate(on: group.next())
            logger.info("Server is ready")
            try await self.startRoutes(on: group, loops)
            self.shared.leafNodes?.start(on: loops)
        } catch {
            await self.abandonStart(group)
            throw (error as? ServerStartError)
                ?? self.listenError(Self.describe(error, host: options.host, port: options.port))
        }
    }

    /// A start that has begun nothing fails: accounts refer to each other, and nobody else will part them.
    private func refuseStart() {
        self.state.withLockedValue { $0 = .stopped }
        self.shared.accounts.end()
    }

    /// Ends what a start that failed has begun.
    private func abandonStart(_ group: MultiThreadedEventLoopGroup) async {
        let isOurs = self.state.withLockedValue { state in
            switch state {
            case .running, .stopping:
                return false
            case .idle, .starting, .stopped:
                state = .stopped
                return true
            }
        }
        guard isOurs else { return await self.shutdown() }
        await self.stopSystem()
        await self.stopMonitoring()
        await self.shared.webSocket?.stopListening()
        await self.shared.routes?.stopListening()
        await self.shared.leafNodes?.stopListening()
        self.shared.operators?.end()
        let loops = self.loops.takeAll()
        try? await group.shutdownGracefully()
        self.shared.accounts.end()
        for loop in loops {
            loop.dismantle()
        }
        self.shared.routes?.dismantle()
    }

    /// Sends what is queued, closes all connections and ends the threads.
    ///
    /// Further calls return when the first has.
    package func shutdown() async {
        let action: ShutdownAction = self.state.withLockedValue { state in
            switch state {
            case .running(let listener, let group, _):
                state = .stopping([])
                return .stop(listener, group)
            case .stopping:
                return .wait
            case .idle:
                state = .stopped
                return .release
            case .starting, .stopped:
                state = .stopped
                return .none
            }
        }
        switch action {
        case .stop(let listener, let group): await self.stop(listener, group)
        case .wait: await self.waitForStop()
        case .release: self.refuseStart()
        case .none: break
        }
    }

    private func stop(_ listener: any Channel, _ group: MultiThreadedEventLoopGroup) async {
        self.shared.logger.info("Initiating Shutdown...")
        try? await listener.close()
        await self.shared.webSocket?.stopListening()
        await self.shared.routes?.stopListening()
        await self.shared.leafNodes?.stopListening()
        await self.stopSystem()
        await self.stopMonitoring()
        let loops = self.loops.all
        let totals = await withTaskGroup(of: ServerLoop.Totals.self) { tasks in
            for loop in loops {
                tasks.addTask { await loop.shutDown() }
            }
            return await tasks.reduce(into: ServerLoop.Totals()) { $0 += $1 }
        }
        if !self.isInLameDuckMode { self.shared.logger.debug("Client accept loop exiting..") }
        self.shared.end()
        // Whoever asks for statistics has put its questions to the loops, or finds the final sums.
        _ = self.loops.takeAll()
        self.finalTotals.withLockedValue { $0 = totals }
        try? await group.shutdownGracefully()
        for loop in loops {
            loop.dismantle()
        }
        self.shared.routes?.dismantle()
        if let action = self.willExit.withLockedValue({ $0.take() }) { action() }
        self.shared.logger.info("Server Exiting..")
        let waiters = self.state.withLockedValue { state in
            defer { state = .stopped }
            guard case .stopping(let waiters) = state else { return [CheckedContinuation<Void, Never>]() }
            return waiters
        }
        for waiter in waiters {
            waiter.resume()
        }
    }

    private func waitForStop() async {
        await withCheckedContinuation { waiter in
            let isStopping = self.state.withLockedValue { state in
                guard case .stopping(let waiters) = state else { return false }
                state = .stopping(waiters + [waiter])
                return true
            }
            if !isStopping {
                waiter.resume()
            }
        }
    }

    // MARK: Reload

    /// Takes over other users and permissions, for new and for existing connections.
    ///
    /// Connections whose user is gone are closed, those whose credentials are wrong now are told so first, and those that
    /// stay lose the subscriptions that they may not have any more. Everybody has been looked at when it returns; only
    /// passwords that need a new bcrypt check may be refused later.
    ///
    /// - Throws: ``ServerStartError``, and nothing changes, if the options cannot be used.
    package func reload(authorization: AuthorizationOptions) async throws(ServerStartError) {
        if let problem = authorization.firstProblem() { throw ServerStartError(description: problem) }
        self.shared.replaceAuthorization(authorization)
        if let operators = self.shared.operators, let options = self.shared.options.operators {
            await operators.reload(options)
        }
        self.logUnusableCallout()
        // With what holds by then: of two reloads at once the later one's may be asked first.
        _ = await self.loops.answers { $0.reload($0.shared.authenticator) }
    }

    // MARK: Statistics

    /// What the server has done so far; a snapshot loop by loop.
    package func statistics() async -> ServerStatistics {
        var statistics = ServerStatistics()
        statistics.connections = self.shared.connectionCount
        statistics.totalConnections = self.shared.totalConnections
        statistics.subscriptions = self.shared.subscriptionCount
        statistics.clientSubscriptions =
            statistics.subscriptions - self.shared.ownSubscriptionCount - self.shared.remoteSubscriptionCount
        let answers = await self.loops.answers { $0.totals }
        var totals = answers.isEmpty ? self.finalTotals.withLockedValue { $0 } : ServerLoop.Totals()
        for current in answers { totals += current }
        statistics.count(totals)
        return statistics
    }

    /// The listener, unless the server does not run.
    var runningListener: (any Channel)? {
        self.state.withLockedValue { state in
            if case .running(let listener, _, _) = state { return listener }
            return nil
        }
    }

    // MARK: Monitoring

    /// The port of the monitoring pages; 0 unless they are served.
    package var boundMonitoringPort: Int { self.monitor.withLockedValue { $0?.boundPort ?? 0 } }

    /// Serves the monitoring pages, if they are wanted; before the first client can come, as the official server does.
    private func startMonitoring() async throws(ServerStartError) {
        let options = self.shared.options.monitoring
        guard options.isEnabled else { return }
        if options.port != 0, options.httpsPort != 0 {
            throw Self.monitoringError(
                "can't specify both HTTP (\(options.port)) and HTTPs (\(options.httpsPort)) ports"
            )
        }
        if options.port == 0, self.shared.tls == nil {
            throw Self.monitoringError("TLS cert and key required for HTTPS")
        }
        let port = options.port == 0 ? options.httpsPort : options.port
        let host = options.host.isEmpty ? self.shared.options.host : options.host
        guard (-1...65_535).contains(port) else {
            throw Self.monitoringError("can't listen to the monitor port: listen tcp: address \(port): invalid port")
        }
        var addTLS: (@Sendable (any Channel) throws -> Void)?
        if options.port == 0 {
            let shared = self.shared
            // With whatever certificates there are when a connection comes.
            addTLS = { channel in try shared.addMonitoringTLS(to: channel) }
        }
        let monitor = MonitoringServer(source: self.makeSource(), addTLS: addTLS)
        self.monitor.withLockedValue { $0 = monitor }
        do {
            try await monitor.start(host: host, port: max(0, port))
        } catch {
            let cause = Self.describe(error, host: host, port: port)
            throw Self.monitoringError("can't listen to the monitor port: \(cause)")
        }
        let scheme = options.port == 0 ? "https" : "http"
        self.shared.logger.info("Starting \(scheme) monitor on \(HostPort.join(host, monitor.boundPort))")
    }

    private func makeSource() -> MonitoringSource {
        MonitoringSource(shared: self.shared, loops: self.loops) { [weak self] in
            self?.monitoringState ?? MonitoringSource.State(port: 0, isReady: false, totals: ServerLoop.Totals())
        }
    }

    /// Lets the system account speak, if there is one; before anybody can come.
    private func startSystem() {
        guard let account = self.shared.accounts.system else { return }
        let isNamed = self.shared.options.authorization.accounts.contains { $0.name == account.name }
        if !isNamed, self.shared.operators?.systemAccount == nil {
            self.shared.logger.debug("Created system account: \(GoString.quoted(account.name.utf8))")
        }
        let system = SystemService(
            account: account,
            shared: self.shared,
            source: self.makeSource(),
            httpRequests: { [weak self] in self?.monitor.withLockedValue { $0 }?.requestCounts },
            reload: { [weak self] in
                guard let action = self?.reloadAction.withLockedValue({ $0 }) else {
                    return "can only reload config when a file is provided using -c or --config"
                }
                return await action()
            }
        )
        self.shared.setSystem(system)
        system.start()
    }

    /// Sets what loads the configuration again when the system account asks for it; it returns why it cannot be used.
    package func setReload(_ action: @escaping @Sendable () async -> String?) {
        self.reloadAction.withLockedValue { $0 = action }
    }

    /// The configuration has been loaded again; `/varz` tells of it.
    ///
    /// - Parameter digest: `sha256:…` of the configuration.
    package func configurationLoaded(digest: String) { self.shared.configurationLoaded(digest: digest) }

    private func stopSystem() async {
        await self.shared.system?.stop()
        self.shared.setSystem(nil)
    }

    private func stopMonitoring() async {
        let monitor = self.monitor.withLockedValue { monitor in
            defer { monitor = nil }
            return monitor
        }
        await monitor?.stop()
    }

    private var monitoringState: MonitoringSource.State {
        let port = self.boundPort
        let totals = self.finalTotals.withLockedValue { $0 }
        return MonitoringSource.State(port: port, isReady: port > 0 && !self.isInLameDuckMode, totals: totals)
    }

    private static func monitoringError(_ cause: String) -> ServerStartError {
        ServerStartError(description: "Can't start monitoring: \(cause)")
    }

    // MARK: Start

    /// Logs what the server is, unless that is done already; ``start()`` does it if nobody has.
    ///
    /// Apart from ``start()`` so that the program can write its pid file between these lines and the listening.
    package func announce() {
        let isFirst = self.wasAnnounced.withLockedValue { wasAnnounced in
            defer { wasAnnounced = true }
            return !wasAnnounced
        }
        guard isFirst else { return }
        let logger = self.shared.logger
        logger.info("Starting nats-server")
        logger.info("  Version:  \(ServerVersion.compatible)")
        logger.info("  Git:      [not set]")
        logger.debug("  Go build: \(ServerVersion.go)")
        logger.debug("  swift-nats: \(ServerVersion.release)")
        if let routes = self.shared.routes { logger.info("  Cluster:  \(routes.clusterName)") }
        logger.info("  Name:     \(self.shared.serverName)")
        logger.info("  ID:       \(self.shared.identity.id)")
        let options = self.shared.options
        let mapsCertificates = options.tls?.verifyAndMap ?? false
        if options.authorization.hasPlaintextPasswords(mapsCertificates: mapsCertificates) {
            logger.warning("Plaintext passwords detected, use nkeys or bcrypt")
        }
        if let file = options.configFile {
            logger.info("Using configuration file: \(file) \(options.configDigest.map { "(\($0))" } ?? "")")
        }
        self.announceOperators()
        if options.maxPayload > 8 << 20 {
            logger.warning("Maximum payloads over 8.00 MB are generally discouraged and could lead to poor performance")
        }
    }

    private func makeLoops(on group: MultiThreadedEventLoopGroup) -> [ServerLoop] {
        let shared = self.shared
        let loops = group.makeIterator().enumerated().map { index, eventLoop in
            ServerLoop(eventLoop: eventLoop, index: index, shared: shared)
        }
        for loop in loops { loop.siblings = loops }
        self.loops.set(loops)
        return loops
    }

    private func listen(on group: MultiThreadedEventLoopGroup, _ loops: [ServerLoop]) async throws -> any Channel {
        let shared = self.shared
        let options = shared.options
        return try await Self.bootstrap(group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.closeOnExec()
                    guard let loop = loops.first(where: { $0.eventLoop === channel.eventLoop }) else { return }
                    let connection = ClientConnection(id: shared.nextClientID(), loop: loop)
                    do {
                        try channel.pipeline.syncOperations.addHandler(connection)
                    } catch {
                        connection.outlet.detach()
                        throw error
                    }
                }
            }
            .bind(host: options.host, port: max(0, options.port))
            .get()
    }

    /// How clients are listened for, however they speak.
    static func bootstrap(_ group: MultiThreadedEventLoopGroup) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.autoRead, value: false)
            // Running out of file descriptors must not end the listener.
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.closeOnExec()
                    try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler())
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.recvAllocator, value: self.receiveAllocator)
            .childChannelOption(.writeBufferWaterMark, value: self.writeBufferWaterMark)
    }

    static let receiveAllocator = AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 4096, maximum: 262_144)

    static let writeBufferWaterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 512 << 10, high: 1 << 20)

    /// What INFO is to name as the address.
    func advertisedAddress(_ options: ServerOptions, port: Int) throws(ServerStartError) -> AdvertisedAddress {
        guard let advertised = options.clientAdvertise, !advertised.isEmpty else {
            return AdvertisedAddress(host: options.host, port: port)
        }
        do {
            return try AdvertisedAddress(advertised, defaultPort: port)
        } catch {
            throw ServerStartError(
                description: "Error setting server INFO with ClientAdvertise value of \(advertised), err=\(error)"
            )
        }
    }

    private func listenError(_ cause: String) -> ServerStartError {
        let port = self.shared.options.port
        let address = HostPort.join(self.shared.options.host, port == -1 ? 0 : port)
        return ServerStartError(description: "Error listening on port: \(address), \"\(cause)\"")
    }

    /// Go's text for what `bind` failed with.
    static func describe(_ error: any Error, host: String, port: Int) -> String {
        if error is SocketAddressError.UnknownHost {
            return "listen tcp: lookup \(host): no such host"
        }
        let cause: String
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE: cause = "bind: address already in use"
        case EADDRNOTAVAIL: cause = "bind: cannot assign requested address"
        case EACCES: cause = "bind: permission denied"
        default: cause = "bind: \(error)"
        }
        return "listen tcp \(HostPort.join(host, max(0, port))): \(cause)"
    }
}
