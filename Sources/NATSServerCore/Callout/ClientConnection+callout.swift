import Logging
import NATSAuth
import NATSText
import NATSWire
import NATSXKeys
import NIOCore
import NIOSSL

/// Clients about whom an authorization service decides (nats-server auth_callout.go processClientOrLeafCallout).
extension ClientConnection {
    /// Ten years, in nanoseconds: as long as for ever.
    private static let longestStay: Int64 = 10 * 365 * 86_400 * 1_000_000_000

    /// Asks a service about this client.
    ///
    /// - Parameters:
    ///   - rules: Which service.
    ///   - turn: When, if it is asked about everybody; the client goes on meanwhile.
    ///   - completion: Called once on the event loop, never at once, with what the client gets; `nil` if it is not let in.
    ///     Not called if the connection is closed, or something else is to be waited for, before.
    func callOut(
        _ rules: CalloutRules,
        turn: CalloutQueue.Turn? = nil,
        completion: @escaping @Sendable (ClientConnection, Authenticator.Grant?) -> Void
    ) {
        // What the server thinks itself is of the log only.
        let isError = self.session.refusal.isError
        if let reason = self.session.takeRefusalReason() {
            self.logger.log(level: isError ? .error : .debug, "\(self.label) - \(reason)")
        }
        let shared = self.shared
        let userKey = NKeyPair.user().publicKey.text
        let seal = rules.xkey.map { CalloutAnswer.Seal(own: shared.identity.xkeys, service: $0) }
        let answer = CalloutAnswer(rules: rules, server: shared.identity.id, userKey: userKey, seal: seal)
        let ticket = CalloutTicket {
            self.ask(answer, $0)
        } completion: { ticket, end in
            guard !shared.isEnding else { return }
            self.loop.eventLoop.execute {
                guard self.phase == .open, self.pendingCheck === ticket else { return }
                self.pendingCheck = nil
                self.conclude(end, answer, completion)
            }
        }
        self.pendingCheck = ticket
        if let turn { self.loop.askLater(ticket, turn) } else { ticket.begin() }
    }

    private func ask(_ answer: CalloutAnswer, _ ticket: CalloutTicket) {
        let (shared, rules) = (self.shared, answer.rules)
        let timeout = self.session.authenticationTimeout
        if rules.isWithinProcess { return self.ask(shared.options.authorizer, ticket, timeout) }
        guard let account = shared.accounts[rules.place] else {
            ticket.end(
                .failed("No valid account \(Self.quoted(rules.place)) for auth callout request: account missing")
            )
            return
        }
        let payload: [UInt8]
        do {
            payload = try self.question(answer, timeout)
        } catch {
            let verb = error is XKeyError ? "encrypting" : "encoding"
            let text = "Error \(verb) auth request claim on account \(Self.quoted(account.name)): \(error)"
            ticket.end(.failed(text))
            return
        }
        let inbox = shared.identity.makeInbox()
        let subscription = shared.internalClient.subscribe(
            inbox,
            in: account,
            .inline { message, _ in
                ticket.end(.answered(message.payload))
                return .low
            }
        )
        let timer = self.loop.eventLoop.scheduleTask(in: timeout) { ticket.end(.timedOut) }
        ticket.onEnd {
            subscription?.cancel()
            timer.cancel()
        }
        var header: [UInt8] = []
        if let seal = answer.seal { header = CalloutRules.header(naming: seal.own.publicKey.text) }
        shared.internalClient.publish(
            InternalMessage(CalloutRules.subject, reply: Array(inbox.utf8), header: header, payload: payload),
            in: account
        )
    }

    /// Asks somebody within the process.
    private func ask(_ authorizer: Authorizer?, _ ticket: CalloutTicket, _ timeout: TimeAmount) {
        guard let authorizer else { return ticket.end(.failed("There is nobody to decide about clients")) }
        let payload = self.session.payload
        let client = Authorizer.Client(
            host: self.remoteIP,
            user: payload.user,
            password: payload.password,
            token: payload.authToken,
            nkey: payload.nkey,
            name: payload.name
        )
        let timer = self.loop.eventLoop.scheduleTask(in: timeout) { ticket.end(.timedOut) }
        let task = Task { ticket.end(.decided(await authorizer.decide(client))) }
        ticket.onEnd {
            timer.cancel()
            task.cancel()
        }
    }

    private static func quoted(_ text: String) -> String { GoString.quoted(Array(text.utf8)) }

    /// The payload of the question, sealed if it is to be.
    private func question(_ answer: CalloutAnswer, _ timeout: TimeAmount) throws -> [UInt8] {
        let (shared, seal) = (self.shared, answer.seal)
        let now = shared.clock.wallNanoseconds(.now())
        let question = CalloutQuestion(
            rules: answer.rules,
            server: shared.calloutIdentity(sealed: seal != nil),
            userKey: answer.userKey,
            client: CalloutQuestion.Client(
                host: self.remoteIP,
                id: self.id,
                type: self.webSocket == nil ? "nats" : "websocket",
                connect: self.session.payload,
                nonce: self.session.nonce,
                tls: self.security?.claims,
                user: self.session.askedUser
            )
        )
        let expires = (now + min(timeout.nanoseconds, Self.longestStay)) / 1_000_000_000
        let token = try question.claims(expires: expires)
            .encoded(signedBy: shared.identity.keys, at: now / 1_000_000_000)
        guard let seal else { return Array(token.utf8) }
        return try seal.own.seal(Array(token.utf8), for: seal.service)
    }

    /// A question has come to an end: the client gets what it is to get, at once unless an account has to be looked for.
    private func conclude(
        _ end: CalloutTicket.End,
        _ answer: CalloutAnswer,
        _ completion: @escaping @Sendable (ClientConnection, Authenticator.Grant?) -> Void
    ) {
        guard answer.rules.isClaimed, case .answered(let payload) = end else {
            return completion(self, self.judge(end, answer))
        }
        do throws(CalloutAnswer.Refusal) {
            let authority = self.shared.accounts[answer.rules.account]?.standing.authority
            let found = try answer.open(payload, at: self.shared.clock.wallNanoseconds(.now()), authority: authority)
            if let known = self.shared.accounts[found.account], known.standing.authority != nil,
                !known.standing.isExpired
            {
                return completion(self, self.grant(found, answer, .found(known)))
            }
            self.waitForAccount(found.account) { completion($0, $0.grant(found, answer, $1)) }
        } catch {
            self.answerRefused(error)
            completion(self, nil)
        }
    }

    /// The account of the user that an account's service has named was found or not.
    private func grant(
        _ found: CalloutAnswer.Found,
        _ answer: CalloutAnswer,
        _ lookUp: OperatorMode.LookUp
    ) -> Authenticator.Grant? {
        do throws(CalloutAnswer.Refusal) {
            let account: Account
            switch lookUp {
            case .found(let known): account = known
            case .failed(let words): throw answer.missing(found, words)
            }
            guard let authority = account.standing.authority, let operators = self.shared.operators else {
                throw answer.missing(found, "account missing")
            }
            let (limits, permissions) = try answer.admit(found, by: authority)
            return Authenticator.Grant(
                permissions: operators.permissions.permissions(
                    answer.rules.permissions(permissions, in: account.name)
                ),
                account: account,
                user: JWTUser(found.user, limits, inPlaceOf: self.session.askedUser, remaining: found.remaining),
                name: found.user.name.isEmpty ? nil : found.user.name
            )
        } catch {
            self.answerRefused(error)
            return nil
        }
    }

    /// Tells the log, and the client, why an answer leads to nothing.
    private func answerRefused(_ error: CalloutAnswer.Refusal) {
        if let note = error.note { self.logger.error("\(self.label) - \(note)") }
        if let detail = error.detail { self.logger.debug("\(self.label) - \(GoString.harmless(detail.utf8))") }
        self.session.refused(error.closes)
        self.calloutFailure = error.reason
        // The log has this line before the reason.
        self.authenticationViolated()
        self.logger.warning("\(GoString.harmless(error.reason.utf8))")
    }

    /// Puts a client into the account by whose service it is asked about, as its own JWT says (nats-server auth.go
    /// processClientOrLeafAuthentication).
    ///
    /// - Returns: `false` if there is no place for it; it has been closed then.
    func mayBeAskedAbout(_ rules: CalloutRules) -> Bool {
        guard rules.isClaimed, rules.place == rules.account else { return true }
        guard self.enterAccount() else { return false }
        self.logAuthenticatedUser()
        return true
    }

    /// What a question has led to; of what is wrong the log, and a client that is refused, are told here.
    private func judge(_ end: CalloutTicket.End, _ answer: CalloutAnswer) -> Authenticator.Grant? {
        switch end {
        case .failed(let text):
            self.calloutFailure = text
            self.logger.warning("\(text)")
            return nil
        case .timedOut:
            self.calloutFailure = ""
            let account = Self.quoted(answer.rules.place)
            self.logger.debug("Authorization callout response not received in time on account \(account)")
            return nil
        case .decided(let verdict):
            return self.grant(verdict)
        case .answered(let payload):
            do throws(CalloutAnswer.Refusal) {
                let now = self.shared.clock.wallNanoseconds(.now())
                let accounts = self.shared.accounts
                return self.grant(try answer.judge(payload, at: now) { accounts[$0] != nil }, answer.rules)
            } catch {
                self.answerRefused(error)
                return nil
            }
        }
    }

    /// The account that the service has named has too many connections.
    func calloutFoundNoRoom() {
        let text = "Could not register auth callout user: maximum account active connections exceeded"
        self.calloutFailure = text
        self.authenticationViolated()
        self.logger.warning("\(text)")
    }

    private func grant(_ verdict: Authorizer.Verdict) -> Authenticator.Grant? {
        switch verdict {
        case .refuse(let reason):
            self.calloutFailure = reason
            self.logger.warning("\(GoString.harmless(reason.utf8))")
            return nil
        case .accept(let account, let name, let permissions, let stay):
            guard let target = self.shared.accounts[account] else {
                return self.grant(.refuse("There is no account \(Self.quoted(account))"))
            }
            return Authenticator.Grant(
                permissions: permissions.map { self.shared.permissions.permissions($0) },
                account: account == Account.globalName ? nil : target,
                name: name.isEmpty ? nil : name,
                remaining: stay.map { TimeAmount($0).nanoseconds }
            )
        }
    }

    /// Those to whom an account belongs are told that somebody was refused; with a service, those of the service's account
    /// (nats-server auth.go processClientOrLeafAuthentication).
    func tellAccountOfFailure() {
        let failure = self.calloutFailure.take()
        guard let rules = self.session.callout else {
            return self.tellAccountOfAuthenticationError(self.session.refusal.closes)
        }
        if rules.isClaimed {
            guard let account = self.shared.accounts[rules.account] else { return }
            self.tellAccountOfAuthenticationError(failure ?? self.session.refusal.closes.rawValue, in: account)
            return
        }
        let isOfAccount = rules.concerns(self.session.account?.name ?? Account.globalName)
        let account = isOfAccount ? self.shared.accounts[rules.account] : self.account
        guard let account else { return }
        self.tellAccountOfAuthenticationError(failure ?? self.session.refusal.closes.rawValue, in: account)
    }

    private func grant(_ admission: CalloutAnswer.Admission, _ rules: CalloutRules) -> Authenticator.Grant? {
        let name = admission.account
        // A reload may have taken it away since the answer was judged.
        guard let account = self.shared.accounts[name] else {
            return self.grant(.refuse("There is no account \(Self.quoted(name))"))
        }
        return Authenticator.Grant(
            permissions: self.shared.permissions.permissions(rules.permissions(admission.permissions, in: name)),
            account: name == Account.globalName ? nil : account,
            name: admission.user.isEmpty ? nil : admission.user,
            remaining: admission.remaining
        )
    }
}

extension ConnectionSecurity {
    /// What an authorization service is told.
    var claims: AuthorizationRequestClaims.TLS {
        var claims = AuthorizationRequestClaims.TLS()
        claims.version = self.version
        claims.cipher = self.cipherSuite
        guard let der = try? self.handler.peerCertificate?.toDERBytes() else { return claims }
        // No certificate comes unverified: only who verifies asks for one.
        claims.verifiedChains = [self.rules.chain(from: der).map(PEM.certificate)]
        return claims
    }
}
