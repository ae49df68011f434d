import Logging
import NATSText
import NATSWire
import NIOCore

/// What the peer wants.
extension LeafConnection {
    /// No queue group counts for more: the sum of several must not overflow.
    private static let mostMembers = 1_000_000

    /// LS+ (nats-server leafnode.go processLeafSub).
    func addInterest(_ base: UnsafePointer<UInt8>, _ operation: RouteOperation) {
        let key = self.key(base, operation)
        guard key.subject != self.account.loopSubject else { return self.loopDetected(tellsPeer: true) }
        let weight = key.queue.isEmpty ? 1 : min(max(1, operation.weight), Self.mostMembers)
        if !self.isHub, self.permissions?.allowsWanting(key.subject) == false {
            return self.violated("Subscription", key.subject)
        }
        if let known = self.wanted[key] {
            guard !key.queue.isEmpty else { return }
            for interest in [known] + (self.shadows[key] ?? []) { interest.index.setWeight(of: interest, to: weight) }
            return
        }
        guard !self.isAtSubscriptionLimit else {
            let text = "\(self.label) - maximum subscriptions exceeded"
            if self.shared.shouldLog(text) { self.logger.error("\(text)") }
            return self.sendError("maximum subscriptions exceeded")
        }
        let interest = RemoteInterest(subject: key.subject, queue: key.queue, weight: weight, peer: self)
        let isValid = key.subject.withUnsafeBytes { SubjectGrammar.isSubscribable($0) }
        guard isValid, self.account.index.insert(interest) else {
            let text = "\(self.label) - Could not insert subscription: invalid subject"
            if self.shared.shouldLog(text) { self.logger.error("\(text)") }
            return self.sendError("Invalid Subscription")
        }
        self.wanted[key] = interest
        self.addShadows(of: interest, key)
        self.lastActivity = .now()
    }

    /// LS-.
    func removeInterest(_ base: UnsafePointer<UInt8>, _ operation: RouteOperation) {
        let key = self.key(base, operation)
        guard let known = self.wanted.removeValue(forKey: key) else { return }
        self.account.index.remove(contentsOf: CollectionOfOne(known))
        self.removeShadows(key)
        self.lastActivity = .now()
    }

    /// The peer wants nothing any more.
    func dropInterest() {
        guard !self.wanted.isEmpty else { return }
        self.account.index.remove(contentsOf: self.wanted.values)
        self.wanted = [:]
        for key in Array(self.shadows.keys) { self.removeShadows(key) }
    }

    // MARK: Streams of other accounts

    /// Wants what the account imports of a subject too (nats-server client.go addShadowSubscriptions).
    private func addShadows(of interest: RemoteInterest, _ key: InterestKey) {
        guard self.account.currentStreamsVersion > 0 else { return }
        let subject = String(decoding: key.subject, as: UTF8.self)
        for stream in self.account.streams {
            guard let exported = stream.shadow(of: subject) else { continue }
            let shadow = RemoteInterest(
                subject: Array(exported.utf8),
                queue: key.queue,
                weight: interest.weight,
                peer: self,
                stream: stream
            )
            if shadow.index.insert(shadow) { self.shadows[key, default: []].append(shadow) }
        }
    }

    /// Where the peer's interest stands.
    var indices: [SubscriptionIndex] {
        var indices = [ObjectIdentifier(self.account.index): self.account.index]
        for shadow in self.shadows.values.joined() { indices[ObjectIdentifier(shadow.index)] = shadow.index }
        return Array(indices.values)
    }

    private func removeShadows(_ key: InterestKey) {
        for shadow in self.shadows.removeValue(forKey: key) ?? [] {
            shadow.index.remove(contentsOf: CollectionOfOne(shadow))
        }
    }

    /// The account may import other streams than before.
    func updateShadows() {
        let version = self.account.currentStreamsVersion
        guard self.phase == .open, self.isInAccount, self.streamsVersion != version else { return }
        self.streamsVersion = version
        for (key, interest) in self.wanted {
            self.removeShadows(key)
            self.addShadows(of: interest, key)
        }
    }

    private func key(_ base: UnsafePointer<UInt8>, _ operation: RouteOperation) -> InterestKey {
        InterestKey(
            subject: Array(UnsafeBufferPointer(rebasing: operation.subject, of: base)),
            queue: Array(UnsafeBufferPointer(rebasing: operation.queues, of: base))
        )
    }

    /// The leaf node does what its user may not (nats-server leafnode.go leafPermViolation); the hub knows what it may.
    func violated(_ action: String, _ subject: [UInt8]) {
        guard !self.isHub else { return }
        self.redialDelay = Self.longDelay
        let text = GoString.quoted(subject)
        self.sendError("Permissions Violation for \(action) to \(text)")
        self.logger.error("\(self.label) - \(action) Violation on \(text) - Check other side configuration")
        self.close(.protocolViolation)
    }
}
