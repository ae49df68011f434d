import Logging
import NATSAuth
import NATSText
import NIOCore

/// A connection whose user and account are JWTs.
extension ClientConnection {
    /// What a resolver may take by itself (nats-server accounts.go DEFAULT_ACCOUNT_FETCH_TIMEOUT).
    private static let shortestLookUp: TimeAmount = .seconds(2)

    /// Looks for the account of the user; no input is handled until it is found or not.
    func lookUpAccount(_ name: String) {
        if self.heldInput == nil { self.suspendInput() }
        self.waitForAccount(name) { $0.accountLookedUp($1) }
    }

    /// Looks for an account; `completion` is called on the event loop, unless the connection has been closed, or something
    /// else is waited for.
    func waitForAccount(
        _ name: String,
        completion: @escaping @Sendable (ClientConnection, OperatorMode.LookUp) -> Void
    ) {
        guard let operators = self.shared.operators else { return }
        let lookUp = AccountLookUp { lookUp, outcome in
            self.loop.eventLoop.execute {
                // One that was on its way here when another was begun does not count.
                guard self.phase == .open, self.pendingCheck === lookUp else { return }
                self.pendingCheck = nil
                completion(self, outcome)
            }
        }
        self.pendingCheck = lookUp
        // Others may be before it, and the resolver slow: nobody keeps a connection with it for longer.
        let time = max(Self.shortestLookUp, self.session.authenticationTimeout)
        lookUp.expire(in: time, on: self.loop.eventLoop)
        operators.lookUp(name, lookUp)
    }

    /// Tells the log who has been let in (nats-server auth.go processClientOrLeafAuthentication).
    func logAuthenticatedUser() {
        guard let user = self.session.user, !user.isOfCallout, self.logger.logLevel <= .debug,
            let authority = self.account.standing.authority
        else { return }
        func quoted(_ text: String) -> String { GoString.quoted(Array(text.utf8)) }
        let claims = authority.claims
        self.logger.debug(
            """
            \(self.label) - Authenticated JWT: Client \(quoted(user.publicKey)) (claim-name: \(quoted(user.name)), \
            claim-tags: [\(user.tags.map(quoted).joined(separator: " "))]) signed with \(quoted(user.signingKey ?? claims.subject)) \
            by Account \(quoted(claims.subject)) (claim-name: \(quoted(claims.name)), \
            claim-tags: [\(claims.tags.map(quoted).joined(separator: " "))]) signed with \(quoted(claims.issuer)) \
            has mappings \(!self.account.options.mappings.isEmpty)
            """
        )
    }

    /// Sets the time at which the user has to go, if there is one.
    func scheduleUserExpiry() {
        self.userExpiry = nil
        guard let remaining = self.session.user?.remaining ?? self.session.remaining else { return }
        // A century is as good as for ever.
        let deadline = NIODeadline.now() + .nanoseconds(min(remaining, 3_000_000_000_000_000_000))
        self.userExpiry = deadline
        self.loop.setTimer(.userExpiry, for: self.id, at: deadline)
    }

    /// The time of the user's JWT, or of day, is over (nats-server client.go authExpired).
    func userExpired(_ deadline: NIODeadline) {
        guard self.phase == .open, self.userExpiry == deadline else { return }
        self.failWithDetail("User Authentication Expired", .authenticationExpired)
    }

    /// The account's JWT has expired, or is gone (nats-server client.go accountAuthExpired).
    func accountExpired() { self.failWithDetail("Account Authentication Expired", .authenticationExpired) }

    private func failWithDetail(_ text: String, _ reason: ClosedReason) {
        guard self.phase == .open else { return }
        self.logRateLimited(.debug, text)
        self.fail(text, reason)
    }

    /// The account may have fewer connections than it has.
    func accountIsTooFull() {
        guard self.phase == .open, self.isInAccount else { return }
        let text = "maximum account active connections exceeded"
        self.fail(text, .maxAccountConnectionsExceeded)
        self.logRateLimited(.error, text)
    }

    /// The account has other claims than before (nats-server accounts.go UpdateAccountClaims, in its order).
    func accountChanged(_ change: AccountChange) {
        guard self.phase == .open, self.isInAccount else { return }
        self.refreshAccountLimits()
        guard self.phase == .open, let user = self.session.user else { return }
        let claims = change.authority.claims
        if change.defaultPermissionsChanged, user.hasDefaultPermissions {
            self.replacePermissions(
                self.shared.operators?.permissions.permissions(claims.defaultPermissions, in: claims)
            )
        }
        if user.isBearer, claims.limits.disallowBearer {
            self.logger.debug("\(self.label) - Bearer User JWT not allowed")
            self.authenticationFailed()
            return
        }
        if claims.revocations.isRevoked(user.publicKey, issuedAt: user.issuedAt) {
            self.failWithDetail("User Authentication Revoked", .revocation)
            return
        }
        guard change.signersChanged, let key = user.signingKey else { return }
        if change.alteredSigners.contains(key) || !change.authority.hasIssuer(key) {
            self.close(.authenticationFailure)
        }
    }
}
