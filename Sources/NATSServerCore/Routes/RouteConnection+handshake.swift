import Logging
import NATSText
import NATSWire
import NIOCore

/// Who is on the other side.
extension RouteConnection {
    // MARK: From the peer

    /// CONNECT, of a server that has dialled.
    func connect(_ argument: UnsafeRawBufferPointer) {
        guard !self.isSolicited, self.greeting == nil else { return }
        let greeting: RouteConnect
        do {
            greeting = try RouteConnect(json: argument)
        } catch {
            self.logger.error("\(self.label) - CONNECT is not valid: \(error)")
            return self.close(.protocolViolation)
        }
        self.traceIn("CONNECT \(ProtocolText.redacted(argument))")
        // Before it is asked who it is (nats-server route.go processRouteConnect).
        guard greeting.lang.isEmpty else {
            return self.refuse("attempted to connect to route port", .incorrectPort)
        }
        guard greeting.gateway.isEmpty else {
            let gateway = GoString.quoted(Array(greeting.gateway.utf8))
            return self.refuse("Rejecting connection from gateway \(gateway) on the Route port", .wrongGateway)
        }
        guard !self.service.options.user.isEmpty else { return self.greeted(greeting) }
        let options = self.service.options
        let isUser = ConstantTime.areEqual(options.user.utf8, greeting.user.utf8)
        guard Bcrypt.isHash(options.password) else {
            let isPassword = ConstantTime.areEqual(options.password.utf8, greeting.password.utf8)
            return isUser && isPassword ? self.greeted(greeting) : self.refuseCredentials()
        }
        guard isUser else { return self.refuseCredentials() }
        let ticket = PasswordVerifier.Ticket(self.shared.passwords)
        self.pendingCheck = ticket
        self.heldInput = ByteBuffer()
        let check = PasswordCheck(password: greeting.password, hash: options.password)
        self.shared.passwords.verify(check, ticket) { isRight in
            self.loop.eventLoop.execute {
                guard self.phase == .open, self.pendingCheck === ticket else { return }
                self.pendingCheck = nil
                if isRight { self.greeted(greeting) } else { self.refuseCredentials() }
                self.resumeInput()
            }
        }
    }

    private func refuseCredentials() {
        self.logger.error("\(self.label) - authentication error")
        self.fail("Authorization Violation", .authenticationFailure)
    }

    private func refuse(_ text: String, _ reason: ClosedReason) {
        self.logger.error("\(self.label) - \(text)")
        self.fail(text, reason)
    }

    private func greeted(_ greeting: RouteConnect) {
        self.greeting = greeting
        // Not even for as long as the connection lives.
        self.greeting?.password = ""
        var decisive = RouteGreeting(id: greeting.serverID, cluster: greeting.cluster)
        decisive.isDynamic = greeting.isClusterDynamic
        decisive.language = greeting.lang
        decisive.gateway = greeting.gateway
        self.service.greeted(self, decisive)
    }

    /// INFO: who the peer is, news of it, or of another server.
    func info(_ argument: UnsafeRawBufferPointer) {
        let info: RouteInfo
        do {
            info = try RouteInfo(json: argument)
        } catch {
            self.logger.error("\(self.label) - Error unmarshalling INFO from route: \(error)")
            return self.close(.protocolViolation)
        }
        if let peer = self.peer {
            if info.serverID == peer.serverID { self.permissionsTold(by: info) }
        } else {
            self.introduced(info)
        }
        self.service.informed(self, info)
    }

    /// An official server keeps its routes when it takes or gives other subjects after a reload, and says so.
    private func permissionsTold(by info: RouteInfo) {
        let isOther = info.exportPermissions != self.peerPermissions.exports
        self.peerPermissions = (info.importPermissions, info.exportPermissions)
        if isOther, self.phase == .open { self.tellAgain() }
    }

    // MARK: To the peer

    /// Says who we are, as who dials.
    func sendConnect(_ connect: RouteConnect) {
        guard self.phase == .open else { return }
        self.logger.debug("\(self.label) - Route connect msg sent")
        self.outlet.append(connect.encode())
    }

    func sendInfo(_ info: RouteInfo) {
        guard self.phase == .open else { return }
        // Not if it tells of another server's connection for an account.
        let isOwn = info.serverID == self.shared.identity.id
        if isOwn, self.isSolicited, !info.account.isEmpty { self.dedicate(to: info.account) }
        self.outlet.append(info.encode())
    }
}

extension RoutePeer {
    /// What of an INFO decides about routes.
    init(_ info: RouteInfo) {
        self.init(id: info.serverID, name: info.serverName, host: info.host, port: info.port, cluster: info.cluster)
        self.ip = info.ip
        self.isDynamic = info.isClusterDynamic
        self.poolSize = info.poolSize
        self.poolIndex = info.poolIndex
        self.account = info.account.isEmpty ? nil : info.account
        self.needsCredentials = info.authRequired
        self.clientURLs = info.connectURLs
        self.webSocketURLs = info.webSocketConnectURLs
        self.isLameDuck = info.lameDuckMode
        self.gossipMode = GossipMode(rawValue: Int(info.gossipMode)) ?? .normal
    }
}
