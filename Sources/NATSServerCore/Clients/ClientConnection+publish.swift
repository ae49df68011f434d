import NATSText
import Logging
import NATSWire
import NIOCore

/// What the publishes of one read have in common; lives on the stack while the read is parsed.
struct PublishBatch {
    var parser: ClientOperationParser
    private(set) var cache: UnsafeMutablePointer<MatchCache>
    /// Match results must be right at this generation at least.
    var generation: UInt64
    /// The result of the last publish, good while `epoch` is the cache's.
    var last: MatchResult.Pointer?
    var epoch: UInt64 = 0
    var messages = 0
    var bytes = 0
    /// Verbose, pedantic or traced: more to do for each message.
    var isSlow: Bool
    var isTracing: Bool
    /// The flags of a target that make it a special case for this publisher.
    var specialFlags: DeliveryTarget.Flags
    var checksFirstByte: Bool
    var noResponders: Bool
    /// Under what match results remember whether this client may publish; 0 if it may publish everything.
    var publishTag: UInt64
    /// Something happened that may have closed the connection.
    var mustCheckPhase = false

    init(_ connection: ClientConnection) {
        self.parser = connection.parser
        self.cache = connection.router.cache
        self.generation = connection.router.index.generation
        self.isTracing = connection.isTracing
        // One look in place: a copy of the session would retain all that it holds.
        let traits = connection.session.publisherTraits
        self.isSlow = traits.needsAttention || self.isTracing
        self.specialFlags = Self.specialFlags(traits, isTracing: self.isTracing)
        self.checksFirstByte = traits.awaitsConnect
        self.noResponders = traits.noResponders
        self.publishTag = traits.publishTag
    }

    /// An operation may have changed the session or the subscriptions.
    mutating func refresh(_ connection: ClientConnection) {
        self.parser = connection.parser
        if self.cache != connection.router.cache {
            // The connection has moved to another account.
            self.cache = connection.router.cache
            self.last = nil
        }
        self.generation = connection.router.index.generation
        let traits = connection.session.publisherTraits
        self.isSlow = traits.needsAttention || self.isTracing
        self.specialFlags = Self.specialFlags(traits, isTracing: self.isTracing)
        self.checksFirstByte = traits.awaitsConnect
        self.noResponders = traits.noResponders
        self.publishTag = traits.publishTag
    }

    private static func specialFlags(
        _ traits: ClientSession.PublisherTraits,
        isTracing: Bool
    ) -> DeliveryTarget.Flags {
        var flags: DeliveryTarget.Flags = [.limited, .longSid, .notesReplies, .mapped]
        // Only the publisher's own subscriptions can be left out for the lack of echo.
        if !traits.echo { flags.insert(.noEcho) }
        if isTracing { flags.insert(.always) }
        return flags
    }

    func finish(_ connection: ClientConnection) {
        guard self.messages > 0 else { return }
        if !connection.settings.keepsMatches { self.cache.pointee.clear() }
        connection.statistics.messagesIn &+= self.messages
        connection.statistics.bytesIn &+= self.bytes
        connection.loop.totals.traffic.messagesIn &+= self.messages
        connection.loop.totals.traffic.bytesIn &+= self.bytes
        connection.router.totals.traffic.messagesIn &+= self.messages
        connection.router.totals.traffic.bytesIn &+= self.bytes
        let now = NIODeadline.now()
        connection.loop.lastBatch = now
        connection.noteActivity(now: now)
    }
}

/// A message on its way to its subscriptions: pointers into the bytes read.
struct OutgoingMessage {
    /// "MSG <subject> " or "HMSG <subject> ".
    var prefix: UnsafePointer<UInt8>
    var prefixLength: Int
    /// "[reply ]sizes CRLF payload CRLF".
    let tail: UnsafePointer<UInt8>
    let tailLength: Int
    /// Header block plus payload.
    let size: Int
    let headerSize: Int
}

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
    private func deliver(
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
        guard target.pointee.flags.isDisjoint(with: special) else {
            return self.deliverSpecially(message, to: index, of: result, base, operation, &batch)
        }
        return self.stage(message, for: target, &batch)
    }

    /// Appends a message to what is staged for a target.
    @inline(__always)
    private func stage(
        _ message: OutgoingMessage,
        for target: UnsafeMutablePointer<DeliveryTarget>,
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
        target.pointee.count()
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
        if self.deliver(base, operation.pointee, to: services, &batch) || delivered { return true }
        guard !self.loop.isCrossing else { return false }
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
        let message = OutgoingMessage(
            prefix: result.pointee.prefix + (hasHeader ? 0 : 1),
            prefixLength: result.pointee.subjectLength + (hasHeader ? 6 : 5),
            tail: base + operation.pointee.tailStart,
            tailLength: operation.pointee.frameEnd - operation.pointee.tailStart,
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
        if result.pointee.isReserved {
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

    /// A control line with odd blanks or a bare line feed, or an HPUB without headers: spelled as the official server
    /// would do it, sizes as the client wrote them.
    @inline(never)
    private func deliverRespelled(
        _ base: UnsafePointer<UInt8>,
        _ pointer: UnsafePointer<ClientOperation>,
        _ result: MatchResult.Pointer,
        _ batch: inout PublishBatch
    ) -> Bool {
        let operation = pointer.pointee
        let hasHeader = operation.headerSize > 0
        var tail: [UInt8] = []
        tail.reserveCapacity(operation.frameEnd - operation.tailStart + 4)
        func append(_ range: Range<Int>, _ end: UInt8) {
            tail.append(contentsOf: UnsafeBufferPointer(start: base + range.lowerBound, count: range.count))
            tail.append(end)
        }
        if !operation.reply.isEmpty { append(operation.reply, 0x20) }
        if hasHeader { append(operation.headerSizeDigits, 0x20) }
        append(operation.sizeDigits, 0x0d)
        tail.append(0x0a)
        tail.append(
            contentsOf: UnsafeBufferPointer(
                start: base + operation.payloadStart,
                count: operation.frameEnd - operation.payloadStart
            )
        )
        return tail.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return false }
            let message = OutgoingMessage(
                prefix: result.pointee.prefix + (hasHeader ? 0 : 1),
                prefixLength: result.pointee.subjectLength + (hasHeader ? 6 : 5),
                tail: start,
                tailLength: bytes.count,
                size: operation.size,
                headerSize: operation.headerSize
            )
            return self.deliver(message, result, base, pointer, &batch)
        }
    }

    /// Delivery to a subscription with something particular about it.
    @inline(never)
    private func deliverSpecially(
        _ message: OutgoingMessage,
        to index: Int,
        of result: MatchResult.Pointer,
        _ base: UnsafePointer<UInt8>,
        _ pointer: UnsafePointer<ClientOperation>,
        _ batch: inout PublishBatch
    ) -> Bool {
        let operation = pointer.pointee
        let flags = result.pointee.targets[index].flags
        var message = message
        if flags.contains(.mapped) {
            // nats-server client.go processMsgResults: what a service import brings is not exported again.
            guard !self.loop.isCrossing else { return false }
            let prefix = result.pointee.prefix(at: index)
            message.prefix = UnsafePointer(prefix.start) + (message.headerSize > 0 ? 0 : 1)
            message.prefixLength = prefix.count + (message.headerSize > 0 ? 6 : 5)
            var special = batch.specialFlags.subtracting(.mapped)
            if message.headerSize > 0 { special.insert(.noHeaders) }
            if flags.isDisjoint(with: special) {
                return self.stage(message, for: result.pointee.targets + index, &batch)
            }
        }
        let prefix = result.pointee.prefix(at: index)
        let subject = UnsafeBufferPointer(start: UnsafePointer(prefix.start) + 5, count: prefix.count)
        let subscription = result.pointee.subscription(at: index)
        let outlet = result.pointee.outlet(at: index)
        guard let connection = outlet.connection else { return false }
        batch.mustCheckPhase = true
        if flags.contains(.noEcho), connection === self { return false }
        if !self.settings.stallsProducers, connection.backlog.isCongested { return false }
        var isLast = false
        if flags.contains(.limited) {
            switch subscription.countLimited() {
            case .deliver: break
            case .deliverLast: isLast = true
            case .exceeded: return false
            }
        } else {
            result.pointee.targets[index].count()
        }
        if flags.contains(.noHeaders), message.headerSize > 0 {
            let size = message.size - message.headerSize
            var line = Array("MSG ".utf8)
            line.append(contentsOf: subject)
            line.append(0x20)
            line.append(contentsOf: subscription.sid)
            line.append(0x20)
            if !operation.reply.isEmpty {
                line.append(
                    contentsOf: UnsafeBufferPointer(
                        start: base + operation.reply.lowerBound,
                        count: operation.reply.count
                    )
                )
                line.append(0x20)
            }
            line.append(contentsOf: Array("\(size)\r\n".utf8))
            guard outlet.reserve(line.count + size + 2) else { return false }
            outlet.append(line)
            outlet.append(
                UnsafeRawBufferPointer(
                    start: base + operation.payloadStart + operation.headerSize,
                    count: size + 2
                )
            )
            outlet.state.pointee.payloadBytes &+= size
            // nats-server client.go deliverMsg: the connection's count leaves the header out, the server's does not.
            self.loop.totals.traffic.bytesOut &+= message.headerSize
            self.router.totals.traffic.bytesOut &+= message.headerSize
        } else {
            let length = message.prefixLength + subscription.sid.count + 1 + message.tailLength
            guard outlet.reserve(length) else { return false }
            outlet.append(UnsafeRawBufferPointer(start: message.prefix, count: message.prefixLength))
            outlet.append(subscription.sid)
            outlet.append(" ")
            outlet.append(UnsafeRawBufferPointer(start: message.tail, count: message.tailLength))
            outlet.state.pointee.payloadBytes &+= message.size
        }
        outlet.state.pointee.messages &+= 1
        if flags.contains(.notesReplies), !operation.reply.isEmpty {
            let reply = UnsafeBufferPointer(start: base + operation.reply.lowerBound, count: operation.reply.count)
            result.pointee.replies(at: index)?.received(reply, now: .now())
        }
        if batch.isTracing {
            self.traceDelivery(
                to: connection,
                subscription.sid,
                keepsHeader: !flags.contains(.noHeaders),
                subject: subject,
                base,
                operation
            )
        }
        if isLast { self.endLimited(subscription, of: connection, &batch) }
        return outlet.connection != nil
    }

    /// The last message that a subscription's UNSUB allows has been delivered.
    private func endLimited(_ subscription: Subscription, of connection: ClientConnection, _ batch: inout PublishBatch)
    {
        if connection.loop === self.loop {
            connection.limitReached(subscription)
        } else {
            subscription.index.remove(subscription)
            connection.loop.eventLoop.execute { connection.limitReached(subscription) }
        }
        batch.generation = self.router.index.generation
    }

    private func limitReached(_ subscription: Subscription) {
        self.logger.debug(
            """
            \(self.label) - Auto-unsubscribe limit of \(subscription.delivered) reached for sid \
            '\(GoString.harmless(subscription.sid))'
            """
        )
        self.remove(subscription)
    }

    /// Tells a requester at once that nobody listens (nats-server client.go processInboundClientMsg, subForReply).
    @inline(never)
    private func sendNoResponders(
        _ base: UnsafePointer<UInt8>,
        _ operation: ClientOperation,
        subject: UnsafeBufferPointer<UInt8>
    ) {
        let reply = UnsafeBufferPointer(start: base + operation.reply.lowerBound, count: operation.reply.count)
        let subscription = self.router.index.withMatch(reply) { match, _ in
            match.plain.first { $0.connection === self }
        }
        guard let subscription else { return }
        let headerSize = 32 + subject.count
        var bytes = Array("HMSG ".utf8)
        bytes.append(contentsOf: reply)
        bytes.append(0x20)
        bytes.append(contentsOf: subscription.sid)
        bytes.append(contentsOf: Array(" \(headerSize) \(headerSize)\r\nNATS/1.0 503\r\nNats-Subject: ".utf8))
        bytes.append(contentsOf: subject)
        bytes.append(contentsOf: Array("\r\n\r\n\r\n".utf8))
        self.outlet.append(bytes)
    }

    // MARK: Trace

    private func tracePublish(_ base: UnsafePointer<UInt8>, _ operation: ClientOperation) {
        let argument = UnsafeRawBufferPointer(
            start: base + operation.argumentStart,
            count: operation.argumentEnd - operation.argumentStart
        )
        self.traceIn(operation.kind == .publish ? "PUB" : "HPUB", argument)
    }

    private func traceMapping(_ base: UnsafePointer<UInt8>, _ operation: ClientOperation, _ subject: [UInt8]) {
        let source = UnsafeBufferPointer(start: base + operation.subject.lowerBound, count: operation.subject.count)
        self.traceIn("MAPPING \(GoString.harmless(source)) -> \(GoString.harmless(subject))")
    }

    private func tracePayload(_ base: UnsafePointer<UInt8>, _ operation: ClientOperation) {
        if let payload = self.tracedPayload(base, operation, skipping: 0) {
            self.logger.trace("\(self.label) - <<- MSG_PAYLOAD: [\(payload)]")
        }
    }

    private func traceDelivery(
        to connection: ClientConnection,
        _ sid: [UInt8],
        keepsHeader: Bool,
        subject: UnsafeBufferPointer<UInt8>,
        _ base: UnsafePointer<UInt8>,
        _ operation: ClientOperation
    ) {
        func text(_ range: Range<Int>) -> String {
            GoString.harmless(UnsafeBufferPointer(start: base + range.lowerBound, count: range.count))
        }
        let keepsHeader = operation.headerSize > 0 && keepsHeader
        var line = "\(keepsHeader ? "HMSG" : "MSG") \(GoString.harmless(subject))"
        line += " \(GoString.harmless(sid))"
        if !operation.reply.isEmpty { line += " \(text(operation.reply))" }
        if keepsHeader { line += " \(text(operation.headerSizeDigits))" }
        line +=
            keepsHeader || operation.headerSize == 0
            ? " \(text(operation.sizeDigits))" : " \(operation.size - operation.headerSize)"
        let payload = self.tracedPayload(base, operation, skipping: keepsHeader ? 0 : operation.headerSize)
        if connection.loop === self.loop {
            connection.traceDelivered(line, payload)
        } else {
            // The target's name in the log belongs to its own loop.
            let text = line
            connection.loop.eventLoop.execute { connection.traceDelivered(text, payload) }
        }
    }

    private func traceDelivered(_ line: String, _ payload: String?) {
        self.traceOut(line)
        if let payload { self.logger.trace("\(self.label) - ->> MSG_PAYLOAD: [\(payload)]") }
    }

    /// What a trace line shows of the payload, of which so many bytes do not go out (nats-server client.go
    /// traceMsgInternal).
    private func tracedPayload(
        _ base: UnsafePointer<UInt8>,
        _ operation: ClientOperation,
        skipping skipped: Int
    ) -> String? {
        let settings = self.settings
        var range = operation.payloadStart + skipped..<operation.payloadStart + operation.size
        if settings.tracesHeadersOnly {
            // Without the two line ends after the last header.
            let length = operation.headerSize - skipped - 4
            guard length > 0 else { return nil }
            range = range.lowerBound..<range.lowerBound + length
        }
        guard !range.isEmpty else { return nil }
        let payload = UnsafeBufferPointer(start: base + range.lowerBound, count: range.count)
        let limit = settings.maxTracedMessageLength
        guard limit > 0, payload.count > limit else { return GoString.quoted(payload) }
        let quoted = GoString.quoted(payload.prefix(limit))
        return "\(quoted.dropLast())...\""
    }
}
