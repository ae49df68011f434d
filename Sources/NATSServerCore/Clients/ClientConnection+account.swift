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
        if self.isInAccount, let system = self.shared.system {
            let connections = account.connectionCount
            system.connectionsChanged(of: account, connections: connections)
            if account.mustAskElsewhere() { system.askForConnections(of: account) }
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
        for (stream, subject) in self.importedParts(of: subscription) {
            let shadow = self.makeShadow(of: subscription, for: stream, subject)
            if stream.exporter.index.insert(shadow) { subscription.shadows.append(shadow) }
        }
    }

    /// What the account imports of a subscription's subject, with the exporters' names for it.
    private func importedParts(of subscription: Subscription) -> [(stream: StreamImport, subject: [UInt8])] {
        guard self.account.currentStreamsVersion > 0 else { return [] }
        let subject = String(decoding: subscription.subject, as: UTF8.self)
        return self.account.streams.compactMap { stream in
            stream.shadow(of: subject).map { (stream, Array($0.utf8)) }
        }
    }

    private func makeShadow(
        of subscription: Subscription,
        for stream: StreamImport,
        _ subject: [UInt8]
    ) -> Subscription {
        self.logger.debug(
            """
            \(self.label) - Creating import subscription on \(GoString.quoted(subject)) from account \
            \(GoString.quoted(stream.exporter.name.utf8))
            """
        )
        return Subscription(of: subscription, for: stream, subject: subject, permissions: self.session.permissions)
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
        for subscription in self.subscriptions.values { self.updateShadows(of: subscription) }
    }

    /// Without a moment in which a message would come twice, or not at all.
    private func updateShadows(of subscription: Subscription) {
        var old = subscription.shadows
        var kept: [Subscription] = []
        var new: [Subscription] = []
        for (stream, subject) in self.importedParts(of: subscription) {
            let same = old.firstIndex { $0.subject == subject && $0.stream?.isSame(as: stream) == true }
            if let same {
                kept.append(old.remove(at: same))
            } else {
                new.append(self.makeShadow(of: subscription, for: stream, subject))
            }
        }
        while let index = (old.first ?? new.first)?.index {
            kept += index.exchange(old.filter { $0.index === index }, for: new.filter { $0.index === index })
            old.removeAll { $0.index === index }
            new.removeAll { $0.index === index }
        }
        subscription.shadows = kept
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
