import Logging
import NATSText
import NATSWire
import NIOCore

/// What a connection has to do with its account.
extension ClientConnection {
    /// The connection comes to the account that the session names.
    ///
    /// - Returns: `false` if there is no room: then it has been closed.
    func enterAccount() -> Bool {
        let account = self.session.account ?? self.shared.accounts.global
        self.leaveAccount()
        self.knownInfo = RequestInfo()
        if account !== self.account {
            self.dropSubscriptions()
            self.account = account
            self.router = self.loop.router(for: account)
            self.streamsVersion = account.currentStreamsVersion
        }
        self.takeAccountLimits()
        self.isInAccount = account.enter()
        if self.isInAccount {
            self.shared.system?.connectionsChanged(of: account, connections: account.connectionCount)
        }
        guard self.isInAccount else {
            let text = "maximum account active connections exceeded"
            // The log does not know the account yet.
            if self.shared.shouldLog(text) { self.logger.error("\(self.label) - \(text)") }
            self.fail(text, .maxAccountConnectionsExceeded)
            // nats-server auth.go: a refused nkey user is refused once more.
            if let label = self.session.userLabel, !self.session.payload.nkey.isEmpty, self.session.user == nil {
                self.logger.error("\(self.label) - authentication error - \(label)")
            }
            return false
        }
        if self.isAtSubscriptionLimit { self.closeAtSubscriptionLimit() }
        return true
    }

    /// What the account allows, and the user's JWT if there is one.
    private func takeAccountLimits() {
        self.accountLimits = self.account.limits.narrowed(by: self.session.user?.limits)
        self.applyLimits()
        self.logOverriddenLimits()
    }

    /// The account allows something else than before.
    func refreshAccountLimits() {
        self.takeAccountLimits()
        if self.isAtSubscriptionLimit { self.closeAtSubscriptionLimit() }
    }

    // MARK: Streams of other accounts

    /// Subscribes to what the account imports of the subject.
    func addShadows(of subscription: Subscription) {
        // Which version that is stays as it was: other subscriptions may know an older one (``updateShadows()``).
        guard self.account.currentStreamsVersion > 0 else { return }
        let subject = String(decoding: subscription.subject, as: UTF8.self)
        for stream in self.account.streams {
            guard let wanted = stream.shadow(of: subject) else { continue }
            self.logger.debug(
                """
                \(self.label) - Creating import subscription on \(GoString.quoted(wanted.utf8)) from account \
                \(GoString.quoted(stream.exporter.name.utf8))
                """
            )
            let shadow = Subscription(
                of: subscription,
                for: stream,
                subject: Array(wanted.utf8),
                permissions: self.session.permissions
            )
            if stream.exporter.index.insert(shadow) { subscription.shadows.append(shadow) }
        }
    }

    func removeShadows(of subscription: Subscription) {
        for shadow in subscription.shadows { shadow.index.remove(shadow) }
        subscription.shadows = []
    }

    /// The account may import other streams since a reload (nats-server client.go processSubsOnConfigReload).
    func updateShadows() {
        // Read first: what changes meanwhile is met by the next reload.
        let version = self.account.currentStreamsVersion
        guard self.phase == .open, self.streamsVersion != version else { return }
        self.streamsVersion = version
        for subscription in self.subscriptions.values {
            let old = subscription.shadows
            subscription.shadows = []
            self.addShadows(of: subscription)
            for shadow in old { shadow.index.remove(shadow) }
        }
    }

    func leaveAccount() {
        guard self.isInAccount else { return }
        self.isInAccount = false
        self.account.leave()
        self.shared.system?.connectionsChanged(of: self.account, connections: self.account.connectionCount)
    }

    /// What is less counts, of the server's limits and the account's (nats-server client.go applyAccountLimits).
    func applyLimits() {
        let settings = self.settings
        let limits = self.accountLimits
        self.parser.maxPayload =
            limits.maxPayload < 0 ? settings.maxPayload : min(limits.maxPayload, settings.maxPayload)
        self.maxSubscriptions = settings.maxSubscriptions > 0 ? settings.maxSubscriptions : -1
        if limits.maxSubscriptions >= 0, self.maxSubscriptions < 0 || limits.maxSubscriptions < self.maxSubscriptions {
            self.maxSubscriptions = limits.maxSubscriptions
        }
    }

    private func logOverriddenLimits() {
        let (settings, limits) = (self.settings, self.accountLimits)
        if limits.maxPayload > settings.maxPayload {
            self.logger.debug(
                """
                \(self.label) - Max Payload set to \(settings.maxPayload) from server overrides account or user config
                """
            )
        }
        if settings.maxSubscriptions > 0, limits.maxSubscriptions > settings.maxSubscriptions {
            self.logger.debug(
                """
                \(self.label) - Max Subscriptions set to \(settings.maxSubscriptions) from server overrides account or \
                user config
                """
            )
        }
    }

    /// The limit that INFO names after CONNECT.
    func announcedMaxPayload(_ limit: Int) -> Int {
        let own = self.accountLimits.maxPayload
        return own < 0 || (limit >= 0 && limit < own) ? limit : own
    }

    var isAtSubscriptionLimit: Bool {
        self.maxSubscriptions >= 0 && self.subscriptions.count >= self.maxSubscriptions
    }

    /// An account without any subscriptions ends its connections a moment after they have come.
    private func closeAtSubscriptionLimit() {
        self.subscriptionLimitExceeded()
        self.loop.eventLoop.scheduleTask(in: .milliseconds(20)) { self.close(.maxSubscriptionsExceeded) }
    }
}
