import Logging
import NATSWire
import NIOConcurrencyHelpers
import NIOCore
import NIOTLS

/// One connection to another server: a route, or that of a leaf node.
///
/// What both have in common: what the peer sends is cut into operations (`PeerReading.swift`), and it is told what is wanted
/// here by ``InterestWatcher``s, always before the messages that others have staged (`PeerConnection+interest.swift`).
class PeerConnection: ServerConnection, ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The first PING comes after a second, or a fifth more (nats-server client.go setFirstPingTimer).
    private static let firstPing: TimeAmount = .seconds(1)
    /// How long a connection that is to be closed may take to accept its last bytes.
    private static let lingerLimit: TimeAmount = .seconds(2)

    /// Whether this server dialled.
    final let isSolicited: Bool
    /// The name or address that was dialled.
    final let dialledHost: String
    /// Whether the TLS handshake is over, if there is one.
    final var isSecured = false
    final var parser: RouteOperationParser
    final var understandsHeaders = false
    final var keepAlive: KeepAlive
    final private(set) var address = ""
    final private(set) var remoteIP = ""
    final private(set) var remotePort = 0
    /// The name of the peer, behind the reason of the end in the log.
    final var peerName = ""

    /// The beginning of an operation that the last read cut off.
    final var cut = CutOperation()
    /// Input that waits for a check.
    final var heldInput: ByteBuffer?
    final var pendingCheck: (any PendingCheck)?
    /// Accounts whose interest the peer is told of.
    final var watchers: [ObjectIdentifier: InterestWatcher] = [:]
    /// Watchers that have something to tell.
    final let pendingInterest = NIOLockedValueBox<[InterestWatcher]>([])
    final var isAnnouncing = false
    /// The peer takes nothing at the moment; what there is to tell is looked at again later.
    final var announcesLater = false
    /// A PING has not been answered.
    final var isAwaitingPong = false
    /// Where a message is put together whose queue groups stand between reply subject and sizes.
    final var respelled: [UInt8] = []
    private var pingTimer: NIODeadline?

    /// - Parameters:
    ///   - id: Of one sequence with those of clients.
    ///   - loop: Where it lives.
    ///   - kind: What the peer is.
    ///   - dialledHost: The name or address that this server has dialled; `nil` if it was the other one that did.
    ///   - parser: For what the peer sends.
    ///   - keepAlive: When the peer is asked whether it is there.
    init(
        id: UInt64,
        loop: ServerLoop,
        kind: Kind,
        dialledHost: String?,
        parser: RouteOperationParser,
        keepAlive: KeepAlive
    ) {
        self.isSolicited = dialledHost != nil
        self.dialledHost = dialledHost ?? ""
        self.parser = parser
        self.keepAlive = keepAlive
        super.init(id: id, loop: loop, kind: kind)
    }

    // MARK: What differs

    /// The socket is there, and its address known.
    func started(_ context: ChannelHandlerContext) {}

    /// Bytes arrived.
    func received(_ bytes: UnsafeRawBufferPointer) {}

    func handshakeCompleted() {}

    func handshakeFailed(_ cause: String) {}

    /// The connection ends: nobody may use it any more.
    func willEnd(_ reason: ClosedReason) {}

    /// Whether it carries one account only, which is not named then.
    var isDedicated: Bool { true }

    /// What the peer is to this server.
    var peerKind: PeerTarget.Kinds { .route }

    /// Whether messages with a subject may go to the peer; under the lock of the account's subscriptions, on any thread.
    func mayReceive(_ subject: UnsafeBufferPointer<UInt8>) -> Bool { true }

    /// Chooses another server for a queue group whose last member here has just gone (nats-server client.go
    /// processMsgResults).
    ///
    /// - Returns: whether there is one.
    func chooseAnother(for group: MatchResult.Group, _ result: MatchResult.Pointer) -> Bool { false }

    /// Appends what the peer is to be told of interest in an account.
    func append(_ update: InterestLedger.Update, of account: [UInt8], to lines: inout [UInt8]) {}

    /// What lines about its timers begin with.
    var pingTimerLabel: String { "" }

    // MARK: Channel events

    final func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { self.start(context) }
    }

    final func channelActive(context: ChannelHandlerContext) { self.start(context) }

    private func start(_ context: ChannelHandlerContext) {
        guard self.address.isEmpty else { return }
        let peer = context.remoteAddress
        self.remoteIP = peer?.ipAddress ?? ""
        self.remotePort = peer?.port ?? 0
        self.address = peer.map(ClientConnection.describe) ?? ":0"
        self.loop.add(self)
        self.started(context)
    }

    final func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.phase == .open else { return }
        var buffer = self.unwrapInboundIn(data)
        if self.heldInput?.writeBuffer(&buffer) != nil { return }
        buffer.withUnsafeReadableBytes { self.received($0) }
    }

    final func channelReadComplete(context: ChannelHandlerContext) {
        guard self.phase == .open, self.heldInput == nil else { return }
        context.read()
    }

    final func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            self.close(.clientClosed)
        } else if let event = event as? TLSUserEvent, case .handshakeCompleted = event {
            self.handshakeCompleted()
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    final func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if self.isEncrypted, !self.isSecured { self.handshakeFailed(TLSHandshakeFailure(error).text) }
        self.close(.readError)
        context.close(promise: nil)
    }

    final func channelInactive(context: ChannelHandlerContext) {
        self.close(.clientClosed)
        self.finish()
    }

    final func handlerRemoved(context: ChannelHandlerContext) {
        self.close(.clientClosed)
        self.finish()
        self.context = nil
    }

    /// Handles what came while a check was waited for, and goes on.
    final func resumeInput() {
        guard self.phase == .open, let held = self.heldInput.take() else { return }
        held.withUnsafeReadableBytes { self.received($0) }
        if self.phase == .open, self.heldInput == nil { self.context?.read() }
    }

    // MARK: What all connections have

    override var mayWrite: Bool { !self.isEncrypted || self.isSecured }

    override func close(_ reason: ClosedReason) {
        guard self.phase == .open else { return }
        self.phase = .closing
        self.closedReason = reason
        guard !self.address.isEmpty else {
            // A dial that failed: nobody knows of this connection.
            self.outlet.detach()
            return
        }
        self.endWatchers()
        self.cut = CutOperation()
        self.heldInput = nil
        self.pendingCheck?.cancel()
        self.pendingCheck = nil
        self.willEnd(reason)
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
        self.writeGathered(context)
        // Writes complete in order, so an empty one at the end completes last.
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { _ in self.context?.close(promise: nil) }
        context.writeAndFlush(NIOAny(ByteBuffer()), promise: promise)
        let limit = min(Self.lingerLimit, self.settings.writeDeadline)
        context.eventLoop.scheduleTask(in: limit) { self.context?.close(promise: nil) }
    }

    /// The socket is gone.
    private func finish() {
        guard self.phase != .closed else { return }
        self.phase = .closed
        self.outlet.detach()
        self.loop.remove(self)
    }

    /// Answers with an error and closes.
    final func fail(_ text: String, _ reason: ClosedReason) {
        guard self.phase == .open else { return }
        self.sendError(text)
        self.close(reason)
    }

    final func sendError(_ text: String) {
        self.traceOut("-ERR \(text)")
        self.outlet.append(Array("-ERR '\(text)'\r\n".utf8))
    }

    override func willWrite(_ context: ChannelHandlerContext) {
        guard !self.watchers.isEmpty else { return }
        self.announceInterest(context, isWhole: true)
    }

    // MARK: Keep-alive

    /// The peer is known: from now on it is asked whether it is there.
    final func scheduleFirstPing() {
        var generator = self.loop.random
        let extra = Int64.random(in: 0...Self.firstPing.nanoseconds / 5, using: &generator)
        self.loop.random = generator
        self.schedulePing(in: min(Self.firstPing, self.keepAlive.interval) + .nanoseconds(extra))
    }

    private func schedulePing(in delay: TimeAmount) {
        let due = NIODeadline.now() + delay
        self.pingTimer = due
        self.loop.setTimer(.keepAlive, for: self.id, at: due)
    }

    /// The timer `keepAlive` went off.
    final func keepAliveTimerFired(deadline: NIODeadline) {
        guard self.pingTimer == deadline else { return }
        self.logger.debug("\(self.label) - \(self.pingTimerLabel) Ping Timer")
        self.cut.trim()
        switch self.keepAlive.timerFired(now: .now()) {
        case .wait: break
        case .sendPing: self.sendPing()
        case .stale:
            self.loop.totals.staleConnections += 1
            if self.isRoute { self.loop.totals.staleRoutes += 1 } else { self.loop.totals.staleLeafs += 1 }
            self.logger.debug("\(self.label) - Stale Client Connection - Closing")
            self.fail("Stale Connection", .staleConnection)
            return
        }
        self.schedulePing(in: self.keepAlive.interval)
    }

    /// Asks the peer whether it is there.
    final func sendPing() {
        guard self.phase == .open else { return }
        self.isAwaitingPong = true
        self.traceOut("PING")
        self.outlet.append("PING\r\n")
    }
}
