import NATSWire
import NIOCore

/// Messages that go to another account: requests to its services, and the answers to them.
extension ClientConnection {
    /// So many accounts a message may pass through.
    private static let longestWay = 100

    /// Hands a message to the server's own subscriptions.
    ///
    /// - Returns: whether anybody got it.
    @inline(never)
    func deliver(
        _ base: UnsafePointer<UInt8>,
        _ operation: ClientOperation,
        to services: ServiceMatches,
        _ batch: inout PublishBatch
    ) -> Bool {
        var delivered = false
        batch.mustCheckPhase = true
        for match in services.matches {
            switch match {
            case .request(let service, let subject):
                if self.request(service, subject, base, operation, &batch) { delivered = true }
            case .answer(let responses):
                self.answer(services.subject, responses, base, operation, &batch)
                // Nobody is told that it came too late (nats-server client.go deliverMsg).
                delivered = true
            }
        }
        return delivered
    }

    /// Sends a request to a service of another account (nats-server client.go processServiceImport).
    private func request(
        _ service: ServiceImport,
        _ subject: [UInt8],
        _ base: UnsafePointer<UInt8>,
        _ operation: ClientOperation,
        _ batch: inout PublishBatch
    ) -> Bool {
        guard self.loop.services.count < Self.longestWay, !self.loop.services.contains(where: { $0 === service }) else {
            return false
        }
        guard let bytes = CrossedMessage(base, operation) else { return false }
        var message = bytes
        var reply: [UInt8] = []
        let now = NIODeadline.now()
        if !message.reply.isEmpty {
            guard let own = service.exporter.addResponse(message.reply, in: service.importer, service.export, now: now)
            else { return false }
            reply = own
        }
        message.reply = reply
        message.subject = subject
        message.setHeader("Nats-Request-Info", self.requestInfo(for: service))
        self.loop.services.append(service)
        let delivered = self.send(message, to: service.exporter, &batch)
        self.loop.services.removeLast()
        if !delivered, !reply.isEmpty { service.exporter.responses.remove(reply) }
        return delivered
    }

    /// Brings an answer to the account of its request.
    private func answer(
        _ subject: [UInt8],
        _ responses: ServiceResponses,
        _ base: UnsafePointer<UInt8>,
        _ operation: ClientOperation,
        _ batch: inout PublishBatch
    ) {
        let now = NIODeadline.now()
        guard self.loop.answersUnderWay < Self.longestWay, let response = responses.find(subject, now: now),
            var message = CrossedMessage(base, operation)
        else {
            return
        }
        message.subject = response.reply
        if !message.reply.isEmpty {
            let own = response.account.addResponse(message.reply, in: response.exporter, response.export, now: now)
            guard let own else { return }
            message.reply = own
        }
        let isLast = response.export.options.responseType == .single || message.isEmpty
        self.loop.answersUnderWay += 1
        let delivered = self.send(message, to: response.account, &batch)
        self.loop.answersUnderWay -= 1
        if isLast || !delivered {
            responses.remove(subject)
        } else {
            responses.extend(subject, now: now)
        }
    }

    /// Publishes a message in another account, through this loop's view of it.
    private func send(_ message: consuming CrossedMessage, to account: Account, _ batch: inout PublishBatch) -> Bool {
        let router = self.loop.router(for: account)
        let generation = router.index.generation
        var result = self.find(message.subject, router, generation)
        if let mapped = result.pointee.mapped {
            message.subject = mapped.choose(&self.loop.random)
            result = self.find(message.subject, router, generation)
        }
        let frame = message.frame
        var operation = ClientOperation()
        return frame.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return false }
            var parser = ClientOperationParser(maxControlLine: Int(Int32.max), maxPayload: Int(Int32.max))
            parser.headersEnabled = true
            guard case .operation = parser.next(base, from: 0, to: bytes.count, into: &operation) else { return false }
            return self.publishCrossed(base, &operation, result, &batch)
        }
    }

    private func find(_ subject: [UInt8], _ router: AccountRouter, _ generation: UInt64) -> MatchResult.Pointer {
        var empty: UInt8 = 0
        return subject.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress, !bytes.isEmpty else {
                return router.cache.pointee.lookUp(&empty, 0, generation: generation, loop: self.loop)
            }
            return router.cache.pointee.lookUp(base, bytes.count, generation: generation, loop: self.loop)
        }
    }

    /// Who makes a request, as its header tells the exporter (nats-server client.go getClientInfo).
    private func requestInfo(for service: ServiceImport) -> [UInt8] {
        let roundTrip = self.keepAlive.roundTripTime?.nanoseconds ?? 0
        // Of a request that has come through other accounts the first account is told, and the last one.
        let first = self.loop.services.first
        let share = first?.share ?? service.share
        var writer = JSONObjectWriter()
        if share {
            let start = TimeText.rfc3339(self.shared.clock.wallNanoseconds(self.accepted))
            writer.write("start", String(decoding: start, as: UTF8.self))
            writer.writeUnlessEmpty("host", self.remoteIP)
            writer.write("id", self.id)
        }
        writer.write("acc", self.account.name)
        if first != nil { writer.write("svc", service.importer.name) }
        if share {
            writer.writeUnlessEmpty("user", self.session.shownUser)
            writer.writeUnlessEmpty("name", self.session.payload.name)
            writer.writeUnlessEmpty("lang", self.session.payload.lang)
            writer.writeUnlessEmpty("ver", self.session.payload.version)
        }
        writer.writeUnlessZero("rtt", roundTrip)
        if share || service.share {
            writer.write("server", self.shared.serverName)
        }
        if share {
            writer.write("kind", "Client")
            writer.write("client_type", "nats")
        }
        writer.finish()
        return writer.bytes
    }
}
