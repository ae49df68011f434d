import Logging
import NATSText
import NATSWire
import NIOConcurrencyHelpers
import NIOCore
import NIOTLS

/// One connection to another server of the cluster, accepted or dialled.
///
/// What it is for, and whether it stays, is decided by the ``RouteBook`` of the ``RouteService``; this handler reads and writes.
/// What the peer wants becomes ``RemoteInterest`` in the accounts, what it sends goes to subscribers here and no further
/// (`RouteConnection+messages.swift`); what it is told of subscribers here comes from ``InterestWatcher``s, always before the
/// messages that others have staged (`RouteConnection+interest.swift`).
final class RouteConnection: ServerConnection, ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The first PING comes after a second, or a fifth more (nats-server client.go setFirstPingTimer).
    private static let firstPing: TimeAmount = .seconds(1)
    /// Routes are looked at this often at least (nats-server route.go routeMaxPingInterval).
    private static let longestPingInterval: TimeAmount = .seconds(30)
    /// What a peer may send in one message at least: its clients may have another limit than ours.
    private static let leastMaxPayload = 64 << 20

    let service: RouteService
    /// Whether this server dialled.
    let isSolicited: Bool
    /// The name or address that was dialled.
    let dialledHost: String
    /// Whether the TLS handshake is over, if there is one.
    var isSecured = false
    /// Whether the peer is one of the configuration, or belongs to such a one.
    private(set) var isConfigured = false
    var parser: RouteOperationParser
    /// What the peer said in its first INFO.
    var peer: RouteInfo?
    /// What the peer said in its CONNECT, if it dialled.
    var greeting: RouteConnect?
    /// The link of the cluster that it carries; set once, before anything of it is seen by other loops.
    private(set) var link: RouteLink?
    /// Whether it carries one account only, which is not named then.
    private(set) var isDedicated = false
    /// The name of that account.
    private(set) var dedicatedAccount: [UInt8]?
    private(set) var understandsHeaders = false
    /// What the peer may ask for and be told of; everything if `nil`.
    let permissions: ClientPermissions?
    var keepAlive: KeepAlive
    private(set) var address = ""
    private(set) var remoteIP = ""
    private(set) var remotePort = 0
    /// The name of the peer, behind the reason of the end in the log.
    var peerName = ""

    /// The beginning of an operation that the last read cut off.
    var cut = CutOperation()
    /// Input that waits for a password check.
    var heldInput: ByteBuffer?
    var pendingCheck: (any PendingCheck)?
    /// What the peer wants, by account.
    var interest: [[UInt8]: PeerInterest] = [:]
    /// Accounts whose interest the peer is told of.
    var watchers: [ObjectIdentifier: InterestWatcher] = [:]
    /// Watchers that have something to tell.
    let pendingInterest = NIOLockedValueBox<[InterestWatcher]>([])
    var isAnnouncing = false
    /// The peer takes nothing at the moment; what there is to tell is looked at again later.
    var announcesLater = false
    /// Views of accounts that the peer has named.
    var routedAccounts = RoutedAccounts()
    /// Where a message is put together whose queue groups stand between reply subject and sizes.
    var respelled: [UInt8] = []
    private var pingTimer: NIODeadline?
    /// A PING has not been answered.
    var isAwaitingPong = false

    /// - Parameters:
    ///   - id: The route id.
    ///   - loop: Where it lives.
    ///   - service: Whose it is.
    ///   - dialledHost: The name or address that this server has dialled; `nil` if it was the other one that did.
    init(id: UInt64, loop: ServerLoop, service: RouteService, dialledHost: String?) {
        self.service = service
        self.isSolicited = dialledHost != nil
        self.dialledHost = dialledHost ?? ""
        self.permissions = service.permissions
        let settings = loop.settings
        // Nobody sends messages before he has said who he is.
        self.parser = RouteOperationParser(maxControlLine: max(65_536, settings.maxControlLine * 16), maxPayload: 0)
        let options = service.options
        let interval = options.pingInterval.map { TimeAmount($0) } ?? settings.pingInterval
        self.keepAlive = KeepAlive(
            interval: min(interval, Self.longestPingInterval),
            pingsOutMax: options.pingMax ?? settings.pingsOutMax,
            now: .now()
        )
        super.init(id: id, loop: loop, isRoute: true)
    }

    override var label: String { "\(self.address) - rid:\(self.id)" }

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
        self.address = peer.map(ClientConnection.describe) ?? ":0"
        self.loop.add(self)
        self.logger.info("\(self.label) - Route connection created")
        if let tls = self.service.tls {
            self.startHandshake(context, tls)
            context.read()
        } else {
            self.begin()
        }
    }

    /// From now on both sides may speak.
    func begin() {
        if self.isSolicited {
            self.service.dialled(self)
        } else {
            // Without credentials the book's limit holds; an official server has none then.
            let options = self.service.options
            if !options.user.isEmpty {
                self.loop.setTimer(.authentication, for: self.id, at: .now() + TimeAmount(options.timeout))
            }
            self.service.accepted(self)
        }
        self.context?.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.phase == .open else { return }
        var buffer = self.unwrapInboundIn(data)
        if self.heldInput?.writeBuffer(&buffer) != nil { return }
        buffer.withUnsafeReadableBytes { self.received($0) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard self.phase == .open, self.heldInput == nil else { return }
        context.read()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            self.close(.clientClosed)
        } else if let event = event as? TLSUserEvent, case .handshakeCompleted = event {
            self.handshakeCompleted()
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if self.isEncrypted, !self.isSecured { self.handshakeFailed(TLSHandshakeFailure(error).text) }
        self.close(.readError)
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

    // MARK: What all connections have

    override var mayWrite: Bool { !self.isEncrypted || self.isSecured }

    override func close(_ reason: ClosedReason) { self.closeRoute(reason) }

    override func willWrite(_ context: ChannelHandlerContext) {
        guard !self.watchers.isEmpty else { return }
        self.announceInterest(context, isWhole: true)
    }

    /// nats-server client.go queueOutbound: a route is never given up for what it has not taken.
    override var pendingLimit: Int { self.link == nil ? self.backlog.maximum : .max }

    override func settingsChanged() {
        let options = self.service.options
        let interval = options.pingInterval.map { TimeAmount($0) } ?? self.settings.pingInterval
        self.keepAlive.interval = min(interval, Self.longestPingInterval)
        self.keepAlive.pingsOutMax = options.pingMax ?? self.settings.pingsOutMax
    }

    // MARK: Handshake

    /// The peer has said who it is.
    func introduced(_ info: RouteInfo) {
        self.peer = info
        self.peerName = info.serverName
        self.parser.maxPayload = max(Self.leastMaxPayload, self.settings.maxPayload)
        if !self.isSolicited, !info.account.isEmpty { self.dedicate(to: info.account) }
    }

    /// The server that dialled has said that the connection is for one account: neither side names it any more.
    func dedicate(to account: String) {
        self.isDedicated = true
        self.dedicatedAccount = Array(account.utf8)
        self.parser.hasAccountField = false
    }

    /// The connection carries a link from now on.
    ///
    /// - Parameters:
    ///   - link: Which.
    ///   - isConfigured: Whether the peer is one of the configuration.
    ///   - accounts: Whose interest it carries. The peer is told of it before it gets messages: who asks it something
    ///     has subscribed to the answer.
    func register(_ link: RouteLink, isConfigured: Bool, for accounts: [Account]) {
        guard self.phase == .open, self.link == nil else { return }
        self.link = link
        self.isConfigured = isConfigured
        self.understandsHeaders = self.greeting?.headers ?? self.peer?.headers ?? false
        for account in accounts { self.watch(account) }
        self.insertInterest()
        var generator = self.loop.random
        let extra = Int64.random(in: 0...Self.firstPing.nanoseconds / 5, using: &generator)
        self.loop.random = generator
        self.schedulePing(in: min(Self.firstPing, self.keepAlive.interval) + .nanoseconds(extra))
    }

    // MARK: Timers

    override func timerFired(_ kind: LoopTimers.Kind, deadline: NIODeadline) {
        guard self.phase == .open else { return }
        switch kind {
        case .authentication:
            guard self.greeting == nil, self.pendingCheck == nil else { return }
            self.fail("Authentication Timeout", .authenticationTimeout)
        case .keepAlive:
            guard self.pingTimer == deadline else { return }
            self.pingTimerFired()
        case .negotiation:
            self.handshakeTimedOut()
        case .userExpiry:
            break
        }
    }

    private func schedulePing(in delay: TimeAmount) {
        let due = NIODeadline.now() + delay
        self.pingTimer = due
        self.loop.setTimer(.keepAlive, for: self.id, at: due)
    }

    private func pingTimerFired() {
        self.logger.debug("\(self.label) - Router Ping Timer")
        self.cut.trim()
        switch self.keepAlive.timerFired(now: .now()) {
        case .wait: break
        case .sendPing: self.sendPingNow()
        case .stale:
            self.loop.totals.staleConnections += 1
            self.loop.totals.staleRoutes += 1
            self.logger.debug("\(self.label) - Stale Client Connection - Closing")
            self.fail("Stale Connection", .staleConnection)
            return
        }
        self.schedulePing(in: self.keepAlive.interval)
    }

    private func sendPingNow() {
        self.isAwaitingPong = true
        self.traceOut("PING")
        self.outlet.append("PING\r\n")
    }

    /// Asks the peer whether it is there, out of turn.
    func sendPing() {
        guard self.phase == .open else { return }
        self.sendPingNow()
    }
}

/// What a peer wants of one account.
struct PeerInterest {
    /// `nil` if there is no such account here, or not yet.
    var account: Account?
    var wanted: [InterestKey: RemoteInterest] = [:]
}

/// A subject, or a queue group of it, as a key.
struct InterestKey: Hashable {
    let subject: [UInt8]
    let queue: [UInt8]
}
