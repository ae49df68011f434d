import Logging
import NATSText
import NATSWire
import NIOConcurrencyHelpers
import NIOCore

/// What the peer wants, and what it is told of subscriptions here.
extension RouteConnection {
    /// So many changes are looked at before others get at the account's subscriptions.
    private static let lookedAtOnce = 512
    /// So many bytes are written in one piece.
    private static let pieceSize = 64 << 10
    /// A peer that has not taken this much is told of changes later, unless messages go with them.
    private static let mostWaiting = 1 << 20
    private static let retryTime: TimeAmount = .milliseconds(10)

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
        let interest = RemoteInterest(subject: key.subject, queue: key.queue, weight: weight, route: self)
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

    private func key(_ base: UnsafePointer<UInt8>, _ operation: RouteOperation) -> (account: [UInt8], InterestKey) {
        let account = self.dedicatedAccount ?? Array(UnsafeBufferPointer(rebasing: operation.account, of: base))
        let subject = Array(UnsafeBufferPointer(rebasing: operation.subject, of: base))
        let queue = Array(UnsafeBufferPointer(rebasing: operation.queues, of: base))
        return (account, InterestKey(subject: subject, queue: queue))
    }

    // MARK: What the peer is told

    /// Tells the peer of an account's subscriptions from now on.
    func watch(_ account: Account) {
        guard self.phase == .open, self.watchers[ObjectIdentifier(account)] == nil else { return }
        if self.watchers.isEmpty {
            // INFO comes first, and it may still be staged.
            self.send(self.outlet.takeStaged(), now: .now())
        }
        let watcher = InterestWatcher(account: account, route: self)
        self.watchers[ObjectIdentifier(account)] = watcher
        account.index.begin(watcher)
    }

    func endWatchers() {
        for watcher in self.watchers.values { watcher.account.index.end(watcher) }
        self.watchers = [:]
        self.pendingInterest.withLockedValue { $0 = [] }
    }

    /// There is something to tell; under the lock of the account's subscriptions, on any thread.
    func interestIsPending(_ watcher: InterestWatcher) {
        let isFirst = self.pendingInterest.withLockedValue { pending in
            pending.append(watcher)
            return pending.count == 1
        }
        guard isFirst, !self.shared.isEnding else { return }
        self.loop.eventLoop.execute { if !self.announcesLater { self.announceInterest() } }
    }

    private func announceInterest() {
        self.announcesLater = false
        guard self.phase == .open, let context = self.context else { return }
        guard self.backlog.pending < Self.mostWaiting else {
            self.announcesLater = true
            self.loop.eventLoop.scheduleTask(in: Self.retryTime) { self.announceInterest() }
            return
        }
        self.announceInterest(context, isWhole: false)
    }

    /// Writes what there is to tell, ahead of all that is staged.
    ///
    /// - Parameters:
    ///   - context: Where to.
    ///   - isWhole: Whether everything has to be told, since messages follow; else one piece of each account.
    func announceInterest(_ context: ChannelHandlerContext, isWhole: Bool) {
        guard !self.isAnnouncing else { return }
        let pending = self.pendingInterest.withLockedValue { pending in
            defer { pending = [] }
            return pending
        }
        guard !pending.isEmpty else { return }
        self.isAnnouncing = true
        defer { self.isAnnouncing = false }
        var lines: [UInt8] = []
        for watcher in pending where self.watchers[ObjectIdentifier(watcher.account)] === watcher {
            watcher.willLook()
            let name = self.isDedicated ? [] : watcher.account.index.account
            var hasMore = true
            repeat {
                hasMore = watcher.account.index.next(watcher, atMost: Self.lookedAtOnce) { update in
                    self.append(update, of: name, to: &lines)
                }
                if lines.count >= Self.pieceSize { self.writeAhead(&lines) }
            } while hasMore && isWhole
            if hasMore { watcher.interestChanged() }
        }
        self.writeAhead(&lines)
    }

    private func append(_ update: InterestLedger.Update, of account: [UInt8], to lines: inout [UInt8]) {
        // What this server does not import no peer need send.
        let isImported = self.permissions.map { update.subject.withUnsafeBufferPointer($0.allowsPublish) } ?? true
        guard isImported else { return }
        if update.weight > 0 {
            RouteFrame.appendInterest(
                account: account,
                subject: update.subject,
                queue: update.queue,
                weight: update.weight,
                to: &lines
            )
        } else {
            RouteFrame.appendNoInterest(account: account, subject: update.subject, queue: update.queue, to: &lines)
        }
    }

    private func writeAhead(_ lines: inout [UInt8]) {
        guard !lines.isEmpty else { return }
        if self.isTracing {
            for line in lines.split(separator: 0x0a) { self.traceOut(GoString.harmless(line.dropLast())) }
        }
        let staged = Outlet.Staged(
            earlier: [],
            last: ByteBuffer(bytes: lines),
            bytes: lines.count,
            messages: 0,
            payloadBytes: 0
        )
        lines.removeAll(keepingCapacity: true)
        self.send(staged, now: .now())
    }
}
