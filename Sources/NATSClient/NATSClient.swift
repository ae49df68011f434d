public import Logging
import NATSWire
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Synchronization

/// A connection to NATS that finds its servers, survives their loss and ends with its last user.
///
/// Usable from any task and thread. Delivery is at most once: what had been given to the connection for writing when it
/// broke, up to one buffer, may be lost, whether the operating system had taken it or not; what was published behind that
/// is sent on the next connection. Use ``flush(timeout:)`` to know that the server has
/// processed everything published so far, ``drain(timeout:)`` to end without losing anything.
///
/// The connection closes when the last reference to the client, its subscriptions and their iterators goes.
public final class NATSClient: Sendable {
    let core: ConnectionCore
    @usableFromInline let outbound: OutboundBuffer
    let lifetime: ClientLifetime

    private init(core: ConnectionCore) {
        self.core = core
        self.outbound = core.outbound
        self.lifetime = ClientLifetime(core: core)
    }

    /// Connects to the first server that accepts the client.
    ///
    /// Every server is tried once. With ``NATSClientConfiguration/retryOnFailedConnect`` the client is returned even if
    /// none accepts it, and goes on trying.
    ///
    /// - Parameters:
    ///   - configuration: The servers and the behaviour.
    ///   - logger: Gets lines at level debug, and warnings about what no caller is told of.
    /// - Returns: The connected client.
    /// - Throws: ``NATSError/Code/noServers`` if nobody listens at any server, else the error of the last server that
    ///   said more; ``NATSError/Code/invalidConfiguration``; ``NATSError/Code/mixedWebSocketSchemes``;
    ///   ``NATSError/Code/badCredentials``;
    ///   ``NATSError/Code/tls``; ``NATSError/Code/cancelled``.
    public static func connect(
        _ configuration: NATSClientConfiguration = NATSClientConfiguration(),
        logger: Logger? = nil
    ) async throws(NATSError) -> NATSClient {
        let addresses = try ServerAddress.parseList(configuration.servers)
        try Self.validate(configuration)
        let group = configuration.eventLoopGroup ?? MultiThreadedEventLoopGroup.singleton
        let eventLoop = group.next()
        if configuration.tls.hasMaterial {
            try await Self.check(configuration.tls, eventLoop: eventLoop)
        }
        let core = ConnectionCore(
            configuration: configuration,
            addresses: addresses,
            eventLoop: eventLoop,
            logger: logger
        )
        let client = NATSClient(core: core)
        core.start()
        do throws(NATSError) {
            try await core.started.value()
        } catch {
            await client.close()
            throw error
        }
        return client
    }

    /// Connects, runs `body` with the client, and ends the client in any case.
    ///
    /// The client is drained when `body` returns and closed when it throws or its task is cancelled.
    ///
    /// - Parameters:
    ///   - configuration: The servers and the behaviour.
    ///   - logger: Gets lines at level debug, and warnings about what no caller is told of.
    ///   - isolation: Where `body` runs: on the caller's actor.
    ///   - body: Uses the client.
    /// - Returns: What `body` returns.
    /// - Throws: What ``connect(_:logger:)``, `body` or ``drain(timeout:)`` throws.
    public static func withClient<Result>(
        _ configuration: NATSClientConfiguration = NATSClientConfiguration(),
        logger: Logger? = nil,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (NATSClient) async throws -> sending Result
    ) async throws -> sending Result {
        let client = try await Self.connect(configuration, logger: logger)
        let result: Result
        do {
            result = try await body(client)
            try Task.checkCancellation()
        } catch {
            await client.close()
            throw error
        }
        do throws(NATSError) {
            try await client.drain()
        } catch {
            // The body may have ended the client itself.
            guard error.code == .connectionClosed else {
                throw error
            }
        }
        return result
    }

    /// Certificates and keys that cannot be used are found before any connection is made.
    private static func check(_ tls: NATSClientConfiguration.TLS, eventLoop: any EventLoop) async throws(NATSError) {
        let box = ResultBox<Void>()
        SecureContext.make(tls, eventLoop: eventLoop).whenComplete { result in
            switch result {
            case .success(.success):
                box.complete(.success(()))
            case .success(.failure(let error)):
                box.complete(.failure(error))
            case .failure(let error):
                box.complete(.failure(NATSError(.tls, "the TLS configuration was not read", cause: error)))
            }
        }
        try await box.value()
    }

    private static func validate(_ configuration: NATSClientConfiguration) throws(NATSError) {
        let prefix = configuration.inboxPrefix
        guard SubjectRules.isValidPublishSubject(prefix) else {
            throw NATSError(.invalidConfiguration, "the inbox prefix \"\(prefix)\" is not a subject without wildcards")
        }
        try configuration.pendingLimits.check()
        guard configuration.connectTimeout > .zero else {
            throw NATSError(.invalidConfiguration, "the connect timeout must be above zero")
        }
        guard configuration.writeBufferSize > 0 else {
            throw NATSError(.invalidConfiguration, "the write buffer size must be above zero")
        }
        try configuration.credentials.check()
        try configuration.tls.check()
        try configuration.webSocket.check()
        try configuration.proxy?.check()
        guard configuration.proxy == nil || configuration.dialer == nil else {
            throw NATSError(.invalidConfiguration, "a dialer finds its own way: it cannot be used with a proxy")
        }
    }

    /// What the connected server, or the last one, says about itself; nil before the first connection.
    public var serverInfo: NATSServerInfo? {
        self.core.status.withLockedValue { $0.serverInfo }
    }

    /// Whether there is a connection now.
    public var isConnected: Bool {
        self.core.status.withLockedValue { $0.isConnected }
    }

    /// Whether the client has ended for good.
    public var isClosed: Bool {
        self.core.status.withLockedValue { $0.isClosed }
    }

    /// Where the client is in its life.
    public var state: NATSClientState {
        self.core.status.withLockedValue { status in
            if status.isClosed {
                return .closed
            }
            if status.isDraining {
                return .draining
            }
            if status.isConnected {
                return .connected
            }
            return status.isReconnecting ? .reconnecting : .connecting
        }
    }

    /// The newest error of the connection or the server; nil again once a connection is made.
    public var lastError: NATSError? {
        self.core.status.withLockedValue { $0.lastError }
    }

    /// The events from now on, for one listener; call it again for another.
    public var events: NATSEvents {
        self.core.events.listen()
    }

    /// Counters over the client's whole life.
    public var statistics: NATSStatistics {
        var statistics = NATSStatistics()
        self.outbound.addStatistics(to: &statistics)
        statistics.messagesIn = self.core.messagesIn.load(ordering: .relaxed)
        statistics.bytesIn = self.core.bytesIn.load(ordering: .relaxed)
        statistics.socketBytesIn = self.core.socketBytesIn.load(ordering: .relaxed)
        statistics.reconnects = self.core.reconnects.load(ordering: .relaxed)
        statistics.outstandingRequests = self.core.requests.count
        return statistics
    }

    /// Runs tasks on the event loop of the connection: less work per request, for tasks that never block.
    public var taskExecutor: NATSTaskExecutor {
        self.core.taskExecutor
    }

    /// What all of ``newInbox()`` begin with, without the last point.
    package var inboxPrefix: String {
        self.core.configuration.inboxPrefix
    }

    /// A subject that nobody else uses, for replies.
    public func newInbox() -> String {
        self.core.configuration.inboxPrefix + "." + self.core.nuid.withLockedValue { $0.next() }
    }

    /// Waits until the server has processed everything that was sent before.
    ///
    /// Errors that the server reported about it have been turned into events by then. While the client reconnects, waits
    /// for the next connection.
    ///
    /// - Parameter timeout: How long to wait.
    /// - Throws: ``NATSError/Code/timeout``, ``NATSError/Code/disconnected``, ``NATSError/Code/connectionClosed``,
    ///   ``NATSError/Code/cancelled``.
    public func flush(timeout: Duration = .seconds(10)) async throws(NATSError) {
        _ = try await self.core.flush(timeout: timeout)
    }

    /// The time from here to the server and back.
    ///
    /// - Returns: The time that one ``flush(timeout:)`` took.
    /// - Throws: As ``flush(timeout:)``, and ``NATSError/Code/disconnected`` if there is no connection now.
    public func rtt() async throws(NATSError) -> Duration {
        guard self.isConnected else {
            throw NATSError(.disconnected, "the client is not connected")
        }
        let start = NIODeadline.now()
        let answered = try await self.core.flush(timeout: .seconds(10))
        return .nanoseconds((answered - start).nanoseconds)
    }

    /// Ends the client without losing anything, and returns when it is closed.
    ///
    /// Refuses new subscriptions and unsubscribes all; lets those who iterate have the messages that are still on their
    /// way; waits for the replies of requests; then refuses publishes, flushes and closes. Publishing, and so responding,
    /// is possible until then. A series of replies (``requestMany(_:to:headers:timeout:stall:maximum:while:)``) is a
    /// subscription like any other: it ends behind the replies that are on their way.
    ///
    /// - Parameter timeout: Limit for all of that, but for a last second in which what is buffered goes out; nil for
    ///   ``NATSClientConfiguration/drainTimeout``.
    /// - Throws: ``NATSError/Code/drainTimeout`` if somebody was not done in time, ``NATSError/Code/disconnected`` if the
    ///   connection was lost meanwhile, ``NATSError/Code/connectionReconnecting`` if there was none,
    ///   ``NATSError/Code/connectionClosed`` if the client was closed before, ``NATSError/Code/cancelled``. The client is
    ///   closed in any case.
    public func drain(timeout: Duration? = nil) async throws(NATSError) {
        let core = self.core
        do throws(NATSError) {
            try await core.drain(timeout: timeout ?? core.configuration.drainTimeout).value {
                core.abandon()
            }
        } catch {
            await core.waitUntilFinished()
            throw error
        }
        await core.waitUntilFinished()
    }

    /// Ends the client now: what is buffered is written if the socket takes it, everything that waits fails with
    /// ``NATSError/Code/connectionClosed``, subscriptions end.
    ///
    /// Returns when the connection is gone. Does nothing the second time.
    public func close() async {
        self.core.abandon()
        await self.core.waitUntilFinished()
    }
}
