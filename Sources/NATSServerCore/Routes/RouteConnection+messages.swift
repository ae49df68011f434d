import Logging
import NATSText
import NATSWire
import NIOCore

/// Messages that another server has sent: they go to subscribers here, and no further.
extension RouteConnection {
    /// More is not kept for the next message that is spelled anew.
    private static let keptCapacity = 64 << 10

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
        guard operation.pointee.tailStart > 0 else {
            return self.deliverRespelled(base, operation, result, &batch)
        }
        let tail = base + operation.pointee.tailStart
        self.deliver(tail, operation.pointee.frameEnd - operation.pointee.tailStart, base, operation, result, &batch)
    }

    @inline(__always)
    private func deliver(
        _ tail: UnsafePointer<UInt8>,
        _ tailLength: Int,
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<RouteOperation>,
        _ result: MatchResult.Pointer,
        _ batch: inout PublishBatch
    ) {
        let hasHeader = operation.pointee.headerSize > 0
        let message = OutgoingMessage(
            prefix: result.pointee.prefix + (hasHeader ? 0 : 1),
            prefixLength: result.pointee.subjectLength + (hasHeader ? 6 : 5),
            tail: tail,
            tailLength: tailLength,
            size: operation.pointee.size,
            headerSize: operation.pointee.headerSize
        )
        var published = ClientOperation(operation.pointee)
        let isTracked = TrackedRequests.isTracked(base, operation.pointee.reply)
        if isTracked { self.setTracked(true, &batch) }
        defer { if isTracked { self.setTracked(false, &batch) } }
        withUnsafePointer(to: &published) { published in
            let plainCount = result.pointee.plainCount
            var index = 0
            while index < plainCount {
                _ = self.deliver(message, to: index, of: result, base, published, &batch)
                index += 1
            }
            guard result.pointee.hasMore else { return }
            self.deliverToRest(message, base, operation, published, result, &batch)
        }
    }

    /// One member here of each queue group that the sender has chosen this server for gets the message, or a server that
    /// has some where this one has none any more; then the services get it.
    @inline(never)
    private func deliverToRest(
        _ message: OutgoingMessage,
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<RouteOperation>,
        _ published: UnsafePointer<ClientOperation>,
        _ result: MatchResult.Pointer,
        _ batch: inout PublishBatch
    ) {
        var isForwarded = false
        // By group, not by name: one that a peer lists twice is served once.
        var start = result.pointee.plainCount
        for group in 0..<result.pointee.groupCount {
            let members = start..<result.pointee.groups[group].end
            start = members.upperBound
            result.pointee.groups[group].choice = -1
            let isListed = result.pointee.withName(ofGroup: group) { name in
                operation.pointee.queueGroups(in: base).contains {
                    UnsafeBufferPointer(rebasing: $0, of: base).elementsEqual(name)
                }
            }
            guard isListed else { continue }
            if !members.isEmpty {
                let choice = self.loop.random.next(below: members.count)
                if self.deliver(message, toOneOf: members, choice, result, base, published, &batch) { continue }
            }
            if self.chooseAnother(forGroup: group, result) { isForwarded = true }
        }
        if isForwarded {
            _ = self.deliverToPeers(message, result, base, published, isForwarded: true, &batch)
        }
        // Last: the result may be gone once other subjects have been looked up.
        if let services = result.pointee.services { _ = self.deliver(base, published, to: services, &batch) }
    }

    /// Chooses another server for a queue group whose last member here has just gone (nats-server does so too).
    ///
    /// Not the one that the message is from, and none that has other subscribers to the subject: they would get it twice.
    private func chooseAnother(forGroup group: Int, _ result: MatchResult.Pointer) -> Bool {
        result.pointee.chooseShare(ofGroup: group) { peer in
            guard !peer.pointee.isPlain,
                let route = peer.pointee.owner.takeUnretainedValue().connection as? RouteConnection
            else { return false }
            return route.peer?.serverID != self.peer?.serverID
        } _: { members in
            self.loop.random.next(below: members)
        }
    }

    /// A request whose latency is measured takes the long way, where it is noted who gets it.
    @inline(never)
    private func setTracked(_ isTracked: Bool, _ batch: inout PublishBatch) {
        batch.isTracked = isTracked
        if isTracked {
            batch.specialFlags.insert(.always)
        } else if !batch.isTracing {
            batch.specialFlags.remove(.always)
        }
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

    /// A message with queue groups between reply subject and sizes, with odd blanks, or an HMSG without headers.
    @inline(never)
    private func deliverRespelled(
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<RouteOperation>,
        _ result: MatchResult.Pointer,
        _ batch: inout PublishBatch
    ) {
        // Taken out, since a delivery may come back here.
        var tail = self.respelled
        self.respelled = []
        tail.removeAll(keepingCapacity: true)
        func append(_ range: Range<Int>, _ end: StaticString) {
            tail.append(contentsOf: UnsafeBufferPointer(rebasing: range, of: base))
            tail.append(contentsOf: UnsafeBufferPointer(start: end.utf8Start, count: end.utf8CodeUnitCount))
        }
        if !operation.pointee.reply.isEmpty { append(operation.pointee.reply, " ") }
        if operation.pointee.headerSize > 0 { append(operation.pointee.headerSizeDigits, " ") }
        append(operation.pointee.sizeDigits, "\r\n")
        append(operation.pointee.payloadStart..<operation.pointee.frameEnd, "")
        tail.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return }
            self.deliver(start, bytes.count, base, operation, result, &batch)
        }
        if tail.capacity <= Self.keptCapacity { self.respelled = tail }
    }

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
