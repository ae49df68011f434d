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
        let account = self.interest[name]?.account ?? self.shared.accounts[String(decoding: name, as: UTF8.self)]
        guard let account else {
            let text = "Unknown account \(GoString.quoted(name)) for remote subject \(GoString.quoted(key.subject))"
            if self.shared.shouldLog(text) { self.logger.error("\(self.label) - \(text)") }
            return
        }
        if let known = self.interest[name]?.wanted[key] {
            if !key.queue.isEmpty { account.index.setWeight(of: known, to: weight) }
            return
        }
        let isValid = key.subject.withUnsafeBytes { SubjectGrammar.isSubscribable($0) }
        guard isValid else {
            self.traceOut("-ERR Invalid Subscription")
            self.outlet.append("-ERR 'Invalid Subscription'\r\n")
            return
        }
        let interest = RemoteInterest(subject: key.subject, queue: key.queue, weight: weight, peer: self)
        self.interest[name, default: PeerInterest(account: account)].wanted[key] = interest
        if self.link != nil { _ = account.index.insert(interest) }
    }

    /// RS-, LS- or UNSUB.
    func removeInterest(_ base: UnsafePointer<UInt8>, _ operation: RouteOperation) {
        let (name, key) = self.key(base, operation)
        guard let account = self.interest[name]?.account,
            let known = self.interest[name]?.wanted.removeValue(forKey: key)
        else { return }
        if self.interest[name]?.wanted.isEmpty == true { self.interest[name] = nil }
        account.index.remove(contentsOf: CollectionOfOne(known))
    }

    /// Messages may go to the peer from now on.
    func insertInterest() {
        for interest in self.interest.values {
            for wanted in interest.wanted.values { _ = interest.account.index.insert(wanted) }
        }
    }

    /// The peer wants nothing any more.
    func dropInterest() {
        for interest in self.interest.values { interest.account.index.remove(contentsOf: interest.wanted.values) }
        self.interest = [:]
    }

    private func key(_ base: UnsafePointer<UInt8>, _ operation: RouteOperation) -> (account: [UInt8], InterestKey) {
        let account = self.dedicatedAccount ?? Array(UnsafeBufferPointer(rebasing: operation.account, of: base))
        let subject = Array(UnsafeBufferPointer(rebasing: operation.subject, of: base))
        let queue = Array(UnsafeBufferPointer(rebasing: operation.queues, of: base))
        return (account, InterestKey(subject: subject, queue: queue))
    }
}
