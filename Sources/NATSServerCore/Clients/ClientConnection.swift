import Logging
import NATSWire
import NIOCore

/// One client, from accept to close.
///
/// The handler carries out what ``ClientSession``, ``KeepAlive`` and ``ReadModerator`` decide, cuts the bytes it reads into
/// operations (`ClientConnection+operations.swift`), and hands messages to the outlets of whoever wants them
/// (`ClientConnection+publish.swift`).
///
/// `@unchecked Sendable`: everything but the `let`s is only touched on the connection's event loop, and so is `outlet`.
final class ClientConnection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        case open
        /// Sends what is queued, then closes.
        case closing
        case closed
    }

    enum WriteProgress {
        case flushed
        case blocked
        case closed
    }

    /// How long a connection that is to be closed may take to accept its last bytes.
    private static let lingerLimit: TimeAmount = .seconds(2)
    /// What a producer pauses when a target has fallen behind (nats-server client.go stallClientMinDuration).
    private static let stallTime: TimeAmount = .milliseconds(2)

    let id: UInt64
    let loop: ServerLoop
    let shared: ServerShared
    let backlog: Backlog
    /// Everything for this connection that is produced on its own loop goes through here, in order.
    let outlet: Outlet
    let accepted: NIODeadline

    var session: ClientSession
    var keepAlive: KeepAlive
    var parser: ClientOperationParser
    var subscriptions: [[UInt8]: Subscription] = [:]
    var statistics = TrafficStatistics()
    private(set) var phase: Phase = .open
    private(set) var context: ChannelHandlerContext?
    private(set) var closedReason: ClosedReason?
    private var authenticationTimer: Scheduled<Void>?
    private var pingTimer: Scheduled<Void>?
    private var address = ""
    /// Whether the server knows of this connection.
    private var isCounted = false
    private var logSuffix = ""

    /// The beginning of an operation that the last read cut off; never more than that one operation.
    var cut = CutOperation()

    private var moderator = ReadModerator()
    private var bytesThisCycle = 0
    var shouldStall = false
    private var readIsDelayed = false

    /// Writes that the socket has not taken whole, and when it last took one.
    private var outstandingWrites = 0
    private var lastProgress: NIODeadline

    init(id: UInt64, loop: ServerLoop) {
        let now = NIODeadline.now()
        let options = loop.shared.options
        self.id = id
        self.loop = loop
        self.shared = loop.shared
        self.backlog = Backlog(maximum: options.maxPending)
        self.session = ClientSession(policy: loop.shared.policy, serverSupportsHeaders: !options.noHeaderSupport)
        self.keepAlive = KeepAlive(
            interval: TimeAmount(options.pingInterval),
            pingsOutMax: options.pingsOutMax,
            now: now
        )
        self.parser = ClientOperationParser(maxControlLine: options.maxControlLine, maxPayload: options.maxPayload)
        self.accepted = now
        self.lastProgress = now
        self.outlet = Outlet(loop: loop)
        self.outlet.attach(self)
    }

    var logger: Logger { self.shared.logger }

    /// How the log names this connection.
    var label: String { "\(self.address) - cid:\(self.id)\(self.logSuffix)" }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { self.start(context) }
    }

    func channelActive(context: ChannelHandlerContext) { self.start(context) }

    private func start(_ context: ChannelHandlerContext) {
        guard self.address.isEmpty else { return }
        let peer = context.remoteAddress
        let ip = peer?.ipAddress ?? ""
        self.address = ip.contains(":") ? "[\(ip)]:\(peer?.port ?? 0)" : "\(ip):\(peer?.port ?? 0)"
        self.loop.add(self)
        self.logger.debug("\(self.label) - Client connection created")
        self.isCounted = true
        let hasRoom = self.shared.connectionOpened()
        self.outlet.append(self.shared.makeInfo(clientID: self.id, clientIP: ip).encode())
        guard hasRoom else {
            self.logger.error("\(self.label) - maximum connections exceeded")
            self.fail("maximum connections exceeded", .maxConnectionsExceeded)
            return
        }
        if self.session.awaitsConnect {
            let timeout = TimeAmount(self.shared.options.authTimeout)
            self.authenticationTimer = context.eventLoop.scheduleTask(in: timeout) { self.authenticationTimedOut() }
        }
        var generator = self.loop.random
        self.schedulePing(in: self.keepAlive.firstDelay(afterConnect: false, using: &generator))
        self.loop.random = generator
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.phase == .open else { return }
        let buffer = self.unwrapInboundIn(data)
        self.bytesThisCycle += buffer.readableBytes
        buffer.withUnsafeReadableBytes { self.received($0) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard self.phase == .open else { return }
        let bytes = self.bytesThisCycle
        self.bytesThisCycle = 0
        if self.shouldStall {
            self.shouldStall = false
            self.loop.totals.stalls += 1
            self.read(after: Self.stallTime)
            return
        }
        guard self.shared.options.readModeration,
            let delay = self.moderator.readCompleted(bytes: bytes, now: .now())
        else {
            context.read()
            return
        }
        self.read(after: delay)
    }

    private func read(after delay: TimeAmount) {
        guard !self.readIsDelayed else { return }
        self.readIsDelayed = true
        self.loop.eventLoop.scheduleTask(in: delay) {
            self.readIsDelayed = false
            guard self.phase == .open else { return }
            self.context?.read()
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Half closure is allowed on the socket, so that a peer which sends and shuts down its side still gets its answers.
        if let event = event as? ChannelEvent, event == .inputClosed {
            self.close(.clientClosed)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.close(self.phase == .open ? .readError : self.closedReason ?? .readError)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.close(.clientClosed)
        self.finish()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.close(.clientClosed)
        self.finish()
        self.context = nil
    }

    // MARK: Timers

    private func authenticationTimedOut() {
        guard self.phase == .open, self.session.awaitsConnect else { return }
        self.sendError("Authentication Timeout")
        self.logger.debug("\(self.label) - Authentication Timeout")
        self.close(.authenticationTimeout)
    }

    private func schedulePing(in delay: TimeAmount) {
        self.pingTimer?.cancel()
        guard self.keepAlive.interval > .zero else { return }
        self.pingTimer = self.loop.eventLoop.scheduleTask(in: delay) { self.pingTimerFired() }
    }

    private func pingTimerFired() {
        guard self.phase == .open else { return }
        self.logger.debug("\(self.label) - Client Ping Timer")
        self.cut.trim()
        switch self.keepAlive.timerFired(now: .now()) {
        case .wait:
            break
        case .sendPing:
            self.traceOut("PING")
            self.outlet.append("PING\r\n")
        case .stale:
            self.loop.totals.staleConnections += 1
            self.logger.debug("\(self.label) - Stale Client Connection - Closing")
            self.fail("Stale Connection", .staleConnection)
            return
        }
        self.schedulePing(in: self.keepAlive.interval)
    }

    /// A CONNECT was accepted.
    func connectAccepted() {
        self.authenticationTimer?.cancel()
        self.authenticationTimer = nil
        self.keepAlive.connectReceived(accepted: self.accepted, now: .now())
        self.logSuffix = self.session.logSuffix
        var generator = self.loop.random
        self.schedulePing(in: self.keepAlive.firstDelay(afterConnect: true, using: &generator))
        self.loop.random = generator
    }

    // MARK: Sending

    /// Writes what was staged for this connection.
    ///
    /// - Parameters:
    ///   - staged: The output of one producing loop.
    ///   - isCounted: Whether the bytes are in ``backlog`` already.
    func send(_ staged: Outlet.Staged, isCounted: Bool = false) {
        guard self.phase != .closed, let context = self.context, let last = staged.buffers.last else {
            if isCounted { self.backlog.change(by: -staged.bytes) }
            return
        }
        self.statistics.messagesOut &+= staged.messages
        self.statistics.bytesOut &+= staged.payloadBytes
        let pending = self.backlog.change(by: isCounted ? 0 : staged.bytes)
        if self.phase == .open, pending > self.backlog.maximum, self.outstandingWrites > 0 {
            self.logger.notice("\(self.label) - Slow Consumer Detected: MaxPending of \(self.backlog.maximum) Exceeded")
            self.loop.totals.slowConsumers += 1
            self.close(.slowConsumerPendingBytes)
            return
        }
        if self.outstandingWrites == 0 { self.lastProgress = .now() }
        self.outstandingWrites += 1
        for buffer in staged.buffers.dropLast() { context.write(self.wrapOutboundOut(buffer), promise: nil) }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { result in
            self.written(staged, succeeded: (try? result.get()) != nil)
        }
        context.writeAndFlush(self.wrapOutboundOut(last), promise: promise)
        if self.outstandingWrites > 0 { self.loop.watch(self) }
    }

    private func written(_ staged: Outlet.Staged, succeeded: Bool) {
        self.outstandingWrites -= 1
        self.backlog.change(by: -staged.bytes)
        guard succeeded else { return }
        self.lastProgress = .now()
        for buffer in staged.buffers { self.loop.pool.recycle(buffer) }
    }

    /// Cuts the connection off if its socket has taken nothing for too long.
    func checkWriteDeadline(_ deadline: TimeAmount, now: NIODeadline) -> WriteProgress {
        guard self.phase == .open else { return .closed }
        guard self.outstandingWrites > 0 else { return .flushed }
        guard now - self.lastProgress >= deadline else { return .blocked }
        self.logger.notice(
            """
            \(self.label) - Slow Consumer Detected: WriteDeadline of \(ProtocolText.duration(self.shared.options.writeDeadline)) exceeded with \
            \(self.outstandingWrites) chunks of \(self.backlog.pending) total bytes.
            """
        )
        self.loop.totals.slowConsumers += 1
        self.close(.slowConsumerWriteDeadline)
        return .closed
    }

    // MARK: Closing

    /// Answers with an error and closes.
    func fail(_ text: String, _ reason: ClosedReason) {
        guard self.phase == .open else { return }
        self.sendError(text)
        self.close(reason)
    }

    /// Answers with an error, closes, and only then says so in the log, as the official server does with these.
    func failLogged(_ text: String, _ reason: ClosedReason) {
        self.fail(text, reason)
        self.logger.error("\(self.label) - \(text)")
    }

    func sendError(_ text: String) {
        self.traceOut("-ERR \(text)")
        self.outlet.append(Array("-ERR '\(text)'\r\n".utf8))
    }

    /// Ends the connection; the first reason counts.
    func close(_ reason: ClosedReason) {
        guard self.phase == .open else { return }
        self.phase = .closing
        self.closedReason = reason
        self.authenticationTimer?.cancel()
        self.authenticationTimer = nil
        self.pingTimer?.cancel()
        self.pingTimer = nil
        let dropped = self.subscriptions.values
        self.dropSubscriptions()
        self.cut = CutOperation()
        self.logger.debug("\(self.label) - Client connection closed: \(reason.rawValue)")
        if self.isTracing, reason != .serverShutdown { dropped.forEach(self.traceDeleted) }
        guard let context = self.context, context.channel.isActive, reason.flushesFirst else {
            self.outlet.detach()
            self.context?.close(promise: nil)
            return
        }
        // After the flush of this tick, which carries what is staged.
        context.eventLoop.execute { self.closeWhenFlushed() }
    }

    private func closeWhenFlushed() {
        guard self.phase == .closing, let context = self.context else { return }
        guard self.outstandingWrites > 0 else {
            context.close(promise: nil)
            return
        }
        // Writes complete in order, so an empty one at the end completes last.
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { _ in self.context?.close(promise: nil) }
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer()), promise: promise)
        let limit = min(Self.lingerLimit, self.shared.writeDeadline)
        context.eventLoop.scheduleTask(in: limit) { self.context?.close(promise: nil) }
    }

    /// The socket is gone.
    private func finish() {
        guard self.phase != .closed else { return }
        self.phase = .closed
        self.outlet.detach()
        self.loop.remove(self)
        if self.isCounted { self.shared.connectionClosed() }
    }

    func dropSubscriptions() {
        guard !self.subscriptions.isEmpty else { return }
        self.shared.globalAccount.remove(contentsOf: self.subscriptions.values)
        self.subscriptions = [:]
    }
}

extension ClientConnection {
    var snapshot: ConnectionStatistics {
        ConnectionStatistics(
            id: self.id,
            name: self.session.payload.name,
            traffic: self.statistics,
            subscriptions: self.subscriptions.count,
            pendingBytes: self.backlog.pending,
            roundTripNanoseconds: self.keepAlive.roundTripTime?.nanoseconds
        )
    }
}
