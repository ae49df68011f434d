import NATSText
import Logging
import NATSWire
import NIOCore

/// CONNECT, and what a client may do.
extension ClientConnection {
    // MARK: CONNECT

    /// With credentials required, anything but a CONNECT is refused at its first byte (nats-server parser.go OP_START),
    /// unless the client is somebody without credentials.
    func mayBegin(with byte: UInt8, _ batch: inout PublishBatch) -> Bool {
        guard self.session.awaitsConnect, byte | 0x20 != UInt8(ascii: "c") else { return true }
        let action = self.session.beganWithoutConnect()
        self.logCertificateNotes()
        if case .callOut(let callout, _) = action {
            self.suspendInput()
            self.beginWhenAnswered(callout)
            return false
        }
        guard self.begin(action) else { return false }
        batch.refresh(self)
        return true
    }

    private func beginWhenAnswered(_ callout: CalloutRules) {
        self.callOut(callout) { connection, grant in
            _ = connection.begin(connection.session.calloutEnded(grant))
            connection.resumeInput()
        }
    }

    /// A reload has come before the answer about a client without CONNECT.
    private func beginAgain(_ action: ClientSession.ConnectAction) {
        self.pendingCheck?.cancel()
        self.pendingCheck = nil
        if case .callOut(let callout, _) = action { return self.beginWhenAnswered(callout) }
        _ = self.begin(action)
        self.resumeInput()
    }

    /// The client is, or is not, somebody without credentials.
    private func begin(_ action: ClientSession.ConnectAction) -> Bool {
        guard case .accept = action else {
            self.credentialsRefused()
            return false
        }
        guard self.enterAccount() else { return false }
        self.tellConnected()
        self.applyPermissions()
        self.scheduleUserExpiry()
        return true
    }

    func connect(_ json: UnsafeRawBufferPointer) {
        if self.isTracing { self.traceIn("CONNECT \(ProtocolText.redacted(json))") }
        let action: ClientSession.ConnectAction
        do {
            action = try self.session.receivedConnect(json)
        } catch {
            self.logInputError("CONNECT is not valid: \(error)")
            self.close(.protocolViolation)
            return
        }
        self.logCertificateNotes()
        self.parser.headersEnabled = self.session.headers
        self.carryOut(action)
    }

    private func logCertificateNotes() {
        let (notes, ignoredUser) = self.session.takeCertificateNotes()
        for note in notes { self.logger.debug("\(self.label) - \(note)") }
        if let ignoredUser {
            let name = GoString.quoted(Array(ignoredUser.utf8))
            // nats-server auth.go: of the server, not of the connection.
            self.logger.warning("User \(name) found in connect proto, but user required from cert")
        }
    }

    /// Does what a CONNECT leads to, at once if it can be done at once; else no input is handled until it is done.
    private func carryOut(_ action: ClientSession.ConnectAction) {
        self.pendingCheck?.cancel()
        self.pendingCheck = nil
        switch action {
        case .verify(let check, let dropSubscriptions):
            // What the client was allowed before ends now, however long the check takes.
            if dropSubscriptions { self.forgetSubscriptions() }
            guard !self.shared.passwords.isKnown(check) else {
                self.carryOut(self.session.passwordChecked(true))
                return
            }
            if self.heldInput == nil { self.suspendInput() }
            self.checkPassword(check) { connection, isRight in
                connection.checkEnded(connection.session.passwordChecked(isRight))
            }
        case .callOut(let callout, let dropSubscriptions):
            if dropSubscriptions { self.forgetSubscriptions() }
            guard self.mayBeAskedAbout(callout) else { return }
            if self.heldInput == nil { self.suspendInput() }
            self.callOut(callout) { connection, grant in
                connection.checkEnded(connection.session.calloutEnded(grant))
                if grant != nil, connection.closedReason == .maxAccountConnectionsExceeded {
                    connection.calloutFoundNoRoom()
                    connection.tellAccountOfFailure()
                    connection.authenticationViolated()
                }
            }
        case .lookUpAccount(let name, let dropSubscriptions):
            if dropSubscriptions { self.forgetSubscriptions() }
            self.lookUpAccount(name)
        case .accept, .refuseCredentials, .refuseProtocol, .refuseNoResponders:
            self.perform(action)
        }
    }

    /// What was waited for is there: the input goes on unless something else has to be waited for.
    private func checkEnded(_ action: ClientSession.ConnectAction) {
        self.carryOut(action)
        if self.pendingCheck == nil { self.resumeInput() }
    }

    /// Checks a password off the event loop; `completion` is called on it, unless the connection has been closed.
    private func checkPassword(
        _ check: PasswordCheck,
        completion: @escaping @Sendable (ClientConnection, Bool) -> Void
    ) {
        let ticket = PasswordVerifier.Ticket(self.shared.passwords)
        self.pendingCheck = ticket
        self.shared.passwords.verify(check, ticket) { isRight in
            self.loop.eventLoop.execute {
                // A result that was on its way here when a reload asked for another check does not count.
                guard self.phase == .open, self.pendingCheck === ticket else { return }
                self.pendingCheck = nil
                completion(self, isRight)
            }
        }
    }

    private func perform(_ action: ClientSession.ConnectAction) {
        switch action {
        case .accept(let dropSubscriptions):
            if dropSubscriptions { self.forgetSubscriptions() }
            guard self.enterAccount() else { return }
            self.tellConnected()
            self.applyPermissions()
            self.scheduleUserExpiry()
            self.logAuthenticatedUser()
            self.connectAccepted()
            self.acknowledge()
        case .refuseCredentials:
            self.credentialsRefused()
        case .refuseProtocol:
            self.failLogged("invalid client protocol", .badClientProtocolVersion)
        case .refuseNoResponders:
            self.failLogged("no responders requires headers support", .noRespondersRequiresHeaders)
        case .verify, .callOut, .lookUpAccount:
            // Not before it has come to an end.
            self.credentialsRefused()
        }
    }

    private func forgetSubscriptions() {
        if self.isTracing { self.subscriptions.values.forEach(self.traceDeleted) }
        self.dropSubscriptions()
        self.needsBarrier = self.loop.siblings.count > 1
    }

    /// What the client sent is not good enough.
    private func credentialsRefused() {
        self.authenticationFailed()
        if self.webSocket != nil { self.logInputError("authentication error") }
    }

    /// The account that a CONNECT needs was found or not.
    func accountLookedUp(_ outcome: OperatorMode.LookUp) {
        guard self.session.isLookingUpAccount else { return }
        self.checkEnded(self.session.accountLookedUp(outcome))
    }

    func authenticationFailed() {
        self.estimateRoundTrip()
        // Whom a service has refused knows it by now.
        let isTold = self.calloutFailure != nil && self.phase != .open
        self.tellAccountOfFailure()
        if !isTold { self.authenticationViolated() }
    }

    /// Tells the log, the client and the system account (nats-server client.go authViolation).
    func authenticationViolated() {
        self.estimateRoundTrip()
        let refusal = self.session.refusal
        if let reason = refusal.reason {
            self.logger.log(level: refusal.isError ? .error : .debug, "\(self.label) - \(reason)")
        }
        let user = self.session.userLabel.map { " - \($0)" } ?? ""
        self.logger.error("\(self.label) - authentication error\(user)")
        self.fail("Authorization Violation", refusal.closes)
        self.tellAuthenticationError(refusal.closes)
    }

    private func estimateRoundTrip() {
        guard self.keepAlive.roundTripTime == nil else { return }
        // nats-server client.go processConnect: the first estimate comes with CONNECT, whoever it is.
        self.keepAlive.connectReceived(accepted: self.accepted, now: .now())
    }

    // MARK: Permissions

    /// Takes over what the session says the client may do and understands, for subscriptions that exist too.
    private func applyPermissions() {
        let permissions = self.session.permissions
        for entry in permissions?.unusable ?? [] {
            self.logger.error("\(self.label) - invalid subject-queue \(GoString.quoted(entry))")
        }
        self.replies = ReplyPermissions(permissions)
        for subscription in self.subscriptions.values.flatMap({ [$0] + $0.shadows }) {
            subscription.index.touch(subscription) {
                $0.setPreferences(
                    echo: self.session.echo,
                    headers: self.session.headers,
                    permissions: permissions,
                    replies: self.replies
                )
            }
        }
    }

    /// Whether a SUB is allowed; if not, it has been answered (nats-server client.go processSubEx).
    func maySubscribe(_ subject: [UInt8], queue: [UInt8], sid: [UInt8]) -> Bool {
        let isAllowed = self.session.permissions?.allowsSubscribe(subject, queue: queue) ?? true
        guard isAllowed, queue != ReservedSubjects.systemQueue else {
            self.subscriptionViolation(subject, queue, sid)
            return false
        }
        let tokens = self.settings.maxSubscriptionTokens
        if tokens > 0, subject.count(where: { $0 == UInt8(ascii: ".") }) >= tokens {
            let text = GoString.quoted(subject)
            self.sendError("Permissions Violation for Subscription to \(text), too many tokens")
            self.logger.error(
                """
                \(self.label) - Subscription Violation Too Many Tokens - Subject \(text), SID \
                \(GoString.harmless(sid))
                """
            )
            return false
        }
        if self.isAtSubscriptionLimit {
            self.subscriptionLimitExceeded()
            return false
        }
        return true
    }

    /// Too many subscriptions (nats-server client.go maxSubsExceeded).
    func subscriptionLimitExceeded() {
        if self.account.shouldLogSubscriptionLimit(now: .now()) {
            self.logger.error("\(self.label) - maximum subscriptions exceeded")
        }
        self.sendError("maximum subscriptions exceeded")
    }

    private func subscriptionViolation(_ subject: [UInt8], _ queue: [UInt8], _ sid: [UInt8]) {
        let subjectText = GoString.quoted(subject)
        let queueText = GoString.quoted(queue)
        let group = queue.isEmpty ? "" : " using queue \(queueText)"
        self.sendError("Permissions Violation for Subscription to \(subjectText)\(group)")
        let logged = queue.isEmpty ? "" : ", Queue: \(queueText)"
        self.logger.error(
            "\(self.label) - Subscription Violation - Subject \(subjectText)\(logged), SID \(GoString.harmless(sid))"
        )
    }

    /// Finds out whether a client whose publishing is restricted may publish to a subject, and remembers the answer with
    /// the subject's match result; if not, it has been told.
    @inline(never)
    func mayPublish(to subject: UnsafeBufferPointer<UInt8>, _ result: MatchResult.Pointer) -> Bool {
        guard let permissions = self.session.permissions else { return true }
        let isAllowed: Bool
        if let known = result.pointee.publishAnswer(for: permissions.publishTag) {
            isAllowed = known
        } else {
            isAllowed = permissions.allowsPublish(subject)
            result.pointee.rememberPublishAnswer(isAllowed, for: permissions.publishTag)
        }
        if isAllowed || self.replies?.mayAnswer(subject, now: .now()) ?? false { return true }
        self.publishViolation(UnsafeRawBufferPointer(subject))
        return false
    }

    func publishViolation(_ subject: UnsafeRawBufferPointer) {
        let text = GoString.quoted(subject)
        self.sendError("Permissions Violation for Publish to \(text)")
        self.logger.error("\(self.label) - Publish Violation - Subject \(text)")
    }

    // MARK: Reload

    /// The users or their permissions have changed (nats-server reload.go reloadAuthorization).
    func reload(_ authenticator: Authenticator) {
        guard self.phase == .open else { return }
        let authenticator = self.webSocket.authenticator(authenticator)
        if self.negotiation.isSettled {
            let tls = self.webSocket.map { $0.service.tls } ?? self.shared.tls
            let maps = tls?.options.verifyAndMap == true
            self.session.certificateLookup =
                maps ? CertificateLookup(certificate: self.security?.certificate) : nil
        }
        defer { self.updateShadows() }
        if self.session.isBeginningWithoutConnect {
            return self.beginAgain(self.session.reloadedDuringCheck(authenticator))
        }
        guard !self.session.isBeingChecked, !self.session.isLookingUpAccount else {
            self.carryOut(self.session.reloadedDuringCheck(authenticator))
            if self.pendingCheck == nil, !self.session.isLookingUpAccount { self.resumeInput() }
            return
        }
        let turn: CalloutQueue.Turn = (self.pendingCheck as? CalloutTicket)?.isWaiting ?? false ? .next : .last
        self.pendingCheck?.cancel()
        self.pendingCheck = nil
        let former = self.session.permissions
        switch self.session.reloaded(authenticator) {
        case .close:
            self.close(.clientClosed)
        case .refuse:
            self.authenticationFailed()
        case .keep:
            if self.session.permissions !== former { self.applyReloadedPermissions() }
        case .verify(let check, _):
            if self.session.permissions !== former { self.applyReloadedPermissions() }
            guard !self.shared.passwords.isKnown(check) else { return }
            self.checkPassword(check) { connection, isRight in
                if !isRight { connection.authenticationFailed() }
            }
        case .callOut(let callout):
            self.callOut(callout, turn: turn) { connection, grant in connection.calledOutAgain(grant) }
        }
    }

    /// The account gives its users other permissions.
    func replacePermissions(_ permissions: ClientPermissions?) {
        guard permissions !== self.session.permissions else { return }
        self.session.replacePermissions(permissions)
        self.applyReloadedPermissions()
    }

    /// The service has been asked about a client that was there before a reload.
    private func calledOutAgain(_ grant: Authenticator.Grant?) {
        guard let grant else { return self.authenticationFailed() }
        // Whoever is to be somewhere else has to come again.
        guard grant.account === self.session.account else { return self.close(.clientClosed) }
        self.session.calledOutAgain(grant)
        self.applyReloadedPermissions()
        self.scheduleUserExpiry()
    }

    /// Ends subscriptions that are not allowed any more (nats-server client.go processSubsOnConfigReload).
    private func applyReloadedPermissions() {
        let permissions = self.session.permissions
        for subscription in self.subscriptions.values {
            let subject = subscription.subject
            let queue = subscription.queue
            guard let permissions, !permissions.allowsSubscribe(subject, queue: queue) else { continue }
            self.remove(subscription)
            let group = queue.isEmpty ? "" : " using queue \(GoString.quoted(queue))"
            let text = "\(GoString.quoted(subject))\(group) (sid \(GoString.quoted(subscription.sid)))"
            self.sendError("Permissions Violation for Subscription to \(text)")
            let user = self.session.userLabel ?? "User \"N/A\""
            self.logger.info("Removed sub \(text) for \(user) - not authorized")
        }
        self.applyPermissions()
    }
}
