import Logging
import NATSText
internal import NATSWire
import NIOConcurrencyHelpers
import NIOCore
import NIOSSL

/// The server as the hub of leaf nodes, and as a leaf node: who is connected, and whom to dial.
///
/// What it knows lives on the first event loop; connections, wherever they live, report to it and are told what to do, each in
/// order.
///
/// `@unchecked Sendable`: what is `home`'s is only touched there.
final class LeafService: @unchecked Sendable {
    private struct State {
        var listener: (any Channel)?
        var port = 0
        /// Where this server can be dialled, `host:port`.
        var ownURL = ""
        /// The same of others of its cluster.
        var otherURLs: [String] = []
        var tls: LeafTLS?
        var count = 0
    }

    /// A connection that has come to an account.
    private struct Member {
        let connection: LeafConnection
        let account: Account
        let name: String
        let cluster: [UInt8]
        let remoteAccount: String
        let isSolicited: Bool
        let isHub: Bool
    }

    /// Those whose credentials have to be read are few.
    private static let workers = 1

    let options: LeafNodesOptions
    private unowned let shared: ServerShared
    private let logger: Logger
    private let state = NIOLockedValueBox(State())
    private let worker = BlockingWorker(threads: LeafService.workers)

    // Of the first loop.
    private var home: ServerLoop?
    private var loops: [ServerLoop] = []
    private var remotes: [LeafRemote] = []
    private var timers: [Int: Scheduled<Void>] = [:]
    private var members: [UInt64: Member] = [:]
    private var generator = SystemRandomNumberGenerator()
    private var hasEnded = false

    /// - Parameters:
    ///   - options: The `leafnodes` block.
    ///   - shared: Whose it is.
    init(_ options: LeafNodesOptions, shared: ServerShared) {
        self.options = options
        self.shared = shared
        self.logger = shared.logger
    }

    /// Where leaf nodes are accepted; 0 before that, and where none are.
    var port: Int { self.state.withLockedValue { $0.port } }

    /// What new connections are secured with.
    var tls: LeafTLS? { self.state.withLockedValue { $0.tls } }

    /// Connections on either side.
    var count: Int { self.state.withLockedValue { $0.count } }

    /// Where leaf nodes can come, as others of the cluster are told; `nil` if they are not.
    var advertisedURL: String? {
        guard !self.options.noAdvertise else { return nil }
        return self.state.withLockedValue { $0.ownURL.isEmpty ? nil : $0.ownURL }
    }

    /// What CONNECT and INFO name as the cluster: a server without one that is a leaf node is a cluster by itself
    /// (nats-server server.go `leafNoCluster`).
    var clusterName: String {
        if let routes = self.shared.routes { return routes.clusterName }
        return self.options.remotes.isEmpty ? "" : self.shared.serverName
    }

    func account(named name: String) -> Account? { self.shared.accounts[name] }

    /// Reads certificates and keys.
    ///
    /// - Returns: what ``use(_:)`` takes.
    /// - Throws: If they cannot be used.
    func loadTLS() throws(TLSContext.LoadError) -> LeafTLS {
        var accepting: TLSContext?
        if let block = self.options.tls, self.options.port != 0 { accepting = try TLSContext(block) }
        var dialling: [NIOSSLContext] = []
        for remote in self.options.remotes {
            dialling.append(try TLSContext.client(remote.tls ?? TLSOptions(), isInsecure: remote.isInsecure))
        }
        return LeafTLS(accepting: accepting, dialling: dialling)
    }

    /// Secures new connections with something else; those that are there keep theirs.
    func use(_ tls: LeafTLS) { self.state.withLockedValue { $0.tls = tls } }

    // MARK: Start and end

    /// Leaf nodes may come.
    ///
    /// - Parameters:
    ///   - listener: Where they come.
    ///   - address: What they are told of it.
    func listens(_ listener: any Channel, at address: AdvertisedAddress) {
        self.state.withLockedValue { state in
            state.listener = listener
            state.port = listener.localAddress?.port ?? 0
            state.ownURL = HostPort.join(address.host, address.port)
        }
    }

    /// Dials the hubs.
    ///
    /// - Parameter loops: All loops of the server.
    func start(on loops: [ServerLoop]) {
        guard let home = loops.first else { return }
        home.eventLoop.execute {
            guard !self.hasEnded else { return }
            self.home = home
            self.loops = loops
            self.remotes = self.options.remotes.map {
                LeafRemote($0, interval: self.options.reconnectInterval, using: &self.generator)
            }
            for index in self.remotes.indices where !self.remotes[index].options.isDisabled { self.dial(index) }
        }
    }

    /// No leaf node comes any more, and nobody is dialled.
    func stopListening() async {
        let listener = self.state.withLockedValue { $0.listener.take() }
        try? await listener?.close()
        self.worker.end()
        guard let home = self.shared.loops.all.first else { return }
        await self.shared.loops.answer(of: home.index) { _ in
            self.hasEnded = true
            for timer in self.timers.values { timer.cancel() }
            self.timers = [:]
            self.members = [:]
            // They refer to each other.
            self.home = nil
            self.loops = []
        }
    }

    // MARK: Dialling

    private func dial(_ index: Int) {
        guard !self.hasEnded, self.remotes.indices.contains(index), !self.loops.isEmpty,
            let url = self.remotes[index].next()
        else { return }
        let remote = self.remotes[index]
        let dial = LeafDial(
            index: index,
            options: remote.options,
            url: url,
            tlsName: remote.tlsName,
            requiresTLS: remote.requiresTLS
        )
        let loop = self.loops[index % self.loops.count]
        self.logger.debug("Trying to connect as leafnode to remote server on \"\(url.address)\"")
        self.connect(to: dial, on: loop) { cause in self.report { self.dialFailed(dial, cause) } }
    }

    private func dialFailed(_ dial: LeafDial, _ cause: String) {
        let wait = self.remotes[dial.index].failed(using: &self.generator)
        let remote = self.remotes[dial.index]
        let options = self.shared.options
        let isReported = remote.reportsFailure(first: options.connectErrorReports, later: options.reconnectErrorReports)
        self.logger.log(
            level: isReported ? .error : .debug,
            """
            Error trying to connect as leafnode to remote server \"\(dial.url.address)\" (attempt \(remote.failures)): \
            \(cause)
            """
        )
        self.dial(dial.index, in: wait)
    }

    private func dial(_ index: Int, in time: TimeAmount) {
        self.timers[index]?.cancel()
        guard !self.hasEnded, let home = self.home else { return }
        self.timers[index] = home.eventLoop.scheduleTask(in: time) {
            self.timers[index] = nil
            self.dial(index)
        }
    }

    // MARK: From connections

    /// The socket to a hub is there.
    func dialled(_ connection: LeafConnection) {
        guard let index = connection.remote?.index else { return }
        self.report { self.remotes[index].connected() }
    }

    /// The TLS handshake with a hub is over.
    func secured(_ connection: LeafConnection) {
        guard let index = connection.remote?.index else { return }
        self.report { self.remotes[index].secured() }
    }

    /// The hub has told where it can be dialled as well.
    func learned(_ connection: LeafConnection, _ urls: [String]) {
        guard let index = connection.remote?.index, !urls.isEmpty else { return }
        self.report { self.remotes[index].learned(urls) }
    }

    /// A connection has come to an account; it is told when it may go on.
    func register(_ connection: LeafConnection) {
        let member = Member(
            connection: connection,
            account: connection.account,
            name: connection.peerName,
            cluster: connection.origin,
            remoteAccount: connection.remoteAccount,
            isSolicited: connection.isSolicited,
            isHub: connection.isHub
        )
        self.report { self.register(member) }
    }

    private func register(_ member: Member) {
        if member.isSolicited {
            // nats-server client.go registerWithAccount: a cluster is not leaf node and hub at once.
            let isLoop = self.members.values.contains {
                $0.account === member.account && !$0.isHub && !member.cluster.isEmpty && $0.cluster == member.cluster
            }
            guard !isLoop else { return self.tell(member) { $0.loopDetected(tellsPeer: true) } }
        } else if let old = self.members.values.first(where: { self.isSame($0, member) }) {
            // The old one may not know yet that it is dead (nats-server leafnode.go addLeafNodeConnection).
            self.tell(old) { $0.fail("Duplicate Remote LeafNode Connection", .duplicateRemoteLeafNode) }
            self.tell(member) { $0.logger.warning("\($0.label) - Replacing connection from same server") }
        }
        self.members[member.connection.id] = member
        self.tell(member) { connection in
            connection.isRegistered = true
            connection.registered()
        }
        self.changed()
    }

    private func isSame(_ old: Member, _ new: Member) -> Bool {
        !new.name.isEmpty && !old.isSolicited && old.name == new.name && old.cluster == new.cluster
            && old.account === new.account && !new.remoteAccount.isEmpty && old.remoteAccount == new.remoteAccount
    }

    func closed(_ connection: LeafConnection) {
        let (id, index, delay) = (connection.id, connection.remote?.index, connection.redialDelay)
        self.report {
            if self.members.removeValue(forKey: id) != nil { self.changed() }
            guard let index else { return }
            self.dial(index, in: self.remotes[index].lost(delay: delay))
        }
    }

    /// The cluster that this server belongs to has another name: hubs are dialled again, as they know it by the old one
    /// (nats-server server.go setClusterName).
    func clusterRenamed() {
        // Those too that have said the old name and have not come in yet.
        self.shared.loops.tell { loop in
            for leaf in Array(loop.leafs.values) where leaf.isSolicited && leaf.hasSentConnect {
                leaf.close(.clusterNameConflict)
            }
        }
    }

    /// Other servers of the cluster accept leaf nodes at other addresses than before.
    func setOtherURLs(_ urls: [String]) {
        let isNew = self.state.withLockedValue { state in
            defer { state.otherURLs = urls }
            return state.otherURLs != urls
        }
        guard isNew else { return }
        self.report {
            for member in self.members.values where !member.isSolicited { self.tell(member) { $0.sendInfo() } }
        }
    }

    private func changed() {
        let count = self.members.count
        self.state.withLockedValue { $0.count = count }
    }

    private func tell(_ member: Member, _ order: @escaping @Sendable (LeafConnection) -> Void) {
        let connection = member.connection
        guard !self.shared.isEnding else { return }
        connection.loop.eventLoop.execute { order(connection) }
    }

    private func report(_ event: @escaping @Sendable () -> Void) {
        guard !self.shared.isEnding, let home = self.shared.loops.all.first else { return }
        home.eventLoop.execute { if !self.hasEnded { event() } }
    }

    // MARK: What is said

    /// What a leaf node may have to sign (nats-server nkey.go generateNonce).
    func makeNonce() -> String {
        var generator = SystemRandomNumberGenerator()
        return Base64.encodeURLSafe((0..<11).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }

    /// INFO for a leaf node.
    ///
    /// - Parameters:
    ///   - connection: Its connection.
    ///   - isAnswer: Whether it answers CONNECT.
    /// - Returns: the object.
    func makeInfo(for connection: LeafConnection, isAnswer: Bool) -> LeafInfo {
        var info = self.makeInfo()
        info.clientID = connection.id
        guard isAnswer else {
            info.nonce = connection.nonce
            info.compression = "off"
            return info
        }
        info.isAnswer = true
        info.remoteAccount = connection.account.name
        info.isSystemAccount = connection.account.isSystem
        info.importPermissions = connection.userPermissions?.subscribe
        info.exportPermissions = connection.userPermissions?.publish
        return info
    }

    /// INFO as all leaf nodes get it when something has changed.
    func makeInfo() -> LeafInfo {
        let (port, own, others) = self.state.withLockedValue { ($0.port, $0.ownURL, $0.otherURLs) }
        var info = LeafInfo()
        info.serverID = self.shared.identity.id
        info.serverName = self.shared.serverName
        info.version = ServerVersion.compatible
        info.proto = 1
        info.goVersion = ServerVersion.go
        info.host = self.options.host
        info.port = port
        if let parts = try? HostPort.split(own) {
            info.host = parts.host
            info.port = Int(parts.port) ?? port
        }
        info.headers = !self.shared.options.noHeaderSupport
        info.authRequired = true
        info.tlsRequired = self.tls?.accepting != nil
        info.tlsVerify = self.tls?.accepting?.options.wantsClientCertificate ?? false
        info.maxPayload = Int32(clamping: self.shared.options.maxPayload)
        info.ip = own
        info.cluster = self.clusterName
        info.apiLevel = ServerVersion.apiLevel
        info.answersConnect = true
        info.leafNodeURLs = [own] + others
        return info
    }

    /// CONNECT for a hub, with the proof of who this is.
    ///
    /// - Parameters:
    ///   - dial: What was dialled.
    ///   - nonce: What the hub wants to have signed.
    ///   - headers: Whether both sides understand HMSG.
    ///   - completion: Called on any thread.
    func makeConnect(
        for dial: LeafDial,
        nonce: String,
        headers: Bool,
        _ completion: @escaping @Sendable (Result<LeafConnect, LeafCredentials.Failure>) -> Void
    ) {
        var connect = LeafConnect()
        connect.version = ServerVersion.compatible
        connect.serverID = self.shared.identity.id
        connect.name = self.shared.serverName
        connect.isHub = dial.options.isHub
        connect.cluster = self.clusterName
        connect.headers = headers
        connect.denyPublish = dial.options.denyImports
        connect.isIsolated = dial.options.asksForIsolation
        connect.compression = "off"
        connect.remoteAccount = dial.options.account
        connect.proto = 1
        connect.user = dial.url.user
        connect.password = dial.url.password
        // For old servers (nats-server leafnode.go sendLeafConnect).
        if !dial.url.hasPassword { connect.token = dial.url.user }
        guard dial.options.credentials != nil || dial.options.seed != nil else { return completion(.success(connect)) }
        let unsigned = connect
        self.worker.run {
            var connect = unsigned
            do throws(LeafCredentials.Failure) {
                try LeafCredentials.sign(&connect, for: dial.options, nonce: nonce)
                return Result<LeafConnect, LeafCredentials.Failure>.success(connect)
            } catch {
                return Result<LeafConnect, LeafCredentials.Failure>.failure(error)
            }
        } completion: {
            completion($0)
        }
    }
}
