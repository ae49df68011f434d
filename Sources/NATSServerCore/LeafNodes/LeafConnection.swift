import Logging
import NATSText
import NATSWire
import NIOConcurrencyHelpers
import NIOCore
import NIOSSL

/// One connection of a leaf node, on either side.
///
/// Carries one account. What the peer wants becomes ``RemoteInterest`` in it, what it sends goes to whoever wants it, but for
/// the peer itself (`LeafConnection+messages.swift`); what it is told is a ``LeafInterest``. Who may come in, and whom a
/// connection takes the place of, is for the ``LeafService`` to say.
final class LeafConnection: PeerConnection, @unchecked Sendable {
    /// How far the two have come.
    enum Stage {
        /// Nothing has been said; of an accepted connection INFO is out.
        case greeting
        /// CONNECT is out, or has been accepted; input waits.
        case joining
        case ready
    }

    /// nats-server leafnode.go leafNodeReconnectDelayAfterLoopDetected, leafNodeReconnectDelayAfterClusterNameSame,
    /// leafNodeReconnectAfterPermViolation.
    static let longDelay: TimeAmount = .seconds(30)
    /// nats-server leafnode.go leafNodeMinVersionReconnectDelay.
    static let versionDelay: TimeAmount = .seconds(5)
    /// How long nothing is read while the server itself has too many requests to answer.
    private static let pauseTime: TimeAmount = .milliseconds(2)
    /// nats-server leafnode.go connectProcessTimeout.
    private static let joiningTime: TimeAmount = .seconds(2)
    /// What a peer may send in one message at least: its clients may have another limit than ours.
    private static let leastMaxPayload = 64 << 20

    let service: LeafService
    /// The hub that was dialled, by its place in the configuration.
    let remote: LeafDial?
    var stage = Stage.greeting
    /// Whether the peer is the hub.
    private(set) var isHub: Bool
    /// What the peer has to sign, or has given to be signed.
    var nonce = ""
    /// What the peer said in its CONNECT, if it dialled; without secrets.
    var greeting: LeafConnect?
    /// What may pass; read on any thread, by whoever looks for what the peer wants.
    var permissions: LeafPermissions? {
        get { self.currentPermissions.withLockedValue { $0 } }
        set {
            self.currentPermissions.withLockedValue { $0 = newValue }
            self.renewIncomingTag()
        }
    }
    private let currentPermissions = NIOLockedValueBox<LeafPermissions?>(nil)
    /// Under what match results remember whether a message may come from the peer; 0 if every message may.
    private(set) var incomingTag: UInt64 = 0
    private var permissionsVersion: UInt64 = 0
    /// Who the leaf node is, if a JWT says so.
    var user: JWTUser?
    /// Whether the `leafnodes` block says to which account the leaf node comes, and not the users of the server: then it is not
    /// told that the account is full (nats-server auth.go registerLeafWithAccount).
    var isOfBlock = false
    /// What the hub has said last that may pass.
    var toldPermissions: PermissionOptions?
    /// What the leaf node's user may do.
    var userPermissions: PermissionOptions?
    /// The name of the peer's account.
    var remoteAccount = ""
    var isIsolated: Bool
    /// What the peer wants.
    var wanted: [InterestKey: RemoteInterest] = [:]
    /// The same in other accounts, as far as the account imports it.
    var shadows: [InterestKey: [RemoteInterest]] = [:]
    /// Which of the account's imported streams ``shadows`` know.
    var streamsVersion = 0
    /// Whether the account counts it.
    var isInAccount = false
    /// Whether the service counts it.
    var isRegistered = false
    /// How much longer than usual to wait before the hub is dialled again.
    var redialDelay = TimeAmount.zero
    /// Whether CONNECT is out: an answer before that answers nothing.
    var hasSentConnect = false
    /// Whether the hub answers CONNECT.
    var answersConnect = true
    /// What `/leafz` shows of compression.
    var compression = "off"
    private var timeout: NIODeadline?
    private let maxSubscriptions: Int

    /// - Parameters:
    ///   - id: The leaf node id.
    ///   - loop: Where it lives.
    ///   - service: Whose it is.
    ///   - remote: What this server has dialled; `nil` if it was the other one that did.
    init(id: UInt64, loop: ServerLoop, service: LeafService, remote: LeafDial?) {
        self.service = service
        self.remote = remote
        self.isHub = remote.map { !$0.options.isHub } ?? false
        self.isIsolated = service.options.isIsolated || remote?.options.isIsolated == true
        let settings = loop.settings
        self.maxSubscriptions = settings.maxSubscriptions
        super.init(
            id: id,
            loop: loop,
            kind: .leaf,
            dialledHost: remote?.url.address.host,
            // Nobody sends messages before he has said who he is.
            parser: RouteOperationParser(
                // Half of what routes take: what comes from here goes there with an account, and on one line.
                maxControlLine: max(32_768, settings.maxControlLine * 8),
                maxPayload: 0,
                isLeafNode: true
            ),
            keepAlive: KeepAlive(interval: settings.pingInterval, pingsOutMax: settings.pingsOutMax, now: .now())
        )
    }

    override var label: String { "\(self.address) - lid:\(self.id)" }

    override var pingTimerLabel: String { "Leafnode" }

    override var peerKind: PeerTarget.Kinds { self.isHub ? .hub : .leafNode }

    /// nats-server client.go queueOutbound: another server is never given up for what it has not taken.
    override var pendingLimit: Int { self.stage == .ready ? .max : self.backlog.maximum }

    override var roundTripNanoseconds: Int64 { self.keepAlive.roundTripTime?.nanoseconds ?? 0 }

    // MARK: Start

    override func started(_ context: ChannelHandlerContext) {
        let account = self.remote.map { " for account: \(GoString.harmless($0.options.account.utf8))" } ?? ""
        self.logger.info("\(self.label) - Leafnode connection created\(account) ")
        if self.isSolicited { self.startDialled(context) } else { self.startAccepted(context) }
    }

    override func received(_ bytes: UnsafeRawBufferPointer) { self.read(bytes) }

    override func handshakeCompleted() { self.leafHandshakeCompleted() }

    override func handshakeFailed(_ cause: String) { self.leafHandshakeFailed(cause) }

    override func settingsChanged() {
        self.keepAlive.interval = self.settings.pingInterval
        self.keepAlive.pingsOutMax = self.settings.pingsOutMax
    }

    override func pauseInput() {
        guard self.heldInput == nil, self.phase == .open else { return }
        self.heldInput = ByteBuffer()
        self.loop.eventLoop.scheduleTask(in: Self.pauseTime) { self.resumeInput() }
    }

    override func mayReceive(_ subject: UnsafeBufferPointer<UInt8>) -> Bool {
        self.permissions?.allowsSending(subject) ?? true
    }

    override func append(_ update: InterestLedger.Update, of account: [UInt8], to lines: inout [UInt8]) {
        let none: [UInt8] = []
        if update.weight > 0 {
            RouteFrame.appendInterest(
                account: none,
                subject: update.subject,
                queue: update.queue,
                weight: update.weight,
                isLeafNode: true,
                to: &lines
            )
        } else {
            RouteFrame.appendNoInterest(
                account: none,
                subject: update.subject,
                queue: update.queue,
                isLeafNode: true,
                to: &lines
            )
        }
    }

    override func request(
        _ service: ServiceImport,
        _ subject: [UInt8],
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<ClientOperation>,
        _ batch: inout PublishBatch
    ) -> Bool { self.requestService(service, subject, base, operation, &batch) }

    override func describe(isDetailed: Bool, service: String, namesServer: Bool?) -> [UInt8] {
        self.leafInfo(isDetailed: isDetailed, service: service, namesServer: namesServer)
    }

    /// Different for all that is ever allowed to any leaf node, and from those of clients.
    private func renewIncomingTag() {
        self.permissionsVersion += 1
        let isRestricted = self.permissions?.restrictsReceiving ?? false
        self.incomingTag = isRestricted ? (1 << 57) + (self.id << 8) + (self.permissionsVersion & 0xff) : 0
    }

    /// The peer dialled and says that it is the hub.
    func peerIsHub() { self.isHub = true }

    // MARK: Membership

    /// The account is known: from now on its messages go both ways, once the service has made room.
    func join(_ account: Account) {
        guard self.phase == .open, !self.isInAccount else { return }
        self.stage = .joining
        if self.heldInput == nil { self.heldInput = ByteBuffer() }
        self.account = account
        self.router = self.loop.router(for: account)
        self.audience = self.isHub ? [.leafNode, .hub] : .all
        self.streamsVersion = account.currentStreamsVersion
        guard account.enterAsLeafNode() else {
            return self.isOfBlock ? self.refuseCredentials() : self.accountIsTooFull()
        }
        self.isInAccount = true
        self.tellAccount()
        self.service.register(self)
    }

    /// The service has made room.
    func registered() {
        guard self.phase == .open, self.stage == .joining else { return }
        self.stage = .ready
        self.timeout = nil
        self.parser.maxPayload = max(Self.leastMaxPayload, self.settings.maxPayload)
        self.announceJetStream()
        if !self.isSolicited { self.outlet.append(self.service.makeInfo(for: self, isAnswer: true).encode()) }
        let interest = LeafInterest(
            LeafAudience(isHub: self.isHub, cluster: self.origin, isIsolated: self.isIsolated),
            loopSubject: self.account.loopSubject,
            permissions: self.effectivePermissions,
            hash: self.account.index.hash
        )
        self.watch(self.account, interest)
        self.scheduleFirstPing()
        self.resumeInput()
    }

    /// nats-server leafnode.go addLeafNodeConnection.
    private func announceJetStream() {
        guard self.account.isSystem else {
            self.logger.info("\(self.label) - JetStream using domains: local \"\", remote \"\"")
            return
        }
        let cluster = self.origin.isEmpty ? "" : "/\(GoString.harmless(self.origin))"
        self.logger.info("\(self.label) - System account connected from \(self.peerName)\(cluster)")
        self.logger.info("\(self.label) - JetStream not extended, domains differ")
    }

    /// What may pass, as both sides have said.
    var effectivePermissions: LeafPermissions {
        if let permissions { return permissions }
        let permissions = self.makePermissions(nil)
        self.permissions = permissions
        return permissions
    }

    func makePermissions(_ info: LeafInfo?) -> LeafPermissions {
        let hash = self.account.index.hash
        guard let options = self.remote?.options else {
            return LeafPermissions(
                ofLeafNode: self.userPermissions,
                denied: self.greeting?.denyPublish ?? [],
                isSystem: self.account.isSystem,
                hash: hash
            )
        }
        return LeafPermissions(
            ofHub: info?.importPermissions,
            exports: info?.exportPermissions,
            denyImports: options.denyImports,
            denyExports: options.denyExports,
            isSystem: self.account.isSystem,
            hash: hash
        )
    }

    /// The account has more connections than it may.
    func accountIsTooFull() {
        let text = "maximum account active connections exceeded"
        self.logger.error("\(self.label) - \(text)")
        self.fail(text, .maxAccountConnectionsExceeded)
    }

    private func tellAccount() {
        guard let system = self.shared.system else { return }
        let connections = self.account.connectionCount
        system.connectionsChanged(of: self.account, connections: connections)
        if self.isInAccount, self.account.mustAskElsewhere() { system.askForConnections(of: self.account) }
    }

    /// Tells the leaf node of something new.
    func sendInfo() {
        guard self.phase == .open, self.stage == .ready else { return }
        self.outlet.append(self.service.makeInfo().encode())
    }

    // MARK: Timers

    /// Says how long what is under way may take.
    func setTimeout(_ kind: LoopTimers.Kind, in time: TimeAmount) {
        let deadline = NIODeadline.now() + time
        self.timeout = deadline
        self.loop.setTimer(kind, for: self.id, at: deadline)
    }

    func setJoiningTimeout() { self.setTimeout(.authentication, in: Self.joiningTime) }

    func clearTimeout() { self.timeout = nil }

    override func timerFired(_ kind: LoopTimers.Kind, deadline: NIODeadline) {
        guard self.phase == .open else { return }
        switch kind {
        case .keepAlive:
            self.keepAliveTimerFired(deadline: deadline)
        case .negotiation:
            if self.timeout == deadline { self.handshakeFailed("i/o timeout") }
        case .authentication:
            if self.timeout == deadline { self.timedOut() }
        case .userExpiry:
            self.fail("User Authentication Expired", .authenticationExpired)
        }
    }

    private func timedOut() {
        switch (self.isSolicited, self.stage) {
        case (true, .greeting):
            // nats-server leafnode.go createLeafNode: a deadline of the socket.
            self.close(.readError)
        case (true, _):
            self.logger.debug("\(self.label) - Stale Leaf Node Connection - Closing")
            self.fail("Stale Leaf Node Connection - Closing", .staleConnection)
        case (false, .greeting):
            self.logger.debug("\(self.label) - Authentication Timeout")
            self.fail("Authentication Timeout", .authenticationTimeout)
        case (false, _):
            break
        }
    }

    // MARK: End

    override func willEnd(_ reason: ClosedReason) {
        self.remember(reason)
        self.dropInterest()
        if self.isInAccount {
            self.isInAccount = false
            self.account.leaveAsLeafNode()
            self.tellAccount()
        }
        let remote = self.peerName.isEmpty ? "" : " - Remote: \(GoString.harmless(self.peerName.utf8))"
        self.logger.info("\(self.label) - Leafnode connection closed: \(reason.rawValue)\(remote)")
        self.service.closed(self)
    }

    /// What this server has told somebody comes back: the two are connected by another way too.
    func loopDetected(tellsPeer: Bool) {
        self.redialDelay = Self.longDelay
        let account = GoString.quoted(self.account.name.utf8)
        let text = "Loop detected for leafnode account=\(account). Delaying attempt to reconnect for 30s"
        if tellsPeer { self.sendError(text) }
        self.logger.error("\(self.label) - \(text)")
        self.close(.protocolViolation)
    }

    /// Whether the peer may say that it wants something more.
    var isAtSubscriptionLimit: Bool {
        let ofAccount = self.account.limits.narrowed(by: self.user?.limits).maxSubscriptions
        if ofAccount >= 0, self.wanted.count >= ofAccount { return true }
        return self.maxSubscriptions > 0 && self.wanted.count >= self.maxSubscriptions
    }
}

/// What a connection to a hub was dialled for.
struct LeafDial: Sendable {
    /// The place of the hub in the configuration.
    let index: Int
    let options: LeafNodesOptions.Remote
    let url: LeafNodesOptions.Remote.URL
    let tlsName: String?
    let requiresTLS: Bool
}
