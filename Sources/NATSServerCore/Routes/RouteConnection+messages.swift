import Logging
import NATSText
import NATSWire
import NIOCore

/// Messages that another server of the cluster has sent.
extension RouteConnection {
    // MARK: Hot path

    /// Routes one RMSG, HMSG or LMSG.
    @inline(__always)
    func deliver(
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<RouteOperation>,
        _ batch: inout PublishBatch
    ) {
        guard self.enter(UnsafeBufferPointer(rebasing: operation.pointee.account, of: base), &batch) else {
            batch.countUnknown(operation.pointee.size)
            return self.drop(base, operation.pointee)
        }
        batch.messages &+= 1
        batch.bytes &+= operation.pointee.size
        let subject = base + operation.pointee.subject.lowerBound
        let subjectLength = operation.pointee.subject.count
        let result: MatchResult.Pointer
        if let last = batch.last, batch.epoch == batch.cache.pointee.epoch, last.pointee.generation >= batch.generation,
            last.pointee.subjectLength == subjectLength,
            ByteCompare.equal(last.pointee.subject, subject, subjectLength)
        {
            result = last
        } else {
            result = batch.cache.pointee.lookUp(subject, subjectLength, generation: batch.generation, loop: self.loop)
            batch.last = result
            batch.epoch = batch.cache.pointee.epoch
        }
        if batch.isTracing { self.traceMessage(base, operation.pointee) }
        self.deliver(base, operation, result, &batch)
    }

    // MARK: Accounts

    /// Goes to the account of the next message.
    ///
    /// - Returns: `false` if there is no such account.
    @inline(__always)
    private func enter(_ name: UnsafeBufferPointer<UInt8>, _ batch: inout PublishBatch) -> Bool {
        let known =
            self.isDedicated ? self.routedAccounts.current : self.routedAccounts.find(name, self.shared.hash)
        guard let account = known ?? self.findAccount(name) else { return false }
        let cache = account._withUnsafeGuaranteedRef { $0.router.cache }
        if batch.cache != cache { self.enter(account.takeUnretainedValue().router, &batch) }
        return true
    }

    private func enter(_ router: AccountRouter, _ batch: inout PublishBatch) {
        batch.settle(self)
        self.router = router
        self.account = router.account
        batch.enter(router)
    }

    /// This loop's view of an account that the peer names for the first time; of its own one on a dedicated connection.
    @inline(never)
    private func findAccount(_ name: UnsafeBufferPointer<UInt8>) -> Unmanaged<RoutedAccounts.Entry>? {
        let name = self.dedicatedAccount ?? Array(name)
        guard let account = self.shared.accounts[String(decoding: name, as: UTF8.self)] else { return nil }
        return self.routedAccounts.insert(name, self.loop.router(for: account), self.shared.hash)
    }

    // MARK: Seldom

    private func drop(_ base: UnsafePointer<UInt8>, _ operation: RouteOperation) {
        let account = GoString.quoted(UnsafeBufferPointer(rebasing: operation.account, of: base))
        let subject = GoString.quoted(UnsafeBufferPointer(rebasing: operation.subject, of: base))
        self.logger.debug("\(self.label) - Unknown account \(account) for routed message on subject: \(subject)")
    }

    private func traceMessage(_ base: UnsafePointer<UInt8>, _ operation: RouteOperation) {
        let verb =
            switch operation.kind {
            case .headerMessage: "HMSG"
            case .originMessage: "LMSG"
            default: "RMSG"
            }
        self.traceIn("\(verb) \(GoString.harmless(UnsafeBufferPointer(rebasing: operation.argument, of: base)))")
        if let payload = self.tracedPayload(base, ClientOperation(operation), skipping: 0) {
            self.logger.trace("\(self.label) - <<- MSG_PAYLOAD: [\(payload)]")
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Some bytes of those that begin at `base`.
    @inline(__always)
    init(rebasing range: Range<Int>, of base: UnsafePointer<UInt8>) {
        self.init(start: base + range.lowerBound, count: range.count)
    }
}
