import Logging
import NATSAuth
import NATSText
import NATSWire
import NIOCore

/// Whether a leaf node may come in, and to which account (nats-server auth.go isLeafNodeAuthorized).
extension LeafConnection {
    func authorize(_ greeting: LeafConnect) {
        let options = self.service.options
        if !options.user.isEmpty {
            return self.authorize(
                greeting,
                .init(name: options.user, password: options.password, account: options.account)
            )
        }
        if !options.nkey.isEmpty {
            guard greeting.nkey == options.nkey, self.isSigned(greeting) else { return self.refuseCredentials() }
            return self.authorized(as: greeting, inAccount: options.account)
        }
        guard options.users.isEmpty else {
            guard let user = options.users.first(where: { $0.name == greeting.user }) else {
                return self.refuseCredentials()
            }
            return self.authorize(greeting, user)
        }
        let authenticator = self.shared.authenticator
        guard authenticator.isRequired else { return self.authorized(as: greeting, inAccount: options.account) }
        self.decide(greeting, authenticator, lookedUp: nil)
    }

    /// The server's own users, whose connections may be those of leaf nodes.
    private func decide(_ greeting: LeafConnect, _ authenticator: Authenticator, lookedUp: OperatorMode.LookUp?) {
        var payload = greeting.payload
        var lookup: CertificateLookup?
        let decision = authenticator.decide(
            &payload,
            nonce: self.nonce,
            type: .leafNode,
            host: self.remoteIP,
            lookup: &lookup,
            lookedUp: lookedUp
        )
        switch decision {
        case .accept(let grant): self.granted(greeting, grant)
        case .verify(let check, let grant):
            self.verify(check) { connection in connection.granted(greeting, grant) }
        case .lookUp(let name): self.lookUp(name, greeting, authenticator)
        // A service is not asked about leaf nodes: a configuration with one is refused (``SupportedKeys``), and of
        // accounts with one nobody gets in.
        case .refuse, .callOut: self.refuseCredentials()
        }
    }

    private func granted(_ greeting: LeafConnect, _ grant: Authenticator.Grant) {
        guard grant.permissions?.options.responses == nil else {
            self.logger.error("\(self.label) - users with allow_responses are not supported for leaf nodes yet")
            return self.refuseCredentials()
        }
        if let remaining = grant.user?.remaining ?? grant.remaining {
            let time = TimeAmount.nanoseconds(min(remaining, 3_000_000_000_000_000_000))
            self.loop.setTimer(.userExpiry, for: self.id, at: .now() + time)
        }
        self.user = grant.user
        self.authorized(as: greeting, grant.account ?? self.shared.accounts.global, grant.permissions?.options)
    }

    private func authorize(_ greeting: LeafConnect, _ user: LeafNodesOptions.User) {
        let isUser = ConstantTime.areEqual(user.name.utf8, greeting.user.utf8)
        guard Bcrypt.isHash(user.password) else {
            let isPassword = ConstantTime.areEqual(user.password.utf8, greeting.password.utf8)
            guard isUser, isPassword else { return self.refuseCredentials() }
            return self.authorized(as: greeting, inAccount: user.account)
        }
        guard isUser else { return self.refuseCredentials() }
        self.verify(PasswordCheck(password: greeting.password, hash: user.password)) { connection in
            connection.authorized(as: greeting, inAccount: user.account)
        }
    }

    private func authorized(as greeting: LeafConnect, inAccount name: String?) {
        self.isOfBlock = true
        guard let name else { return self.authorized(as: greeting, self.shared.accounts.global, nil) }
        if let account = self.shared.accounts[name] { return self.authorized(as: greeting, account, nil) }
        let quoted = (GoString.quoted(greeting.user.utf8), GoString.quoted(name.utf8))
        self.logger.error(
            "authentication of user \(quoted.0) failed, unable to lookup account \(quoted.1): account missing"
        )
        self.refuseCredentials()
    }

    private func isSigned(_ greeting: LeafConnect) -> Bool {
        guard let signature = Base64.decode(greeting.signature), let key = try? NKeyPublicKey(greeting.nkey) else {
            return false
        }
        return key.isValidSignature(signature, for: Array(self.nonce.utf8))
    }

    private func verify(_ check: PasswordCheck, _ proceed: @escaping @Sendable (LeafConnection) -> Void) {
        guard !self.shared.passwords.isKnown(check) else { return proceed(self) }
        let ticket = PasswordVerifier.Ticket(self.shared.passwords)
        self.wait(for: ticket)
        self.shared.passwords.verify(check, ticket) { isRight in
            self.loop.eventLoop.execute {
                guard self.phase == .open, self.pendingCheck === ticket else { return }
                self.pendingCheck = nil
                if isRight { proceed(self) } else { self.refuseCredentials() }
            }
        }
    }

    private func lookUp(_ name: String, _ greeting: LeafConnect, _ authenticator: Authenticator) {
        guard let operators = self.shared.operators else { return self.refuseCredentials() }
        let lookUp = AccountLookUp { lookUp, outcome in
            self.loop.eventLoop.execute {
                guard self.phase == .open, self.pendingCheck === lookUp else { return }
                self.pendingCheck = nil
                self.decide(greeting, authenticator, lookedUp: outcome)
            }
        }
        self.wait(for: lookUp)
        lookUp.expire(in: TimeAmount(self.service.options.timeout), on: self.loop.eventLoop)
        operators.lookUp(name, lookUp)
    }

    /// Handles no input until a check is over.
    private func wait(for check: any PendingCheck) {
        self.pendingCheck = check
        if self.heldInput == nil { self.heldInput = ByteBuffer() }
    }

    func refuseCredentials() {
        let user = self.greeting.map { $0.user.isEmpty ? "" : " - User \(GoString.quoted($0.user.utf8))" } ?? ""
        self.logger.error("\(self.label) - authentication error\(user)")
        self.fail("Authorization Violation", .authenticationFailure)
    }

    // MARK: Claims

    /// The account has other claims than before (nats-server accounts.go UpdateAccountClaims).
    func accountChanged(_ change: AccountChange) {
        guard self.phase == .open, self.isInAccount, let user = self.user else { return }
        let claims = change.authority.claims
        if claims.revocations.isRevoked(user.publicKey, issuedAt: user.issuedAt) {
            return self.fail("User Authentication Revoked", .revocation)
        }
        guard change.signersChanged, let key = user.signingKey else { return }
        if change.alteredSigners.contains(key) || !change.authority.hasIssuer(key) {
            self.close(.authenticationFailure)
        }
    }

    /// The account's JWT has expired, or is gone (nats-server client.go accountAuthExpired).
    func accountExpired() { self.fail("Account Authentication Expired", .authenticationExpired) }
}
