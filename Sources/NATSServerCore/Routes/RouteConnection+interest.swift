import Logging
import NATSText
import NATSWire
import NIOConcurrencyHelpers
import NIOCore

/// What the peer wants.
extension RouteConnection {
    // MARK: What the peer wants

    /// RS+ or LS+: nothing tells them apart here, as peers are asked to send no LS+.
    func addInterest(_ base: UnsafePointer<UInt8>, _ operation: RouteOperation) {
        let (name, key) = self.key(base, operation)
        let weight = key.queue.isEmpty ? 1 : operation.weight
        // What is known already waits for ``accountsChanged(watching:)``, all of it or nothing.
        let account: Account? =
            if let known = self.interest[name] {
                known.account
            } else {
                self.shared.accounts[String(decoding: name, as: UTF8.self)]
            }
        if account == nil { self.reportUnknown(name, key.subject) }
        if let known = self.interest[name]?.wanted[key] {
            guard !key.queue.isEmpty else { return }
            if let account { account.index.setWeight(of: known, to: weight) } else { known.weight = weight }
            return
        }
        let isValid = key.subject.withUnsafeBytes { SubjectGrammar.isSubscribable($0) }
        guard isValid else {
            self.traceOut("-ERR Invalid Subscription")
            self.outlet.append("-ERR 'Invalid Subscription'\r\n")
            return
        }
        if let permissions = self.permissions, !permissions.allowsSubscribe(key.subject, queue: []) {
            let subject = GoString.quoted(key.subject)
            self.logger.debug("\(self.label) - Can not export \(subject), ignoring remote subscription request")
            return
        }
        let interest = RemoteInterest(subject: key.subject, queue: key.queue, weight: weight, peer: self)
        self.interest[name, default: PeerInterest(account: account)].wanted[key] = interest
        if self.link != nil { _ = account?.index.insert(interest) }
    }

    /// The interest is kept: an account may come with a reload, or with the first client that belongs to it.
    private func reportUnknown(_ account: [UInt8], _ subject: [UInt8]) {
        let text = "Unknown account \(GoString.quoted(account)) for remote subject \(GoString.quoted(subject))"
        guard self.shared.operators == nil else { return self.logger.debug("\(self.label) - \(text)") }
        if self.shared.shouldLog(text) { self.logger.error("\(self.label) - \(text)") }
    }

    /// RS-, LS- or UNSUB.
    func removeInterest(_ base: UnsafePointer<UInt8>, _ operation: RouteOperation) {
        let (name, key) = self.key(base, operation)
        guard let known = self.interest[name]?.wanted.removeValue(forKey: key) else { return }
        self.interest[name]?.account?.index.remove(contentsOf: CollectionOfOne(known))
        if self.interest[name]?.wanted.isEmpty == true { self.interest[name] = nil }
    }

    /// Messages may go to the peer from now on.
    func insertInterest() {
        for interest in self.interest.values {
            for wanted in interest.wanted.values { _ = interest.account?.index.insert(wanted) }
        }
    }

    /// The peer wants nothing any more.
    func dropInterest() {
        for interest in self.interest.values { interest.account?.index.remove(contentsOf: interest.wanted.values) }
        self.interest = [:]
    }

    /// Accounts have come or gone: what the peer wants of one goes to the one of that name.
    ///
    /// - Parameter accounts: Those that this connection carries.
    func accountsChanged(watching accounts: [Account]) {
        guard self.phase == .open else { return }
        self.routedAccounts.removeAll()
        for watcher in self.watchers.values where self.shared.accounts[watcher.account.name] !== watcher.account {
            self.withdraw(watcher)
        }
        for account in accounts { self.watch(account) }
        for (name, interest) in self.interest {
            let account = self.shared.accounts[String(decoding: name, as: UTF8.self)]
            guard account !== interest.account else { continue }
            interest.account?.index.remove(contentsOf: interest.wanted.values)
            self.interest[name]?.account = account
            guard self.link != nil, let account else { continue }
            for wanted in interest.wanted.values { _ = account.index.insert(wanted) }
        }
    }

    /// An account is gone: the peer is told so before it may hear of another one of that name.
    private func withdraw(_ watcher: InterestWatcher) {
        self.watchers[ObjectIdentifier(watcher.account)] = nil
        let name = self.isDedicated ? [] : watcher.account.index.account
        var lines: [UInt8] = []
        for update in watcher.account.index.withdraw(watcher) { self.append(update, of: name, to: &lines) }
        self.writeAhead(&lines)
    }

    /// The peer takes other subjects than before: what it has refused until now it has not kept (nats-server route.go
    /// updateRemoteRoutePerms).
    func tellAgain() {
        for watcher in self.watchers.values {
            let name = self.isDedicated ? [] : watcher.account.index.account
            var lines: [UInt8] = []
            for update in watcher.account.index.restart(watcher) { self.append(update, of: name, to: &lines) }
            self.writeAhead(&lines)
        }
    }

    private func key(_ base: UnsafePointer<UInt8>, _ operation: RouteOperation) -> (account: [UInt8], InterestKey) {
        let account = self.dedicatedAccount ?? Array(UnsafeBufferPointer(rebasing: operation.account, of: base))
        let subject = Array(UnsafeBufferPointer(rebasing: operation.subject, of: base))
        let queue = Array(UnsafeBufferPointer(rebasing: operation.queues, of: base))
        return (account, InterestKey(subject: subject, queue: queue))
    }
}
