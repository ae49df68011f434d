import Logging
import NATSWire
import NIOCore
import NIOTLS

/// One client, from accept to close.
///
/// The handler carries out what ``ClientSession``, ``KeepAlive`` and ``ReadModerator`` decide, cuts the bytes it reads into
/// operations (`ClientConnection+operations.swift`), and hands messages to the outlets of whoever wants them
/// (`ClientConnection+publish.swift`). What others have for this client is written in `ClientConnection+writing.swift`,
/// and `ClientConnection+closing.swift` ends it all.
///
/// `@unchecked Sendable`: everything but the `let`s is only touched on the connection's event loop, and so is `outlet`.
final class ClientConnection: ServerConnection, ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What a producer pauses when a target has fallen behind (nats-server client.go stallClientMaxDuration).
    private static let stallTime: TimeAmount = .milliseconds(5)

    /// See ``pauseInput()``.
    private static let pauseTime: TimeAmount = .milliseconds(2)

    /// What the account allowed when the connection came to it.
    var accountLimits = AccountOptions.Limits()
    var isInAccount = false
    /// Which of the account's imported streams the subscriptions know.
    var streamsVersion = 0
    /// Subscriptions that the connection may have; any number if negative.
    var maxSubscriptions: Int
    var session: ClientSession
    var keepAlive: KeepAlive
    var parser: ClientOperationParser
    var subscriptions: [[UInt8]: Subscription] = [:]
    /// What the client may answer besides what it may publish (`allow_responses`).
    var replies: ReplyPermissions?
    /// When the user has to go.
    var userExpiry: NIODeadline?
    /// What this connection waits for: a bcrypt hash, its account, or the answer of an authorization service.
    var pendingCheck: (any PendingCheck)?
    /// Why an authorization service's answer, if any, let nobody in.
    var calloutFailure: String?
    /// When the keep-alive is to be looked at next, and the earliest timer that is set.
    private var pingDue: NIODeadline
    private var pingTimer: NIODeadline?
    private(set) var address = ""
    private(set) var remoteIP = ""
    private(set) var remotePort = 0
    /// How often the connection was paused for a subscriber that had fallen behind.
    private(set) var stalls = 0
    /// What makes frames of what is written, and takes them off what is read; `nil` on a plain socket.
    let webSocket: WebSocketHandler?
    /// Whether the client is in the same process (``Server/connectInProcess(on:)``).
    let isInProcess: Bool
    /// How the connection comes to be secured, if at all.
    var negotiation = TLSNegotiation(rules: nil)
    var negotiationDeadline: NIODeadline?
    /// What the server had when the client connected; a reload does not change it.
    private(set) var tlsRules: TLSContext?
    /// Set from the beginning of a handshake.
    var security: ConnectionSecurity? {
        didSet { self.isEncrypted = self.security != nil }
    }
    /// Whether the server knows of this connection.
    var isCounted = false
    private var logSuffix = ""
    private var isNamed = false

    /// The beginning of an operation that the last read cut off; never more than that one operation.
    var cut = CutOperation()

    private var moderator = ReadModerator()
    private var bytesThisCycle = 0
    var shouldStall = false
    private var readIsDelayed = false

    /// An UNSUB may not have reached batches that other loops are delivering.
    var needsBarrier = false
    /// Input that waits until they have.
    var heldInput: ByteBuffer?
    /// While held input is handled: how many bytes of its end have to wait again.
    private var heldAgain: Int?
    /// The client shut its side down while its input was held.
    private var inputEnded = false

    /// - Parameters:
    ///   - id: The client id.
    ///   - loop: Where it lives.
    ///   - webSocket: The handler in front of it, of a WebSocket connection.
    ///   - security: What a WebSocket connection came by.
    ///   - isInProcess: Whether the client is in the same process.
    init(
        id: UInt64,
        loop: ServerLoop,
        webSocket: WebSocketHandler? = nil,
        security: ConnectionSecurity? = nil,
        isInProcess: Bool = false
    ) {
        let now = NIODeadline.now()
        let options = loop.shared.options
        let settings = loop.settings
        self.webSocket = webSocket
        self.isInProcess = isInProcess
        self.security = security
        self.maxSubscriptions = settings.maxSubscriptions > 0 ? settings.maxSubscriptions : -1
        self.session = ClientSession(
            authenticator: loop.shared.authenticator,
            serverSupportsHeaders: !options.noHeaderSupport
        )
        self.keepAlive = KeepAlive(
            interval: webSocket?.pingInterval(settings) ?? settings.pingInterval,
            pingsOutMax: settings.pingsOutMax,
            now: now
        )
        self.parser = ClientOperationParser(maxControlLine: settings.maxControlLine, maxPayload: settings.maxPayload)
        self.pingDue = now
        super.init(id: id, loop: loop, kind: .client)
        self.isEncrypted = security != nil
        if webSocket != nil { self.writesDirectly = false }
    }

    /// What a client with an nkey has to sign (nats-server nkey.go generateNonce).
    private static func makeNonce() -> String {
        var generator = SystemRandomNumberGenerator()
        return Base64.encodeURLSafe((0..<11).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }

    /// nats-server reload.go: what exists keeps its other limits.
    override func settingsChanged() {
        let settings = self.settings
        self.parser.maxControlLine = settings.maxControlLine
        self.applyLimits()
        self.keepAlive.interval = self.webSocket?.pingInterval(settings) ?? settings.pingInterval
        self.keepAlive.pingsOutMax = settings.pingsOutMax
    }

    override var label: String {
        "\(self.address) - \(self.webSocket == nil ? "cid" : "wid"):\(self.id)\(self.logSuffix)"
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { self.start(context) }
    }

    func channelActive(context: ChannelHandlerContext) { self.start(context) }

    private func start(_ context: ChannelHandlerContext) {
        guard self.address.isEmpty else { return }
        let peer = context.remoteAddress
        self.remoteIP = peer?.ipAddress ?? ""
        self.remotePort = peer?.port ?? 0
        // Go's name for an end of net.Pipe.
        let name = self.isInProcess ? "pipe" : peer.map(Self.describe) ?? ":0"
        self.address = (self.webSocket?.addressPrefix ?? "") + name
        self.loop.add(self)
        self.logger.debug("\(self.label) - Client connection created")
        self.isCounted = true
        self.isInAccount = self.account.enter()
        let hasRoom = self.shared.connectionOpened()
        // Only now, so that a reload either is known here or finds the connection.
        let authenticator = self.webSocket.authenticator(self.shared.authenticator)
        let options = self.shared.options
        self.session = ClientSession(
            authenticator: authenticator,
            nonce: authenticator.sendsNonce ? Self.makeNonce() : "",
            serverSupportsHeaders: !options.noHeaderSupport
        )
        self.session.host = self.remoteIP
        self.session.isInProcess = self.isInProcess
        self.tlsRules = self.shared.tls
        self.negotiation = TLSNegotiation(self.tlsRules?.options, isInProcess: self.isInProcess)
        if let webSocket = self.webSocket {
            self.session.cookies = webSocket.agreement.cookies
            self.tlsRules = self.security?.rules
            self.negotiation = TLSNegotiation(isSecured: self.security != nil)
            guard self.takeOverSecurity() else { return self.close(.tlsHandshakeFailure) }
        }
        let action = self.negotiation.connected()
        let isRefused = !hasRoom || options.maxSubscriptions < -1
        // Nobody is refused by TLS: that would take a handshake first.
        if action == .sendInfoInClear || action == .sendInfoThenNegotiate && isRefused {
            self.outlet.append(self.firstInfo())
        }
        guard hasRoom else { return self.maxConnectionsExceeded() }
        // Below -1 nobody is within the limit (nats-server client.go applyAccountLimits); -1 is no limit.
        if options.maxSubscriptions < -1 {
            self.subscriptionLimitExceeded()
            self.close(.maxSubscriptionsExceeded)
            return
        }
        self.negotiate(action)
    }

    /// From now on the client may speak.
    func begin() {
        // A certificate may say who it is; if one has to, no one is nobody.
        if self.tlsRules?.options.verifyAndMap == true {
            self.session.certificateLookup = CertificateLookup(certificate: self.security?.certificate)
        }
        if self.session.awaitsConnect {
            // A handshake has a time of its own.
            let start = self.security == nil ? self.accepted : .now()
            self.loop.setTimer(.authentication, for: self.id, at: start + self.session.authenticationTimeout)
        }
        var generator = self.loop.random
        self.schedulePing(in: self.keepAlive.firstDelay(afterConnect: false, using: &generator))
        self.loop.random = generator
        self.context?.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.phase == .open else { return }
        var buffer = self.unwrapInboundIn(data)
        guard self.negotiation.isSettled else {
            self.receivedWhileNegotiating(buffer, context)
            return
        }
        self.bytesThisCycle += buffer.readableBytes
        if self.heldInput?.writeBuffer(&buffer) != nil { return }
        buffer.withUnsafeReadableBytes { self.received($0) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard self.phase == .open else { return }
        let bytes = self.bytesThisCycle
        self.bytesThisCycle = 0
        guard self.heldInput == nil else { return }
        if self.shouldStall {
            self.shouldStall = false
            self.stalls += 1
            self.loop.totals.stalls += 1
            let time = "\(Self.stallTime.nanoseconds / 1_000_000)ms"
            self.logger.debug("\(self.label) - Timed out of fast producer stall (\(time))")
            self.logRateLimited(.warning, "Producer was stalled for a total of \(time)")
            self.read(after: Self.stallTime)
            return
        }
        guard self.settings.readModeration,
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
            if self.heldInput == nil { self.close(.clientClosed) } else { self.inputEnded = true }
        } else if let event = event as? TLSUserEvent, case .handshakeCompleted = event {
            self.handshakeCompleted()
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !self.securityFailed(error) else { return }
        self.close(self.phase == .open ? .readError : self.closedReason ?? .readError)
        self.closeChannel(saysGoodbye: false)
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

    // MARK: What all connections have

    override var mayWrite: Bool { self.security == nil || self.negotiation.isSecured }

    override func close(_ reason: ClosedReason) { self.closeClient(reason) }

    override func request(
        _ service: ServiceImport,
        _ subject: [UInt8],
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<ClientOperation>,
        _ batch: inout PublishBatch
    ) -> Bool { self.requestService(service, subject, base, operation, &batch) }

    override func describe(isDetailed: Bool, service: String, namesServer: Bool?) -> [UInt8] {
        self.clientInfo(isDetailed: isDetailed, service: service, namesServer: namesServer)
    }

    override var roundTripNanoseconds: Int64 { self.keepAlive.roundTripTime?.nanoseconds ?? 0 }

    override var internalSender: InternalSender? {
        guard !self.isInternal else { return nil }
        return InternalSender(id: self.id, account: self.account.name, user: self.session.shownUser)
    }

    // MARK: Held input

    /// Handles no more input until every other loop has finished the batch that it is delivering and handed its output
    /// over; then calls `resume`.
    ///
    /// What the PONG after an UNSUB promises, that nothing more will come, needs this when there are several loops.
    func holdInput(resume: @escaping @Sendable (ClientConnection) -> Void) {
        self.needsBarrier = false
        self.suspendInput()
        self.loop.afterOthersFlushed {
            guard self.phase == .open, self.heldInput != nil else { return }
            resume(self)
            self.resumeInput()
        }
    }

    /// Handles no more input, and reads none beyond what is on its way, until ``resumeInput()``.
    func suspendInput() { self.heldInput = ByteBuffer() }

    override func pauseInput() {
        guard self.heldInput == nil, self.phase == .open else { return }
        self.suspendInput()
        self.loop.eventLoop.scheduleTask(in: Self.pauseTime) { self.resumeInput() }
    }

    /// Handles what came meanwhile, and goes on.
    func resumeInput() {
        guard self.phase == .open, var held = self.heldInput else { return }
        guard self.heldAgain == nil else {
            // By what is being handled; the rest of that comes first.
            self.loop.eventLoop.execute { self.resumeInput() }
            return
        }
        self.heldInput = nil
        self.heldAgain = 0
        held.withUnsafeReadableBytes { self.received($0) }
        let rest = self.heldAgain ?? 0
        self.heldAgain = nil
        guard self.phase == .open else { return }
        if self.heldInput != nil {
            // What it pauses at the next operation is not copied each time.
            held.moveReaderIndex(to: held.writerIndex - rest)
            self.heldInput = held
            return
        }
        if self.inputEnded { self.close(.clientClosed) } else { self.context?.read() }
    }

    /// Keeps the end of what was received for later.
    func hold(_ bytes: UnsafeRawBufferPointer) {
        guard self.heldAgain == nil else {
            self.heldAgain = bytes.count
            return
        }
        self.heldInput?.writeBytes(bytes)
    }

    // MARK: Timers

    private func authenticationTimedOut() {
        // A service, and whoever knows accounts, has a time of its own.
        guard self.phase == .open, self.session.awaitsConnect, !self.session.isLookingUpAccount,
            !(self.pendingCheck is CalloutTicket), !(self.pendingCheck is AccountLookUp)
        else { return }
        self.sendError("Authentication Timeout")
        self.logRateLimited(.debug, "Authentication Timeout")
        self.close(.authenticationTimeout)
    }

    /// Sets the keep-alive's next look.
    ///
    /// A timer that is set earlier is left alone: it finds that nothing is due and sets the next one.
    private func schedulePing(in delay: TimeAmount) {
        guard self.keepAlive.interval > .zero else { return }
        self.pingDue = .now() + delay
        guard self.pingTimer.map({ $0 > self.pingDue }) ?? true else { return }
        self.pingTimer = self.pingDue
        self.loop.setTimer(.keepAlive, for: self.id, at: self.pingDue)
    }

    override func timerFired(_ kind: LoopTimers.Kind, deadline: NIODeadline) {
        guard self.phase == .open else { return }
        switch kind {
        case .authentication:
            self.authenticationTimedOut()
        case .negotiation:
            self.negotiationTimedOut(deadline)
        case .userExpiry:
            self.userExpired(deadline)
        case .keepAlive:
            if self.pingTimer == deadline { self.pingTimer = nil }
            if self.pingDue <= .now() {
                self.pingTimerFired()
            } else if self.pingTimer == nil {
                self.pingTimer = self.pingDue
                self.loop.setTimer(.keepAlive, for: self.id, at: self.pingDue)
            }
        }
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

    /// Messages or subscription changes arrived.
    func noteActivity(now: NIODeadline) {
        self.keepAlive.activity(now: now)
        self.lastActivity = now
    }

    /// A CONNECT was accepted.
    func connectAccepted() {
        let now = NIODeadline.now()
        self.keepAlive.connectReceived(accepted: self.accepted, now: now)
        self.lastActivity = now
        // Later ones do not change the name (nats-server client.go processConnect).
        if !self.isNamed {
            self.isNamed = true
            self.logSuffix = self.session.logSuffix
        }
        var generator = self.loop.random
        self.schedulePing(in: self.keepAlive.firstDelay(afterConnect: true, using: &generator))
        self.loop.random = generator
    }
}
