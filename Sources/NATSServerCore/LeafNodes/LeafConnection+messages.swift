import Logging
import NATSText
import NATSWire
import NIOCore

/// Messages that a leaf node, or the hub, has sent.
extension LeafConnection {
    // MARK: Hot path

    /// Routes one LMSG or HMSG.
    @inline(__always)
    func deliver(
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<RouteOperation>,
        _ batch: inout PublishBatch
    ) {
        batch.messages &+= 1
        batch.bytes &+= operation.pointee.size
        let subject = base + operation.pointee.subject.lowerBound
        let subjectLength = operation.pointee.subject.count
        var result: MatchResult.Pointer
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
        if self.incomingTag != 0, !result.pointee.knowsPublishIsAllowed(for: self.incomingTag) {
            guard self.mayCome(UnsafeBufferPointer(start: subject, count: subjectLength), result) else { return }
        }
        if let mapped = result.pointee.mapped {
            result = self.find(mapped.choose(&self.loop.random), self.router, batch.generation)
        }
        self.deliver(base, operation, result, &batch)
    }

    // MARK: Seldom

    /// Finds out whether a message may come from the peer, and remembers the answer with the subject's match result.
    @inline(never)
    private func mayCome(_ subject: UnsafeBufferPointer<UInt8>, _ result: MatchResult.Pointer) -> Bool {
        guard let permissions = self.permissions else { return true }
        let isAllowed = result.pointee.publishAnswer(for: self.incomingTag) ?? permissions.allowsReceiving(subject)
        result.pointee.rememberPublishAnswer(isAllowed, for: self.incomingTag)
        if !isAllowed { self.violated("Publish", Array(subject)) }
        return isAllowed
    }

    private func traceMessage(_ base: UnsafePointer<UInt8>, _ operation: RouteOperation) {
        let verb = operation.kind == .headerMessage ? "HMSG" : "LMSG"
        self.traceIn("\(verb) \(GoString.harmless(UnsafeBufferPointer(rebasing: operation.argument, of: base)))")
        if let payload = self.tracedPayload(base, ClientOperation(operation), skipping: 0) {
            self.logger.trace("\(self.label) - <<- MSG_PAYLOAD: [\(payload)]")
        }
    }

    /// Who this is to services of other accounts, as JSON (nats-server events.go ClientInfo).
    func leafInfo(isDetailed: Bool, service: String, namesServer: Bool?) -> [UInt8] {
        var writer = JSONObjectWriter()
        if isDetailed {
            let start = TimeText.rfc3339(self.shared.clock.wallNanoseconds(self.accepted))
            writer.write("start", String(decoding: start, as: UTF8.self))
            writer.writeUnlessEmpty("host", self.remoteIP)
            writer.write("id", self.id)
        }
        writer.write("acc", self.account.name)
        writer.writeUnlessEmpty("svc", service)
        if isDetailed {
            writer.writeUnlessEmpty("user", self.greeting?.user ?? "")
            writer.writeUnlessEmpty("name", self.peerName)
            writer.writeUnlessEmpty("ver", self.greeting?.version ?? "")
        }
        writer.writeUnlessZero("rtt", self.roundTripNanoseconds)
        if namesServer ?? isDetailed { writer.write("server", self.shared.serverName) }
        if isDetailed { writer.write("kind", "Leafnode") }
        writer.finish()
        return writer.bytes
    }
}
