import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix

/// Answers HTTP requests about the server, on a thread of its own.
///
/// The clients' event loops are only asked for numbers; a slow or hostile HTTP client costs them nothing.
///
/// `@unchecked Sendable`: the variables are only touched on `eventLoop`.
final class MonitoringServer: @unchecked Sendable {
    /// Limits on what HTTP clients may take.
    enum Limits {
        static let connections = 256
        /// Bytes of a request's header, and of one field of it.
        static let header = 64 << 10
        static let field = 32 << 10
        /// A body is thrown away, up to so many bytes (Go net/http maxPostHandlerReadBytes).
        static let body = 256 << 10
        /// Time for a request's header (nats-server server.go startMonitoring) and for its body.
        static let request: TimeAmount = .seconds(5)
        /// Time between two requests.
        static let idle: TimeAmount = .minutes(3)
        /// Time in which a client has to take a piece of an answer.
        static let write: TimeAmount = .seconds(30)
        static let pieceSize = 256 << 10
        static let sendBuffer: SocketOptionValue = 256 << 10
    }

    /// A list that has yet to be put together.
    private struct Turn {
        /// The connection that wants it.
        var owner: ObjectIdentifier
        var work: () -> EventLoopFuture<MonitoringResponse>
        var promise: EventLoopPromise<MonitoringResponse>
    }

    private let source: MonitoringSource
    private let addTLS: (@Sendable (any Channel) throws -> Void)?
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let eventLoop: any EventLoop
    private let basePath: String
    private let port = NIOLockedValueBox(0)
    private var listener: (any Channel)?
    private var connections: [ObjectIdentifier: MonitoringConnection] = [:]
    private var requests: [String: UInt64] = [:]
    private var sampler = ProcessorSampler()
    private var sampling: RepeatedTask?
    /// Answers that are being put together, lists waiting for their turn, and bytes that clients have yet to take.
    private var inProgress = 0
    private var isListing = false
    private var waiting: [Turn] = []
    private var outstanding = 0
    private var isStopping = false
    private var idle: EventLoopPromise<Void>?

    /// - Parameters:
    ///   - source: Where the figures come from.
    ///   - addTLS: Secures a connection, for HTTPS.
    init(source: MonitoringSource, addTLS: (@Sendable (any Channel) throws -> Void)?) {
        self.source = source
        self.addTLS = addTLS
        self.eventLoop = self.group.next()
        self.basePath = MonitoringPath.base(source.options.monitoring.basePath)
    }

    /// The port that it listens on; 0 before it does.
    var boundPort: Int { self.port.withLockedValue { $0 } }
    private var logger: Logger { self.source.options.logger }

    // MARK: Life

    func start(host: String, port: Int) async throws {
        let listener = try await ServerBootstrap(group: self.group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.closeOnExec()
                    try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler())
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // What a client does not read shall wait here, where it is counted, not in the kernel.
            .childChannelOption(.socketOption(.so_sndbuf), value: Limits.sendBuffer)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.prepare(channel) }
            }
            .bind(host: host, port: port)
            .get()
        self.port.withLockedValue { $0 = listener.localAddress?.port ?? 0 }
        try await self.eventLoop.submit {
            self.listener = listener
            self.sample()
            self.sampling = self.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
                self.sample()
            }
        }.get()
    }

    /// Closes everything and ends the thread.
    func stop() async {
        let ended = self.eventLoop.flatSubmit {
            self.isStopping = true
            self.sampling?.cancel()
            let waiting = self.waiting
            self.waiting = []
            waiting.forEach { $0.promise.fail(ChannelError.eof) }
            self.listener?.close(promise: nil)
            for connection in Array(self.connections.values) { connection.close() }
            // Questions that are on their way to other event loops come back before those end.
            guard self.inProgress > 0 else { return self.eventLoop.makeSucceededVoidFuture() }
            let promise = self.eventLoop.makePromise(of: Void.self)
            self.idle = promise
            return promise.futureResult
        }
        try? await ended.get()
        try? await self.group.shutdownGracefully()
    }

    private func prepare(_ channel: any Channel) throws {
        try channel.closeOnExec()
        guard !self.isStopping, self.makeRoom() else { throw ChannelError.ioOnClosedChannel }
        try self.addTLS?(channel)
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = Limits.field
        limits.maxHeaderListSize = Limits.header
        let decoder = HTTPRequestDecoder(
            leftOverBytesStrategy: .dropBytes,
            informationalResponseStrategy: .drop,
            limitConfiguration: limits
        )
        let connection = MonitoringConnection(self)
        try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(decoder))
        try channel.pipeline.syncOperations.addHandler(connection)
        self.connections[ObjectIdentifier(connection)] = connection
    }

    /// When there are too many connections, one that waits for its next request has to go, or else the one that has not
    /// sent a whole request for the longest time: whoever asks at once is served, however many ask nothing.
    private func makeRoom() -> Bool {
        guard self.connections.count >= Limits.connections else { return true }
        let connections = self.connections.values
        let silent = connections.compactMap { connection in connection.requestAwaited.map { (connection, $0) } }
        guard
            let surplus = connections.first(where: { $0.isIdle }) ?? silent.min(by: { $0.1 < $1.1 })?.0
        else { return false }
        surplus.close()
        return true
    }

    func connectionEnded(_ connection: MonitoringConnection) {
        let owner = ObjectIdentifier(connection)
        self.connections[owner] = nil
        // Nobody waits for its lists any more; clients that ask and leave must not make this one grow.
        let orphans = self.waiting.filter { $0.owner == owner }
        guard !orphans.isEmpty else { return }
        self.waiting.removeAll { $0.owner == owner }
        for orphan in orphans { orphan.promise.fail(ChannelError.eof) }
    }

    /// How often each page has been asked for.
    var requestCounts: EventLoopFuture<[String: UInt64]> { self.eventLoop.submit { self.requests } }

    /// Lists that wait for their turn.
    var waitingLists: Int { self.waiting.count }

    private func sample() { self.sampler.sample(SystemUsage.processorNanoseconds(), now: .now()) }

    private var usage: ProcessUsage {
        let memory = SystemUsage.memory()
        return ProcessUsage(
            residentMemory: memory.resident,
            virtualMemory: memory.virtual,
            processorPercent: self.sampler.percent
        )
    }

    // MARK: Answers

    /// The `Date` header.
    var date: String { TimeText.http(self.source.head().now) }

    /// Puts an answer together; it fails if the connection ends before that is begun.
    func respond(
        to request: MonitoringRequest,
        for connection: MonitoringConnection
    ) -> EventLoopFuture<MonitoringResponse> {
        let decision = MonitoringRoute.decide(request, basePath: self.basePath)
        if let path = decision.counted { self.requests[path, default: 0] += 1 }
        self.inProgress += 1
        let response: EventLoopFuture<MonitoringResponse>
        switch decision.route {
        case .connz, .subsz:
            response = self.inTurn(ObjectIdentifier(connection)) { self.response(decision.route, decision.callback) }
        default:
            response = self.response(decision.route, decision.callback)
        }
        return response.always { _ in
            self.inProgress -= 1
            if self.inProgress == 0 { self.idle?.succeed(()) }
        }
    }

    private func response(_ route: MonitoringRoute, _ callback: String?) -> EventLoopFuture<MonitoringResponse> {
        let head = self.source.head()
        func ready(_ json: [UInt8]) -> EventLoopFuture<MonitoringResponse> {
            self.eventLoop.makeSucceededFuture(.json(json, callback: callback))
        }
        switch route {
        case .varz:
            return self.source.server(on: self.eventLoop).map { snapshot in
                var snapshot = snapshot
                snapshot.usage = self.usage
                snapshot.httpRequests = self.requests
                return .json(VarzDocument(snapshot: snapshot).json(), callback: callback)
            }
        case .connz(let query):
            return self.source.connections(query, on: self.eventLoop).map { document in
                let json = document?.json() ?? ConnzDocument.unknownAccount(query: query, now: head.now)
                return .json(json, callback: callback)
            }
        case .subsz(let query):
            return self.source.subscriptions(query, on: self.eventLoop).map { .json($0.json(), callback: callback) }
        case .accountz(let name):
            return self.accounts(head, name, callback)
        case .accstatz(let includesUnused):
            return self.source.accounts(on: self.eventLoop).map { accounts in
                let document = AccstatzDocument(head: head, accounts: accounts, includesUnused: includesUnused)
                return .json(document.json(), callback: callback)
            }
        case .routez(let subscriptions):
            return self.source.routes(subscriptions, on: self.eventLoop).map { .json($0.json(), callback: callback) }
        case .leafz(let query):
            return self.source.leafNodes(query, on: self.eventLoop).map { .json($0.json(), callback: callback) }
        case .gatewayz: return ready(GatewayzDocument.json(head))
        case .jsz: return ready(JszDocument.json(head))
        case .ipqueuesz: return ready(IPQueueszDocument.json())
        case .stacksz:
            return self.source.loopStates(on: self.eventLoop).map { .json(StackszDocument.text($0)) }
        case .healthz(let query, let isDeprecated):
            if isDeprecated {
                self.logger.warning("Healthcheck: js-enabled deprecated, use js-enabled-only instead")
            }
            let document = HealthzDocument(query, isReady: self.source.isReady)
            if let warning = document.warning { self.logger.warning("\(warning)") }
            return self.eventLoop.makeSucceededFuture(
                .json(document.json, status: document.status, callback: callback)
            )
        default:
            return self.eventLoop.makeSucceededFuture(self.fixedResponse(route, head))
        }
    }

    /// The answers that are no JSON documents.
    private func fixedResponse(_ route: MonitoringRoute, _ head: ServerHead) -> MonitoringResponse {
        switch route {
        case .index: return .html(IndexPage.html(basePath: self.basePath, name: head.name))
        case .raftz: return .text(RaftzDocument.none, status: 404)
        case .redirect(let location): return .redirect(to: location)
        case .invalid(let text): return .text(text, status: 400)
        case .debugVars:
            let commandLine = self.source.options.monitoring.commandLine
            var response = MonitoringResponse()
            response.headers = [("Content-Type", "application/json; charset=utf-8")]
            response.body = DebugVarsDocument.json(commandLine: commandLine, usage: self.usage)
            return response
        default: return .notFound
        }
    }

    private func accounts(
        _ head: ServerHead,
        _ name: String,
        _ callback: String?
    ) -> EventLoopFuture<MonitoringResponse> {
        guard !name.isEmpty else {
            let json = AccountzDocument.json(
                head,
                accounts: self.source.accountNames,
                system: self.source.systemAccount
            )
            return self.eventLoop.makeSucceededFuture(.json(json, callback: callback))
        }
        return self.source.account(name, on: self.eventLoop).map { account in
            guard let account else {
                return .text(AccountzDocument.unknown(name), status: 400)
            }
            let json = AccountzDocument.json(head, account: account, system: self.source.systemAccount)
            return .json(json, callback: callback)
        }
    }

    // MARK: Turns

    /// Puts long lists together one after the other, and only while clients take what they have asked for.
    private func inTurn(
        _ owner: ObjectIdentifier,
        _ work: @escaping () -> EventLoopFuture<MonitoringResponse>
    ) -> EventLoopFuture<MonitoringResponse> {
        guard !self.isStopping else { return self.eventLoop.makeFailedFuture(ChannelError.eof) }
        let promise = self.eventLoop.makePromise(of: MonitoringResponse.self)
        self.waiting.append(Turn(owner: owner, work: work, promise: promise))
        self.nextTurn()
        return promise.futureResult
    }

    private func nextTurn() {
        let limit = self.source.options.monitoring.maxOutstanding
        guard !self.isListing, self.outstanding < limit, !self.waiting.isEmpty else { return }
        self.isListing = true
        let next = self.waiting.removeFirst()
        let promise = next.promise
        let work = NIOLoopBound(next.work, eventLoop: self.eventLoop)
        // Not at once, so that other answers come in between.
        self.eventLoop.execute {
            work.value().whenComplete { response in
                self.isListing = false
                // Before the next turn, so that this answer counts as one to be taken.
                promise.completeWith(response)
                self.nextTurn()
            }
        }
    }

    /// An answer is to be sent, or has been taken.
    func outstandingChanged(by bytes: Int) {
        self.outstanding += bytes
        if bytes < 0 { self.nextTurn() }
    }
}
