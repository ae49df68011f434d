import Logging
import NATSText
import NATSWire
import NIOCore

/// One connection to another server of the cluster, accepted or dialled.
///
/// What it is for, and whether it stays, is decided by the ``RouteBook`` of the ``RouteService``; this handler reads and writes.
/// What the peer wants becomes ``RemoteInterest`` in the accounts, what it sends goes to subscribers here, and to leaf nodes
/// (`RouteConnection+messages.swift`); what it is told of subscribers here comes from ``InterestWatcher``s, always before the
/// messages that others have staged (`RouteConnection+interest.swift`).
final class RouteConnection: PeerConnection, @unchecked Sendable {
    /// Routes are looked at this often at least (nats-server route.go routeMaxPingInterval).
    private static let longestPingInterval: TimeAmount = .seconds(30)
    /// What a peer may send in one message at least: its clients may have another limit than ours.
    private static let leastMaxPayload = 64 << 20

    let service: RouteService
    /// Whether the peer is one of the configuration, or belongs to such a one.
    private(set) var isConfigured = false
    /// What the peer said in its first INFO.
    var peer: RouteInfo?
    /// What it takes from this server and gives to it, as it has said last; everything if `nil`.
    var peerPermissions: (imports: PermissionOptions.Subjects?, exports: PermissionOptions.Subjects?)
    /// What the peer said in its CONNECT, if it dialled.
    var greeting: RouteConnect?
    /// The link of the cluster that it carries; set once, before anything of it is seen by other loops.
    private(set) var link: RouteLink?
    private var isForOneAccount = false
    /// The name of the account that it carries, if it carries one only.
    private(set) var dedicatedAccount: [UInt8]?
    /// What the peer may ask for and be told of; everything if `nil`.
    let permissions: ClientPermissions?
    /// What the peer wants, by account.
    var interest: [[UInt8]: PeerInterest] = [:]
    /// Views of accounts that the peer has named.
    var routedAccounts = RoutedAccounts()

    /// - Parameters:
    ///   - id: The route id.
    ///   - loop: Where it lives.
    ///   - service: Whose it is.
    ///   - dialledHost: The name or address that this server has dialled; `nil` if it was the other one that did.
    init(id: UInt64, loop: ServerLoop, service: RouteService, dialledHost: String?) {
        self.service = service
        self.permissions = service.permissions
        let settings = loop.settings
        let options = service.options
        let interval = options.pingInterval.map { TimeAmount($0) } ?? settings.pingInterval
        super.init(
            id: id,
            loop: loop,
            kind: .route,
            dialledHost: dialledHost,
            // Nobody sends messages before he has said who he is.
            parser: RouteOperationParser(maxControlLine: max(65_536, settings.maxControlLine * 16), maxPayload: 0),
            keepAlive: KeepAlive(
                interval: min(interval, Self.longestPingInterval),
                pingsOutMax: options.pingMax ?? settings.pingsOutMax,
                now: .now()
            )
        )
    }

    override var label: String { "\(self.address) - rid:\(self.id)" }

    override var pingTimerLabel: String { "Router" }

    override var isDedicated: Bool { self.isForOneAccount }

    override func started(_ context: ChannelHandlerContext) {
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

    override func received(_ bytes: UnsafeRawBufferPointer) { self.read(bytes) }

    override func handshakeCompleted() { self.routeHandshakeCompleted() }

    override func handshakeFailed(_ cause: String) { self.routeHandshakeFailed(cause) }

    override func willEnd(_ reason: ClosedReason) {
        self.dropInterest()
        let remote = self.peerName.isEmpty ? "" : " - Remote: \(GoString.harmless(self.peerName.utf8))"
        self.logger.info("\(self.label) - Router connection closed: \(reason.rawValue)\(remote)")
        self.service.closed(self)
    }

    /// nats-server client.go queueOutbound: a route is never given up for what it has not taken.
    override var pendingLimit: Int { self.link == nil ? self.backlog.maximum : .max }

    override func settingsChanged() {
        let options = self.service.options
        let interval = options.pingInterval.map { TimeAmount($0) } ?? self.settings.pingInterval
        self.keepAlive.interval = min(interval, Self.longestPingInterval)
        self.keepAlive.pingsOutMax = options.pingMax ?? self.settings.pingsOutMax
    }

    override func mayReceive(_ subject: UnsafeBufferPointer<UInt8>) -> Bool {
        !(self.permissions?.denies(subject, queue: []) ?? false)
    }

    /// Not the server that the message is from, and none that has other subscribers to the subject: they would get it twice.
    override func chooseAnother(for group: MatchResult.Group, _ result: MatchResult.Pointer) -> Bool {
        result.pointee.chooseShare(of: group) { peer in
            guard !peer.pointee.isPlain,
                let route = peer.pointee.owner.takeUnretainedValue().connection as? RouteConnection
            else { return false }
            return route.peer?.serverID != self.peer?.serverID
        } _: { members in
            self.loop.random.next(below: members)
        }
    }

    override func append(_ update: InterestLedger.Update, of account: [UInt8], to lines: inout [UInt8]) {
        // What this server does not import no peer need send.
        let isImported = self.permissions.map { update.subject.withUnsafeBufferPointer($0.allowsPublish) } ?? true
        guard isImported else { return }
        if update.weight > 0 {
            RouteFrame.appendInterest(
                account: account,
                subject: update.subject,
                queue: update.queue,
                weight: update.weight,
                to: &lines
            )
        } else {
            RouteFrame.appendNoInterest(account: account, subject: update.subject, queue: update.queue, to: &lines)
        }
    }

    // MARK: Handshake

    /// The peer has said who it is.
    func introduced(_ info: RouteInfo) {
        self.peer = info
        self.peerPermissions = (info.importPermissions, info.exportPermissions)
        self.peerName = info.serverName
        self.parser.maxPayload = max(Self.leastMaxPayload, self.settings.maxPayload)
        if !self.isSolicited, !info.account.isEmpty { self.dedicate(to: info.account) }
    }

    /// The server that dialled has said that the connection is for one account: neither side names it any more.
    func dedicate(to account: String) {
        self.isForOneAccount = true
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
        self.scheduleFirstPing()
    }

    // MARK: Timers

    override func timerFired(_ kind: LoopTimers.Kind, deadline: NIODeadline) {
        guard self.phase == .open else { return }
        switch kind {
        case .authentication:
            guard self.greeting == nil, self.pendingCheck == nil else { return }
            self.fail("Authentication Timeout", .authenticationTimeout)
        case .keepAlive:
            self.keepAliveTimerFired(deadline: deadline)
        case .negotiation:
            self.handshakeTimedOut()
        case .userExpiry:
            break
        }
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
