import Logging
import NATSText
import NATSWire
import NIOCore

/// Messages that the client publishes: looking up whom they go to, and staging them.
extension ClientConnection {
    // MARK: Hot path

    /// Routes one PUB or HPUB.
    @inline(__always)
    func publish(_ base: UnsafePointer<UInt8>, _ operation: UnsafePointer<ClientOperation>, _ batch: inout PublishBatch)
    {
        batch.messages &+= 1
        batch.bytes &+= operation.pointee.size
        let subject = base + operation.pointee.subject.lowerBound
        var subjectLength = operation.pointee.subject.count
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
        let reply = operation.pointee.reply
        if batch.isSlow || result.pointee.needsAttention || Self.maybeReserved(base, reply) {
            batch.mustCheckPhase = true
            guard let checked = self.attend(base, operation.pointee, result, &batch) else { return }
            result = checked
            subjectLength = checked.pointee.subjectLength
        } else if batch.publishTag != 0, !result.pointee.knowsPublishIsAllowed(for: batch.publishTag) {
            batch.mustCheckPhase = true
            guard self.mayPublish(to: UnsafeBufferPointer(start: subject, count: subjectLength), result) else { return }
        }
        let hasHeader = operation.pointee.headerSize > 0
        let delivered: Bool
        // An HPUB whose header is empty becomes a MSG.
        if operation.pointee.isCanonical,
            operation.pointee.tokenCount == (operation.pointee.reply.isEmpty ? 2 : 3) + (hasHeader ? 1 : 0)
        {
            // Everything behind the subject is forwarded as it came.
            let message = OutgoingMessage(
                prefix: result.pointee.prefix + (hasHeader ? 0 : 1),
                prefixLength: subjectLength + (hasHeader ? 6 : 5),
                tail: base + operation.pointee.tailStart,
                tailLength: operation.pointee.frameEnd - operation.pointee.tailStart,
                size: operation.pointee.size,
                headerSize: operation.pointee.headerSize
            )
            delivered = self.deliver(message, result, base, operation, &batch)
        } else {
            delivered = self.deliverRespelled(base, operation, result, &batch)
        }
        if !delivered, !reply.isEmpty, batch.noResponders {
            let subject = UnsafeBufferPointer(
                start: UnsafePointer(result.pointee.subject),
                count: result.pointee.subjectLength
            )
            self.sendNoResponders(base, operation.pointee, subject: subject)
        }
    }

    /// `_R_.`, `_GR_.` and `$JS.ACK.` are told from `_INBOX.` by their second byte.
    @inline(__always)
    private static func maybeReserved(_ base: UnsafePointer<UInt8>, _ reply: Range<Int>) -> Bool {
        guard reply.count >= 4 else { return false }
        let first = base[reply.lowerBound]
        guard first == UInt8(ascii: "_") || first == UInt8(ascii: "$") else { return false }
        return base[reply.lowerBound + 1] != UInt8(ascii: "I")
    }

    // MARK: Seldom

    /// The checks of verbose, pedantic and traced connections, and of reserved subjects; mappings.
    ///
    /// - Returns: whom the message goes to; `nil` if it has been refused.
    @inline(never)
    private func attend(
        _ base: UnsafePointer<UInt8>,
        _ operation: ClientOperation,
        _ original: MatchResult.Pointer,
        _ batch: inout PublishBatch
    ) -> MatchResult.Pointer? {
        let reply = UnsafeRawBufferPointer(start: base + operation.reply.lowerBound, count: operation.reply.count)
        if batch.isTracing { self.tracePublish(base, operation) }
        self.checkSubject(base, operation)
        var result = original
        if let mapped = original.pointee.mapped {
            let subject = mapped.choose(&self.loop.random)
            if batch.isTracing { self.traceMapping(base, operation, subject) }
            // Empty if the message is to be lost: nobody has subscribed to that.
            result = self.result(for: subject, &batch)
        }
        if batch.isTracing { self.tracePayload(base, operation) }
        let subject = UnsafeBufferPointer(
            start: UnsafePointer(result.pointee.subject),
            count: result.pointee.subjectLength
        )
        if result.pointee.isReserved, !self.mayPublishReserved(UnsafeRawBufferPointer(subject)) {
            self.publishViolation(UnsafeRawBufferPointer(subject))
            return nil
        }
        if batch.publishTag != 0 {
            guard self.mayPublish(to: subject, result) else { return nil }
        }
        if ReservedSubjects.isReservedReply(reply) {
            let text = GoString.quoted(reply)
            self.logger.error("\(self.label) - Publish Violation - Reply \(text)")
            self.sendError("Permissions Violation for Publish with Reply of \(text)")
            return nil
        }
        self.acknowledge()
        return result
    }

    /// nats-server client.go processInboundClientMsg: the system account's clients may speak to Raft groups.
    private func mayPublishReserved(_ subject: UnsafeRawBufferPointer) -> Bool {
        self.account.isSystem && !ReservedSubjects.isReservedReply(subject)
    }

    /// Whom a subject goes to that no client has written.
    private func result(for subject: [UInt8], _ batch: inout PublishBatch) -> MatchResult.Pointer {
        var empty: UInt8 = 0
        return subject.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress, !bytes.isEmpty else {
                return batch.cache.pointee.lookUp(&empty, 0, generation: batch.generation, loop: self.loop)
            }
            return batch.cache.pointee.lookUp(base, bytes.count, generation: batch.generation, loop: self.loop)
        }
    }

    /// Tells a pedantic client that its subject is none; the message is routed all the same.
    func checkSubject(_ base: UnsafePointer<UInt8>, _ operation: ClientOperation) {
        guard self.session.pedantic else { return }
        let subject = UnsafeRawBufferPointer(start: base + operation.subject.lowerBound, count: operation.subject.count)
        if !SubjectGrammar.isLiteral(subject) { self.sendError("Invalid Publish Subject") }
    }
}
