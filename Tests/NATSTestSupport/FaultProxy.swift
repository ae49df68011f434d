import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Stands between a client and a server, and breaks the connections as the test says: after a byte, in one direction or
/// both, at once, or by going slow.
///
/// ```
/// let proxy = try await FaultProxy.start(to: server.port)
/// proxy.plan(.init(.toServer, after: 17, .reset))   // of the next connection
/// …                                                  // a client connects to proxy.url
/// await proxy.cut(.close)                            // all that are open now
/// await proxy.close()
/// ```
package final class FaultProxy: Sendable {
    package enum Direction: Sendable, Hashable, CaseIterable {
        case toServer
        case toClient

        var opposite: Direction { self == .toServer ? .toClient : .toServer }
    }

    /// What happens to a connection.
    package enum End: Sendable, Hashable {
        /// Both sides see the end of the other's bytes.
        case close
        /// Both sides see a reset.
        case reset
        /// One direction ends (FIN), the other goes on; what else is sent in the direction that ended is thrown away.
        case finish
        /// Nothing is taken any more in one direction.
        case stall
        /// These bytes take the place of all that follow in one direction.
        case garbage([UInt8])
    }

    /// An end after so many bytes of one direction.
    package struct Fault: Sendable, Hashable {
        package var direction: Direction
        package var after: Int
        package var end: End

        package init(_ direction: Direction, after: Int, _ end: End) {
            self.direction = direction
            self.after = after
            self.end = end
        }
    }

    /// What went through one connection, as far as ``recordLimit``.
    package struct Traffic: Sendable {
        package var toServer: [UInt8] = []
        package var toClient: [UInt8] = []

        package subscript(_ direction: Direction) -> [UInt8] {
            direction == .toServer ? self.toServer : self.toClient
        }
    }

    private struct State {
        var planned: [Fault?] = []
        var accepted = 0
        var hits = 0
        var traffic = Traffic()
        var isRefusing = false
    }

    static let recordLimit = 16_384

    /// The port of 127.0.0.1 that clients connect to.
    package let port: Int
    private let eventLoop: any EventLoop
    private let listener: any Channel
    private let state: NIOLockedValueBox<State>
    private let pairs: NIOLoopBoundBox<[ObjectIdentifier: FaultPair]>

    package var url: String { "nats://127.0.0.1:\(self.port)" }

    private init(
        eventLoop: any EventLoop,
        listener: any Channel,
        port: Int,
        state: NIOLockedValueBox<State>,
        pairs: NIOLoopBoundBox<[ObjectIdentifier: FaultPair]>
    ) {
        self.eventLoop = eventLoop
        self.listener = listener
        self.port = port
        self.state = state
        self.pairs = pairs
    }

    /// Listens, and connects whoever comes with a server on another port of 127.0.0.1.
    ///
    /// - Parameters:
    ///   - serverPort: The server's port.
    ///   - bytesPerMillisecond: What the link takes from a client; nil for as much as comes.
    /// - Returns: The proxy, which listens.
    /// - Throws: What the system says when it cannot listen.
    package static func start(to serverPort: Int, bytesPerMillisecond: Int? = nil) async throws -> FaultProxy {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let state = NIOLockedValueBox(State())
        let pairs = NIOLoopBoundBox.makeBoxSendingValue([ObjectIdentifier: FaultPair](), eventLoop: eventLoop)
        var bootstrap = ServerBootstrap(group: eventLoop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        if let bytesPerMillisecond {
            // A slow link is one that holds little.
            bootstrap =
                bootstrap
                .serverChannelOption(.socketOption(.so_rcvbuf), value: 4096)
                .childChannelOption(
                    .recvAllocator,
                    value: FixedSizeRecvByteBufferAllocator(capacity: bytesPerMillisecond)
                )
                .childChannelOption(.maxMessagesPerRead, value: 1)
        }
        let listener =
            try await bootstrap
            .childChannelInitializer { client in
                let (isRefused, fault) = state.withLockedValue { state -> (Bool, Fault?) in
                    guard !state.isRefusing else { return (true, nil) }
                    state.accepted += 1
                    state.traffic = Traffic()
                    return (false, state.planned.isEmpty ? nil : state.planned.removeFirst())
                }
                guard !isRefused else {
                    return client.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
                }
                let pair = FaultPair(client: client, fault: fault, isSlow: bytesPerMillisecond != nil) { report in
                    state.withLockedValue { state in
                        switch report {
                        case .hit: state.hits += 1
                        case .bytes(let bytes, .toServer): state.traffic.toServer.append(bytes)
                        case .bytes(let bytes, .toClient): state.traffic.toClient.append(bytes)
                        }
                    }
                }
                pairs.value[ObjectIdentifier(pair)] = pair
                let key = ObjectIdentifier(pair)
                pair.whenEnded { pairs.value[key] = nil }
                return client.eventLoop.makeCompletedFuture {
                    try client.pipeline.syncOperations.addHandler(FaultRelay(pair, reads: .toServer))
                    pair.connect(port: serverPort)
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        return FaultProxy(
            eventLoop: eventLoop,
            listener: listener,
            port: listener.localAddress?.port ?? 0,
            state: state,
            pairs: pairs
        )
    }

    /// How many connections were accepted.
    package var acceptedCount: Int { self.state.withLockedValue { $0.accepted } }

    /// How many faults were planned or armed and have happened.
    package var hitCount: Int { self.state.withLockedValue { $0.hits } }

    /// What went through the newest connection so far.
    package var traffic: Traffic { self.state.withLockedValue { $0.traffic } }

    /// Says what happens to the next connections, one after the other; those behind the last are left alone.
    package func plan(_ faults: Fault?...) {
        self.state.withLockedValue { $0.planned = faults }
    }

    /// Whether connections are ended as soon as they come.
    package func refuse(_ isRefusing: Bool) {
        self.state.withLockedValue { $0.isRefusing = isRefusing }
    }

    /// Says what happens to the connections that are open now, counted from here on; nil for nothing.
    package func arm(_ fault: Fault?) async {
        await self.onPairs { $0.arm(fault) }
    }

    /// Does this to all connections that are open now.
    package func cut(_ end: End, _ direction: Direction = .toClient) async {
        await self.onPairs { $0.end(end, direction) }
    }

    private func onPairs(_ body: @escaping @Sendable (FaultPair) -> Void) async {
        try? await self.eventLoop.submit {
            for pair in self.pairs.value.values {
                body(pair)
            }
        }.get()
    }

    /// How many connections are open.
    package var openCount: Int {
        get async {
            (try? await self.eventLoop.submit { self.pairs.value.count }.get()) ?? 0
        }
    }

    /// Stops listening and ends all connections.
    package func close() async {
        try? await self.listener.close().get()
        await self.cut(.close)
        try? await eventually("the proxy's connections to end") { await self.openCount == 0 }
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ bytes: ByteBuffer) {
        if self.count < FaultProxy.recordLimit {
            self += bytes.readableBytesView
        }
    }
}

/// A client's connection and the one that was made for it.
///
/// Lives on the event loop.
private final class FaultPair: @unchecked Sendable {
    enum Report {
        case bytes(ByteBuffer, FaultProxy.Direction)
        case hit
    }

    private let client: any Channel
    private var server: (any Channel)?
    private var fault: FaultProxy.Fault?
    private var counted = 0
    private let isSlow: Bool
    private let report: @Sendable (Report) -> Void
    /// Directions of which nothing is forwarded any more.
    private var finished: Set<FaultProxy.Direction> = []
    /// Directions that are not read any more.
    private var stalled: Set<FaultProxy.Direction> = []
    private var isWaiting = false

    init(
        client: any Channel,
        fault: FaultProxy.Fault?,
        isSlow: Bool,
        report: @escaping @Sendable (Report) -> Void
    ) {
        self.client = client
        self.fault = fault
        self.isSlow = isSlow
        self.report = report
    }

    func whenEnded(_ body: @escaping @Sendable () -> Void) {
        self.client.closeFuture.whenComplete { _ in body() }
    }

    func connect(port: Int) {
        ClientBootstrap(group: self.client.eventLoop)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { server in
                server.eventLoop.makeCompletedFuture {
                    try server.pipeline.syncOperations.addHandler(FaultRelay(self, reads: .toClient))
                }
            }
            .connect(host: "127.0.0.1", port: port)
            .whenComplete { result in
                switch result {
                case .failure:
                    self.end(.reset, .toClient)
                case .success(let server):
                    self.server = server
                    guard self.client.isActive else {
                        return server.close(promise: nil)
                    }
                    self.readOn(.toServer)
                    self.readOn(.toClient)
                }
            }
    }

    func arm(_ fault: FaultProxy.Fault?) {
        self.fault = fault
        self.counted = 0
    }

    private func source(_ direction: FaultProxy.Direction) -> (any Channel)? {
        direction == .toServer ? self.client : self.server
    }

    private func target(_ direction: FaultProxy.Direction) -> (any Channel)? {
        self.source(direction.opposite)
    }

    /// Takes more from whoever sends in this direction, as soon as the other side has taken what there is.
    func readOn(_ direction: FaultProxy.Direction) {
        guard !self.stalled.contains(direction), let source = self.source(direction), self.server != nil else {
            return
        }
        guard self.finished.contains(direction) || self.target(direction)?.isWritable == true else {
            return
        }
        guard self.isSlow, direction == .toServer else {
            return source.read()
        }
        guard !self.isWaiting else {
            return
        }
        self.isWaiting = true
        source.eventLoop.scheduleTask(in: .milliseconds(1)) {
            self.isWaiting = false
            source.read()
        }
    }

    func forward(_ bytes: ByteBuffer, _ direction: FaultProxy.Direction) {
        guard !self.finished.contains(direction), !self.stalled.contains(direction), let target = self.target(direction)
        else {
            return
        }
        var bytes = bytes
        var end: FaultProxy.End?
        if let fault = self.fault, fault.direction == direction {
            let room = fault.after - self.counted
            if bytes.readableBytes >= room {
                bytes = bytes.getSlice(at: bytes.readerIndex, length: room) ?? bytes
                end = fault.end
                self.fault = nil
            }
            self.counted += bytes.readableBytes
        }
        self.report(.bytes(bytes, direction))
        guard let end else {
            return target.writeAndFlush(bytes, promise: nil)
        }
        // Nothing gets past the fault, and it waits until what came before it is with the kernel.
        self.finished.insert(direction)
        target.writeAndFlush(bytes).whenComplete { _ in
            self.end(end, direction)
            self.report(.hit)
        }
    }

    func end(_ end: FaultProxy.End, _ direction: FaultProxy.Direction) {
        switch end {
        case .close:
            self.closeAll()
        case .reset:
            for channel in [self.client, self.server] {
                (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in
                }
            }
            self.closeAll()
        case .finish:
            self.finished.insert(direction)
            self.target(direction)?.close(mode: .output, promise: nil)
        case .stall:
            self.stalled.insert(direction)
        case .garbage(let bytes):
            self.finished.insert(direction)
            self.target(direction)?.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
        }
    }

    /// One side will send no more.
    func inputClosed(_ direction: FaultProxy.Direction) {
        guard !self.finished.contains(direction) else {
            return self.closeAll()
        }
        self.finished.insert(direction)
        self.target(direction)?.close(mode: .output, promise: nil)
    }

    func closeAll() {
        self.client.close(promise: nil)
        self.server?.close(promise: nil)
    }
}

/// Gives what one side sends to the pair.
private final class FaultRelay: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let pair: FaultPair
    private let direction: FaultProxy.Direction

    init(_ pair: FaultPair, reads direction: FaultProxy.Direction) {
        self.pair = pair
        self.direction = direction
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.pair.forward(self.unwrapInboundIn(data), self.direction)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.pair.readOn(self.direction)
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            self.pair.readOn(self.direction.opposite)
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent {
            self.pair.inputClosed(self.direction)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.pair.closeAll()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.pair.closeAll()
    }
}

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif
