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

    /// Hands a message to everything in the match result.
    ///
    /// - Returns: whether anybody got it.
    @inline(__always)
    func deliver(
        _ message: OutgoingMessage,
        _ result: MatchResult.Pointer,
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<ClientOperation>,
        _ batch: inout PublishBatch
    ) -> Bool {
        var delivered = false
        let plainCount = result.pointee.plainCount
        var index = 0
        while index < plainCount {
            if self.deliver(message, to: index, of: result, base, operation, &batch) { delivered = true }
            index += 1
        }
        if result.pointee.hasMore, self.deliverToRest(message, result, base, operation, &batch) { delivered = true }
        return delivered
    }

    @inline(__always)
    private func deliver(
        _ message: OutgoingMessage,
        to index: Int,
        of result: MatchResult.Pointer,
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<ClientOperation>,
        _ batch: inout PublishBatch
    ) -> Bool {
        let target = result.pointee.targets + index
        let special = message.headerSize > 0 ? batch.specialFlags.union(.noHeaders) : batch.specialFlags
        let found = target.pointee.flags.intersection(special)
        guard found.isEmpty else {
            // All that there is about most targets of imported streams.
            if found == .mapped, !batch.isCrossing { return self.deliverMapped(message, to: index, of: result, &batch) }
            if found == .limited, self.settings.stallsProducers {
                return self.deliverLimited(message, to: index, of: result, &batch)
            }
            return self.deliverSpecially(message, to: index, of: result, base, operation, &batch)
        }
        return self.stage(message, for: target, &batch)
    }

    /// Delivery under another subject (the importer's).
    @inline(never)
    private func deliverMapped(
        _ message: OutgoingMessage,
        to index: Int,
        of result: MatchResult.Pointer,
        _ batch: inout PublishBatch
    ) -> Bool {
        let prefix = result.pointee.prefix(at: index)
        let hasHeader = message.headerSize > 0
        var message = message
        message.prefix = UnsafePointer(prefix.start) + (hasHeader ? 0 : 1)
        message.prefixLength = prefix.count + (hasHeader ? 6 : 5)
        return self.stage(message, for: result.pointee.targets + index, &batch)
    }

    /// Delivery to a subscription whose UNSUB names a number: all that there is about those of `-n` and of many requests.
    @inline(never)
    private func deliverLimited(
        _ message: OutgoingMessage,
        to index: Int,
        of result: MatchResult.Pointer,
        _ batch: inout PublishBatch
    ) -> Bool {
        let target = result.pointee.targets + index
        switch result.pointee.countLimited(at: index) {
        case .deliver: return self.stage(message, for: target, isCounted: true, &batch)
        case .deliverLast:
            guard let connection = result.pointee.outlet(at: index).connection else { return false }
            let subscription = result.pointee.subscription(at: index)
            batch.mustCheckPhase = true
            guard self.stage(message, for: target, isCounted: true, &batch) else { return false }
            self.endLimited(subscription, of: connection, &batch)
            return true
        case .exceeded: return false
        }
    }

    /// Appends a message to what is staged for a target; `isCounted` says that the subscription has counted it already.
    @inline(__always)
    func stage(
        _ message: OutgoingMessage,
        for target: UnsafeMutablePointer<DeliveryTarget>,
        isCounted: Bool = false,
        _ batch: inout PublishBatch
    ) -> Bool {
        let outlet = target.pointee.outlet
        // The sid is stored in one piece of sixteen bytes, whatever its length.
        let room = message.prefixLength + message.tailLength + 16
        if outlet.pointee.end - outlet.pointee.write < room {
            batch.mustCheckPhase = true
            guard outlet.pointee.owner._withUnsafeGuaranteedRef({ $0.makeRoomForMessage(room) }) else { return false }
        }
        var write = outlet.pointee.write
        ByteCopy.copy(message.prefix, message.prefixLength, to: write)
        write += message.prefixLength
        write.storeBytes(of: target.pointee.sid.0, as: UInt64.self)
        write.storeBytes(of: target.pointee.sid.1, toByteOffset: 8, as: UInt64.self)
        write += Int(truncatingIfNeeded: target.pointee.sidLength)
        ByteCopy.copy(message.tail, message.tailLength, to: write)
        outlet.pointee.write = write + message.tailLength
        outlet.pointee.messages &+= 1
        outlet.pointee.payloadBytes &+= message.size
        if !isCounted { target.pointee.count() }
        return true
    }

    /// One member of each queue group gets the message, chosen at random; then the services get it.
    @inline(never)
    private func deliverToRest(
        _ message: OutgoingMessage,
        _ result: MatchResult.Pointer,
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<ClientOperation>,
        _ batch: inout PublishBatch
    ) -> Bool {
        var delivered = false
        var start = result.pointee.plainCount
        for group in 0..<result.pointee.groupCount {
            let end = result.pointee.groupEnds[group]
            let count = end - start
            var member = self.loop.random.next(below: count)
            // A member that cannot take it (gone, or the publisher itself without echo) passes it on to the next.
            for _ in 0..<count {
                if self.deliver(message, to: start + member, of: result, base, operation, &batch) {
                    delivered = true
                    break
                }
                member = member + 1 == count ? 0 : member + 1
            }
            start = end
        }
        // Last: the result may be gone once other subjects have been looked up.
        guard let services = result.pointee.services else { return delivered }
        if self.deliver(base, operation, to: services, &batch) || delivered { return true }
        guard !batch.isCrossing else { return false }
        if batch.noResponders, !operation.pointee.reply.isEmpty {
            services.subject.withUnsafeBufferPointer { self.sendNoResponders(base, operation.pointee, subject: $0) }
        }
        // Nothing is left to be done about it.
        return true
    }

    /// Routes a message that comes from another account.
    func publishCrossed(
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<ClientOperation>,
        _ result: MatchResult.Pointer,
        _ batch: inout PublishBatch
    ) -> Bool {
        let hasHeader = operation.pointee.headerSize > 0
        // The server's own messages have two blanks where a reply subject would stand (nats-server client.go msgHeader:
        // it is empty, but there).
        let isOwn = self.isInternal && !batch.isCrossing && operation.pointee.reply.isEmpty
        let tailStart = operation.pointee.tailStart - (isOwn ? 1 : 0)
        let message = OutgoingMessage(
            prefix: result.pointee.prefix + (hasHeader ? 0 : 1),
            prefixLength: result.pointee.subjectLength + (hasHeader ? 6 : 5),
            tail: base + tailStart,
            tailLength: operation.pointee.frameEnd - tailStart,
            size: operation.pointee.size,
            headerSize: operation.pointee.headerSize
        )
        return self.deliver(message, result, base, operation, &batch)
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
