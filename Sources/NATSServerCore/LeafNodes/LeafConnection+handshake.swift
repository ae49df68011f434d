import Logging
import NATSAuth
import NATSText
import NATSWire
import NIOCore

/// Who is on the other side.
extension LeafConnection {
    /// nats-server accounts.go DEFAULT_ACCOUNT_FETCH_TIMEOUT.
    private static let lookUpTime: TimeAmount = .seconds(2)

    // MARK: As who accepts

    func startAccepted(_ context: ChannelHandlerContext) {
        self.nonce = self.service.makeNonce()
        guard let tls = self.service.tls?.accepting else {
            self.beginAccepted()
            return
        }
        if tls.options.handshakeFirst == .off {
            // In clear, before there is anything else to write by.
            let info = ByteBuffer(bytes: self.service.makeInfo(for: self, isAnswer: false).encode())
            context.writeAndFlush(NIOAny(info), promise: nil)
        }
        self.startServerHandshake(context, tls)
        context.read()
    }

    /// From now on the leaf node may speak.
    func beginAccepted() {
        let isSaid = self.isSecured && self.service.tls?.accepting?.options.handshakeFirst == .off
        if !isSaid { self.outlet.append(self.service.makeInfo(for: self, isAnswer: false).encode()) }
        self.setTimeout(.authentication, in: TimeAmount(self.service.options.timeout))
        self.context?.read()
    }

    /// CONNECT, of a server that has dialled.
    func connect(_ argument: UnsafeRawBufferPointer) {
        guard !self.isSolicited, self.greeting == nil else { return }
        let greeting: LeafConnect
        do {
            greeting = try LeafConnect(json: argument)
        } catch {
            self.logger.error("\(self.label) - CONNECT is not valid: \(error)")
            return self.close(.protocolViolation)
        }
        self.traceIn("CONNECT \(ProtocolText.redacted(argument))")
        self.greeting = greeting
        // Not even for as long as the connection lives.
        self.greeting?.password = ""
        self.greeting?.token = ""
        self.authorize(greeting)
    }

    /// The leaf node is who it says.
    func authorized(as greeting: LeafConnect, _ account: Account, _ permissions: PermissionOptions?) {
        guard self.phase == .open else { return }
        self.clearTimeout()
        guard greeting.lang.isEmpty else {
            return self.refuse("attempted to connect to leaf node port", .incorrectPort)
        }
        guard !greeting.cluster.contains(" ") else {
            return self.refuse("cluster name cannot contain spaces", .protocolViolation)
        }
        let own = self.service.clusterName
        guard own.isEmpty || greeting.cluster != own else {
            return self.refuse("remote leafnode has same cluster name", .clusterNamesIdentical)
        }
        guard greeting.gateway.isEmpty else {
            let gateway = GoString.quoted(greeting.gateway.utf8)
            return self.refuse(
                "Rejecting connection from gateway \(gateway) on the leafnode port",
                .wrongGateway
            )
        }
        self.understandsHeaders = !self.shared.options.noHeaderSupport && greeting.headers
        self.compression = greeting.compression.isEmpty ? "not supported" : "off"
        self.peerName = greeting.name
        self.remoteAccount = greeting.remoteAccount
        self.isIsolated = self.isIsolated || greeting.isIsolated
        if greeting.isHub { self.peerIsHub() }
        self.origin = Array(greeting.cluster.utf8)
        self.userPermissions = permissions
        self.keepAlive.connectReceived(accepted: self.accepted, now: .now())
        self.join(account)
    }

    func refuse(_ text: String, _ reason: ClosedReason) {
        self.logger.error("\(self.label) - \(text)")
        self.fail(text, reason)
    }

    // MARK: As who dials

    func startDialled(_ context: ChannelHandlerContext) {
        guard let remote = self.remote else { return }
        self.service.dialled(self)
        if let handshake = remote.options.tls?.handshakeFirst, handshake != .off {
            self.startClientHandshake(context)
        } else {
            self.setTimeout(.authentication, in: TimeAmount(remote.options.firstInfoTimeout))
        }
        context.read()
    }

    /// INFO: who the hub is, that it has let this server in, or news.
    func info(_ argument: UnsafeRawBufferPointer) {
        // Whoever accepts is told by CONNECT (nats-server leafnode.go processLeafnodeInfo).
        guard let remote = self.remote else { return }
        let info: LeafInfo
        do {
            info = try LeafInfo(json: argument)
        } catch {
            self.logger.error("\(self.label) - Error unmarshalling INFO: \(error)")
            return self.close(.protocolViolation)
        }
        switch self.stage {
        case .greeting: self.firstInfo(info, remote)
        case .joining: self.answered(info, remote)
        case .ready:
            self.service.learned(self, info.leafNodeURLs ?? [])
            let isTold = info.importPermissions != nil || info.exportPermissions != nil
            guard isTold, self.toldPermissions != info.permissions else { return }
            self.toldPermissions = info.permissions
            let permissions = self.makePermissions(info)
            self.permissions = permissions
            // What was looked for before holds no more, in other accounts neither.
            for index in self.indices { index.peersChanged() }
        }
    }

    private func firstInfo(_ info: LeafInfo, _ remote: LeafDial) {
        guard info.clientID != 0, info.leafNodeURLs != nil else {
            return self.wrongPort()
        }
        guard !info.cluster.contains(" ") else {
            return self.refuse("cluster name cannot contain spaces", .protocolViolation)
        }
        self.clearTimeout()
        self.nonce = info.nonce
        self.understandsHeaders = !self.shared.options.noHeaderSupport && info.headers
        self.compression = info.compression.isEmpty ? "not supported" : "off"
        self.peerName = info.serverName.isEmpty ? info.serverID : info.serverName
        self.origin = Array(info.cluster.utf8)
        self.service.learned(self, info.leafNodeURLs ?? [])
        self.answersConnect = info.answersConnect
        let needsTLS = info.tlsRequired || remote.requiresTLS
        if needsTLS, !self.isSecured, let context = self.context {
            self.startClientHandshake(context)
        } else {
            self.sendConnect()
        }
    }

    private func wrongPort() {
        self.logger.error("\(self.label) - attempted to connect to wrong port")
        self.close(.incorrectPort)
    }

    /// Says who we are.
    func sendConnect() {
        guard self.phase == .open, let remote = self.remote else { return }
        self.stage = .joining
        if let account = self.service.account(named: remote.options.account) {
            return self.sendConnect(remote, from: account)
        }
        guard let operators = self.shared.operators else { return self.accountIsMissing(remote, "account missing") }
        let lookUp = AccountLookUp { lookUp, outcome in
            self.loop.eventLoop.execute {
                guard self.phase == .open, self.pendingCheck === lookUp else { return }
                self.pendingCheck = nil
                switch outcome {
                case .found(let account): self.sendConnect(remote, from: account)
                case .failed(let words): self.accountIsMissing(remote, words)
                }
            }
        }
        self.pendingCheck = lookUp
        lookUp.expire(in: Self.lookUpTime, on: self.loop.eventLoop)
        operators.lookUp(remote.options.account, lookUp)
    }

    /// The account may come to be: the hub is dialled again (nats-server leafnode.go createLeafNode).
    private func accountIsMissing(_ remote: LeafDial, _ cause: String) {
        self.logger.error(
            """
            Unable to lookup account \(GoString.harmless(remote.options.account.utf8)) for solicited leafnode \
            connection: \(cause)
            """
        )
        self.close(.missingAccount)
    }

    private func sendConnect(_ remote: LeafDial, from account: Account) {
        self.account = account
        self.setJoiningTimeout()
        self.service.makeConnect(for: remote, nonce: self.nonce, headers: self.understandsHeaders) { result in
            self.loop.eventLoop.execute { self.send(result) }
        }
    }

    private func send(_ connect: Result<LeafConnect, LeafCredentials.Failure>) {
        guard self.phase == .open, self.stage == .joining else { return }
        switch connect {
        case .success(let connect):
            self.outlet.append(connect.encode())
            self.hasSentConnect = true
            self.logger.debug("\(self.label) - Remote leafnode connect msg sent")
            self.keepAlive.connectReceived(accepted: self.accepted, now: .now())
            if !self.answersConnect { self.join(self.account) }
        case .failure(let failure):
            self.logger.error("\(self.label) - \(failure)")
            self.close(.writeError)
        }
    }

    private func answered(_ info: LeafInfo, _ remote: LeafDial) {
        guard info.isAnswer, !self.isInAccount else { return self.service.learned(self, info.leafNodeURLs ?? []) }
        guard self.hasSentConnect else {
            self.logger.error("\(self.label) - the hub answers before it was asked")
            return self.close(.protocolViolation)
        }
        self.remoteAccount = info.remoteAccount
        self.service.learned(self, info.leafNodeURLs ?? [])
        self.toldPermissions = info.permissions
        self.permissions = self.makePermissions(info)
        self.clearTimeout()
        self.join(self.account)
    }

    // MARK: Errors

    /// `-ERR` (nats-server leafnode.go leafProcessErr): the peer closes, if it wants to.
    func errorReceived(_ text: String) {
        self.logger.error("\(self.label) - Leafnode Error \(GoString.harmless(text.utf8))")
        if text.contains("remote leafnode has same cluster name") {
            self.redialDelay = Self.longDelay
            self.logger.error(
                """
                \(self.label) - Leafnode connection dropped with same cluster name error. Delaying attempt to reconnect \
                for 30s
                """
            )
        } else if text.contains("connection rejected since minimum version required is") {
            self.redialDelay = Self.versionDelay
            self.logger.error(
                """
                \(self.label) - Leafnode connection dropped due to minimum version requirement. Delaying attempt to \
                reconnect for 5s
                """
            )
        } else if text.contains("Loop detected") {
            self.loopDetected(tellsPeer: false)
        }
    }
}
