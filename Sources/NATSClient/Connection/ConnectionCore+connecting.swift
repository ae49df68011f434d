import Logging
import NATSWire
import NIOConcurrencyHelpers
import NIOCore
import Synchronization

// How the connection is made, lost and made again. Everything here runs on the event loop.
extension ConnectionCore {
    func perform(_ action: ReconnectStateMachine.Action) {
        switch action {
        case .connect(let address):
            self.connectToChosen(default: address)
        case .wait(let duration):
            self.attemptTimer = self.eventLoop.scheduleTask(in: duration.timeAmount) { [weak self] in
                guard let self, case .connecting = self.phase else {
                    return
                }
                self.waitIsOver()
            }
        case .giveUp:
            self.gaveUp()
        }
    }

    func waitIsOver() {
        self.perform(self.reconnector.waited(pool: &self.pool, now: .now()))
    }

    /// After the first connection the user may choose another server than the one whose turn it is.
    private func connectToChosen(default address: ServerAddress) {
        guard let choose = self.configuration.reconnectToServer, case .connecting(isFirst: false) = self.phase else {
            return self.connect(to: address)
        }
        let servers = self.pool.servers.filter { $0.givenUpAt == nil }.map(NATSPoolServer.init)
        guard let choice = choose(servers, self.status.withLockedValue { $0.serverInfo }) else {
            return self.connect(to: address)
        }
        guard let chosen = self.pool.server(url: choice.url) else {
            self.reportUnknownChoice()
            return self.connect(to: address)
        }
        self.pool.attempting(chosen)
        guard choice.delay > .zero else {
            return self.connect(to: chosen)
        }
        self.delayedChoice = chosen
        self.attemptTimer = self.eventLoop.scheduleTask(in: choice.delay.timeAmount) { [weak self] in
            self?.delayIsOver()
        }
    }

    private func delayIsOver() {
        guard let choice = self.delayedChoice.take(), case .connecting = self.phase else {
            return
        }
        // The pool may have been replaced meanwhile.
        guard let chosen = self.pool.known(choice) else {
            self.reportUnknownChoice()
            return self.perform(self.reconnector.attemptAbandoned())
        }
        self.connect(to: chosen)
    }

    /// Does not name the server: the text is the user's, and may hold credentials.
    private func reportUnknownChoice() {
        let error = NATSError(.serverNotInPool, "the server chosen for the next connection is not in the pool")
        self.report(error)
    }

    private func connect(to address: ServerAddress) {
        self.attemptAddress = address
        self.openConnection(to: address)
    }

    /// Whether the connection of an attempt is still wanted: as the client's, or beside it.
    private func isWanted(_ attempt: UInt64) -> Bool {
        if case .connecting = self.phase {
            return attempt == self.attempt
        }
        return attempt == self.migration?.attempt
    }

    /// Gives up the connection that is being opened.
    func cancelOpening() {
        self.attempt += 1
        self.dialAttempt.take()?.cancel()
        for channel in self.openingChannels {
            channel.close(promise: nil)
        }
        self.openingChannels = []
    }

    /// Opens a connection and begins the handshake on it; the next number of an attempt is its.
    func openConnection(to address: ServerAddress) {
        self.attempt += 1
        let attempt = self.attempt
        let configuration = self.configuration
        self.logger?.debug("connecting to NATS server", metadata: ["nats.server": "\(address.url)"])
        let opened = self.open(address) { channel in
            // The client may have been closed while the host name was looked up: no socket is opened any more.
            guard self.isWanted(attempt) else {
                throw NATSError(.connectionClosed, "the client is closed")
            }
            let webSocket = Self.makeWebSocket(to: address, configuration)
            let trace = configuration.protocolTrace.map { ProtocolTraceHandler($0) }
            let handler = NATSChannelHandler(
                core: self,
                address: address,
                attempt: attempt,
                wantsNoEcho: configuration.noEcho,
                tls: configuration.tls,
                credentials: address.credentials ?? configuration.credentials,
                webSocket: webSocket,
                trace: trace
            ) { info in
                Self.makeConnect(configuration, info: info)
            }
            if let proxy = configuration.proxy {
                try channel.pipeline.syncOperations.addHandler(ProxyHandler(proxy, to: address))
            }
            if let webSocket {
                try channel.pipeline.syncOperations.addHandler(webSocket)
            }
            if let trace {
                try channel.pipeline.syncOperations.addHandler(trace)
            }
            try channel.pipeline.syncOperations.addHandler(handler)
            // A host name may have several addresses and so several sockets, of which one wins.
            self.openingChannels.append(channel)
        }
        opened.whenComplete { result in
            if attempt == self.attempt {
                self.openingChannels = []
                self.dialAttempt = nil
            }
            guard self.isWanted(attempt) else {
                if case .success(let channel) = result {
                    channel.close(promise: nil)
                }
                return
            }
            if attempt == self.migration?.attempt {
                return self.successorOpened(
                    Self.handler(of: result, address: address, proxy: configuration.proxy),
                    address: address
                )
            }
            switch result {
            case .success(let channel):
                let handler = try? channel.pipeline.syncOperations.handler(type: NATSChannelHandler.self)
                guard let handler, channel.isActive else {
                    let error = NATSError(.disconnected, "the server \(address.url) closed the connection")
                    return self.attemptFailed(address, error: error, serverError: nil)
                }
                self.handler = handler
                self.startHandshakeTimer(attempt: attempt)
            case .failure(let error):
                self.attemptFailed(
                    address,
                    error: TCPTransport.error(error, address: address, proxy: configuration.proxy),
                    serverError: nil
                )
            }
        }
    }

    /// nil unless the server's URL wants it.
    private static func makeWebSocket(
        to address: ServerAddress,
        _ configuration: NATSClientConfiguration
    ) -> WebSocketClientHandler? {
        guard address.isWebSocket else {
            return nil
        }
        // nats.go wsInitHandshake: TLS also if options want it.
        let isSecure = address.isSecure || configuration.tls.isWanted
        return WebSocketClientHandler(to: address, isSecure: isSecure, options: configuration.webSocket)
    }

    /// Opens a socket to the server or the proxy, or has the user's dialer open what it does.
    private func open(
        _ address: ServerAddress,
        initialize: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        let proxy = self.configuration.proxy
        guard let dialer = self.configuration.dialer else {
            return TCPTransport.connect(
                host: proxy?.host ?? address.host,
                port: proxy?.port ?? address.port,
                configuration: self.configuration,
                eventLoop: self.eventLoop,
                initialize: initialize
            )
        }
        let (attempt, channel) = DialAttempt.start(
            to: address,
            by: dialer,
            timeout: self.configuration.connectTimeout,
            eventLoop: self.eventLoop,
            initialize: initialize
        )
        self.dialAttempt = attempt
        return channel
    }

    /// The handler of a channel that was opened.
    private static func handler(
        of result: Result<any Channel, any Error>,
        address: ServerAddress,
        proxy: NATSClientConfiguration.Proxy?
    ) -> Result<NATSChannelHandler, NATSError> {
        switch result {
        case .success(let channel):
            let handler = try? channel.pipeline.syncOperations.handler(type: NATSChannelHandler.self)
            guard let handler, channel.isActive else {
                return .failure(NATSError(.disconnected, "the server \(address.url) closed the connection"))
            }
            return .success(handler)
        case .failure(let error):
            return .failure(TCPTransport.error(error, address: address, proxy: proxy))
        }
    }

    private func startHandshakeTimer(attempt: UInt64) {
        self.attemptTimer = self.eventLoop.scheduleTask(in: self.configuration.connectTimeout.timeAmount) {
            [weak self] in
            guard let self, let handler = self.handler, handler.attempt == attempt, case .connecting = self.phase else {
                return
            }
            let way = self.configuration.proxy.map { " through the proxy \($0)" } ?? ""
            handler.fail(
                NATSError(.timeout, "the server \(handler.address.url)\(way) did not finish the handshake in time")
            )
        }
    }

    private static func makeConnect(
        _ configuration: NATSClientConfiguration,
        info: ServerInfo
    ) -> ConnectPayload {
        var payload = ConnectPayload()
        payload.verbose = configuration.verbose
        payload.pedantic = configuration.pedantic
        payload.echo = !configuration.noEcho
        payload.name = configuration.name ?? ""
        payload.lang = "swift"
        payload.version = ClientVersion.current
        payload.proto = 1
        payload.headers = info.headers
        payload.noResponders = info.headers
        return payload
    }

    /// The server accepted the client.
    func handshakeCompleted(_ handler: NATSChannelHandler, info: ServerInfo) {
        if self.migration != nil, self.successorReady(handler, info: info) {
            return
        }
        guard case .connecting(let isFirst) = self.phase, handler.attempt == self.attempt else {
            return handler.fail(NATSError(.connectionClosed, "the client is closed"))
        }
        self.attemptTimer?.cancel()
        self.attemptAddress = nil
        self.phase = .connected
        self.connectedAt = self.eventLoop.now
        self.reconnector.succeeded()
        self.pool.connected(handler.address, isSecure: handler.isSecure)
        if handler.isSecure {
            self.reconnector.connectionIsSecure()
        }
        self.lastAttemptError = nil
        self.status.withLockedValue { status in
            status.serverInfo = NATSServerInfo(info, url: handler.address.url)
            // nats.go doReconnect: what went wrong on the way here is over.
            status.lastError = nil
        }
        self.merge(info, announcing: !isFirst)
        var ended: [SubscriptionState] = []
        let start = self.outbound.connected(maxPayload: info.maxPayload, headersSupported: info.headers) { operations in
            ended = self.register(operations)
            return self.registry.replay()
        }
        // Whoever sees it may publish at once.
        self.status.withLockedValue { status in
            status.isConnected = true
            status.isReconnecting = false
        }
        for state in ended {
            state.finish(nil)
        }
        if let bytes = start.bytes {
            self.write(bytes)
        }
        for waiter in start.waiters {
            waiter.resume()
        }
        if !self.pausingReads.isEmpty {
            handler.setReading(false)
        }
        self.startKeepAlive()
        if let migration = self.migration, migration.retiring != nil {
            // The connection that was migrated to has been lost: what it alone brought comes before what this one brings.
            self.perform(migration.machine.oldDrained())
        }
        self.logger?.debug("connected to NATS server", metadata: ["nats.server": "\(handler.address.url)"])
        if isFirst {
            self.events.send(.connected)
            self.started.complete(.success(()))
        } else {
            self.reconnects.add(1, ordering: .relaxed)
            self.events.send(.reconnected)
        }
        if info.lameDuckMode {
            self.enteredLameDuckMode(handler.address)
        }
    }

    /// The connection of a handler is gone.
    func connectionEnded(
        _ handler: NATSChannelHandler,
        error: NATSError,
        serverError: ServerErrorText?
    ) {
        // What else there is in the read that was its last is not the client's any more.
        handler.delivery = .discard
        guard self.handler === handler else {
            return self.extraConnectionEnded(handler, error: error)
        }
        self.attemptTimer?.cancel()
        switch self.phase {
        case .closed:
            self.handler = nil
            self.finishIfClosed()
        case .connecting:
            self.handler = nil
            self.attemptFailed(handler.address, error: error, serverError: serverError)
        case .connected:
            self.handler = nil
            self.connectionLost(handler.address, error: error, serverError: serverError)
        }
    }

    private func attemptFailed(_ address: ServerAddress, error: NATSError, serverError: ServerErrorText?) {
        self.logger?.debug(
            "cannot connect to NATS server",
            metadata: ["nats.server": "\(address.url)", "nats.error": "\(error)"]
        )
        self.attemptAddress = nil
        self.status.withLockedValue { $0.lastError = error }
        // "Connection refused" says least; keep what any other server said.
        let isRefused =
            error.code != .proxyFailed && error.cause.map(TCPTransport.isConnectionRefused) ?? false
        if !isRefused || self.lastAttemptError == nil {
            self.lastAttemptError = isRefused ? nil : error
        }
        guard case .connecting(let isFirst) = self.phase else {
            return
        }
        if !isFirst || self.configuration.retryOnFailedConnect {
            self.events.send(.reconnectAttemptFailed(server: address.url, error: error))
        }
        self.pool.failed(address, isFatal: serverError?.treatment == .fatalForServer, now: .now())
        if serverError?.treatment == .authentication,
            self.pool.authenticationFailed(address, code: error.code) == .giveUp
        {
            self.close(error: error)
            return
        }
        let action =
            self.pool.contains(address)
            ? self.reconnector.attemptFailed(
                fullServer: serverError?.treatment == .reconnectLater ? address : nil,
                pool: &self.pool,
                now: .now(),
                using: &self.random
            ) : self.reconnector.attemptAbandoned()
        if case .wait = action, isFirst {
            // retryOnFailedConnect: the caller of connect goes on while the client keeps trying.
            self.status.withLockedValue { $0.isReconnecting = true }
            self.started.complete(.success(()))
        }
        self.perform(action)
    }

    private func gaveUp() {
        let error: NATSError
        if case .connecting(isFirst: true) = self.phase, let last = self.lastAttemptError {
            error = last
        } else {
            error = NATSError(.noServers, "no server can be reached", cause: self.lastAttemptError)
        }
        self.close(error: error)
    }

    private func connectionLost(_ address: ServerAddress, error: NATSError, serverError: ServerErrorText?) {
        self.logger?.debug(
            "lost the connection to NATS server",
            metadata: ["nats.server": "\(address.url)", "nats.error": "\(error)"]
        )
        self.losses += 1
        let number = self.losses
        if let migration = self.migration, let successor = migration.successor, successor.failure != nil {
            // It is about to close, and cannot take the place of this one.
            self.perform(migration.machine.newFailed())
        }
        if let migration = self.migration, let retiring = migration.retiring, retiring.failure != nil {
            migration.retiring = nil
            self.perform(migration.machine.oldLost())
        }
        self.holdsWrites = false
        self.phase = .connecting(isFirst: false)
        self.stopKeepAlive()
        let isForced = self.isReconnectForced
        self.isReconnectForced = false
        // Another connection with all subscriptions takes the place of this one.
        let hasOther = self.migration.map { $0.machine.canPromote || $0.machine.canRevert } ?? false
        let reconnects = self.configuration.allowReconnect || isForced || hasOther
        self.writeInFlight = nil
        // Whoever sees that there is no connection publishes without one.
        let loss = self.outbound.disconnected(isFinal: !reconnects)
        self.status.withLockedValue { status in
            status.isConnected = false
            status.isReconnecting = reconnects
            status.lastError = error
        }
        let life = Duration.nanoseconds((self.eventLoop.now - self.connectedAt).nanoseconds)
        if self.reconnector.hasLasted(life) {
            self.pool.connectionLasted(address)
        }
        for ping in loss.pings {
            ping.complete(.failure(NATSError(.disconnected, "the connection was lost", cause: error)))
        }
        for waiter in loss.waiters {
            waiter.resume()
        }
        self.requests.connectionLost(handedOverThrough: loss.messagesHandedOver, cause: error)
        self.events.send(.disconnected(error))
        if self.drainMachine.isDraining {
            self.perform(self.drainMachine.connectionLost())
            return
        }
        if let migration = self.migration {
            self.perform(migration.machine.isBeforeSwitch ? migration.machine.oldLost() : migration.machine.newLost())
            // The other connection may have been lost as well, in the first write to it: that loss has been dealt with.
            guard number == self.losses, case .connecting = self.phase else {
                return
            }
        }
        if serverError?.treatment == .authentication,
            self.pool.authenticationFailed(address, code: error.code) == .giveUp
        {
            return self.close(error: error)
        }
        guard reconnects else {
            if let migration = self.migration, migration.retiring != nil {
                // The client has had them for a while.
                self.deliverHeld(migration.matcher.oldEnded())
            }
            return self.close(error: error)
        }
        if serverError?.treatment == .reconnectLater {
            self.pool.rest(address, until: .now() + self.configuration.maxReconnectWait.timeAmount)
        }
        self.lastAttemptError = nil
        self.perform(self.reconnector.connectionLost(after: life, isForced: isForced, using: &self.random))
    }

    // MARK: The owner's wishes

    /// Gives the connection up for another one, or ends the wait before the next attempt.
    func forceReconnect() {
        switch self.phase {
        case .closed:
            break
        case .connected:
            guard !self.drainMachine.isDraining, !self.isReconnectForced else {
                return
            }
            if let migration = self.migration {
                guard !migration.machine.isSwitched else {
                    // Neither connection's messages are to be lost.
                    return self.afterOverlap { [weak self] in
                        self?.forceReconnect()
                    }
                }
                self.perform(migration.machine.stop())
            }
            self.isReconnectForced = true
            self.handler?.fail(NATSError(.disconnected, "another connection was asked for"))
        case .connecting(let isFirst):
            // The first connect is a caller's who waits, until that has returned.
            guard !isFirst || self.status.withLockedValue({ $0.isReconnecting }) else {
                return
            }
            if self.delayedChoice != nil {
                self.attemptTimer?.cancel()
                self.delayIsOver()
            } else if self.reconnector.isWaiting {
                self.attemptTimer?.cancel()
                self.waitIsOver()
            }
        }
    }

    func setServerPool(_ addresses: [ServerAddress]) {
        self.pool.replace(addresses, random: &self.random)
        if let migration = self.migration, let address = migration.attemptAddress, !self.pool.contains(address) {
            self.perform(migration.machine.newFailed())
        }
        guard case .connecting = self.phase, let address = self.attemptAddress, !self.pool.contains(address) else {
            return
        }
        // The attempt that is under way must not end at a server that is not wanted any more.
        let error = NATSError(.serverNotInPool, "the server \(address.url) left the pool while it was connected to")
        if let handler = self.handler {
            handler.fail(error)
        } else {
            self.cancelOpening()
            self.attemptFailed(address, error: error, serverError: nil)
        }
    }
}
