import Logging
import NATSText
import NATSWire
import NIOCore

/// Deliveries with something particular about them, and what follows from one.
extension ServerConnection {
    /// A control line with odd blanks or a bare line feed, or an HPUB without headers: spelled as the official server
    /// would do it, sizes as the client wrote them.
    @inline(never)
    func deliverRespelled(
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
    func deliverSpecially(
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
            guard !batch.isCrossing else { return false }
            let prefix = result.pointee.prefix(at: index)
            message.prefix = UnsafePointer(prefix.start) + (message.headerSize > 0 ? 0 : 1)
            message.prefixLength = prefix.count + (message.headerSize > 0 ? 6 : 5)
        }
        let prefix = result.pointee.prefix(at: index)
        let subject = UnsafeBufferPointer(start: UnsafePointer(prefix.start) + 5, count: prefix.count)
        let subscription = result.pointee.subscription(at: index)
        let outlet = result.pointee.outlet(at: index)
        guard let connection = outlet.connection else { return false }
        batch.mustCheckPhase = true
        if flags.contains(.noEcho), connection === self { return false }
        if self.loop.dropsForCongested, connection.backlog.isCongested { return false }
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
            } else if self.isInternal, !batch.isCrossing {
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
        if batch.isTracked { self.noteTracked(operation, base, for: connection) }
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
        if isLast { self.endLimited(subscription, &batch) }
        return outlet.connection != nil
    }

    /// A client gets a request whose latency another server measures.
    private func noteTracked(
        _ operation: ClientOperation,
        _ base: UnsafePointer<UInt8>,
        for connection: ServerConnection
    ) {
        guard !connection.isRoute else { return }
        func bytes(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
            UnsafeBufferPointer(start: base + range.lowerBound, count: range.count)
        }
        let subject = String(decoding: bytes(operation.subject), as: UTF8.self)
        guard let export = self.account.service(subject) else { return }
        self.shared.trackedRequests.add(
            Array(bytes(operation.reply)),
            of: connection.id,
            in: self.account,
            within: export.options.responseThreshold,
            now: .now()
        )
    }

    /// The last message that a subscription's UNSUB allows has been delivered.
    func endLimited(_ subscription: Subscription, _ batch: inout PublishBatch) {
        guard let connection = subscription.connection else { return }
        if connection.loop === self.loop {
            connection.limitReached(subscription)
        } else {
            subscription.index.remove(subscription)
            connection.loop.eventLoop.execute { connection.limitReached(subscription) }
        }
        batch.generation = self.router.index.generation
    }

    /// Tells a requester at once that nobody listens (nats-server client.go processInboundClientMsg, subForReply).
    @inline(never)
    func sendNoResponders(
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
}
