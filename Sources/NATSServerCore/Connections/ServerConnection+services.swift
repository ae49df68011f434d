import NATSWire
import NIOCore

/// Messages that the server itself takes: for itself, or to bring them to another account.
extension ServerConnection {
    /// So many accounts a message may pass through.
    static let longestWay = 100

    /// Hands a message to the server's own subscriptions.
    ///
    /// - Returns: whether anybody got it.
    @inline(never)
    func deliver(
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<ClientOperation>,
        to services: ServiceMatches,
        _ batch: inout PublishBatch
    ) -> Bool {
        var delivered = false
        batch.mustCheckPhase = true
        services.count()
        for match in services.matches {
            switch match {
            case .request(let service, let subject):
                if self.request(service, subject, base, operation, &batch) { delivered = true }
            case .answer(let responses):
                self.answer(services.subject, responses, base, operation, &batch)
                // Nobody is told that it came too late (nats-server client.go deliverMsg).
                delivered = true
            case .server(let subscription):
                if self.tell(subscription, services.subject, base, operation) { delivered = true }
            }
        }
        return delivered
    }

    /// Hands a message to the server itself.
    ///
    /// - Returns: whether it is there.
    private func tell(
        _ subscription: InternalSubscription,
        _ subject: [UInt8],
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<ClientOperation>
    ) -> Bool {
        // What the server publishes in an account does not come back to it; what it publishes in another one may.
        guard !self.isInternal || self.loop.isCrossing,
            let request = InternalMessage(base, operation.pointee, subject: subject)
        else {
            return false
        }
        // The rest of the input waits: there is no end to what a peer can ask for.
        if subscription.deliver(request, from: self) != .low, !self.isInternal { self.pauseInput() }
        return true
    }

    /// Brings an answer to the account of its request.
    private func answer(
        _ subject: [UInt8],
        _ responses: ServiceResponses,
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<ClientOperation>,
        _ batch: inout PublishBatch
    ) {
        let now = batch.coarseNow
        guard self.loop.way.count < Self.longestWay, let response = responses.find(subject, now: now) else {
            return
        }
        if let probe = response.probe, self.isRoute, let system = self.shared.system {
            system.answered(subject, probe, in: response.exporter)
        } else if let probe = response.probe {
            let responder = self.responder
            let outcome = LatencyProbe.Outcome.answered(responder: responder.info, roundTrip: responder.roundTrip)
            self.loop.publishSample(of: probe, outcome, in: response.exporter)
        }
        var reply: [UInt8] = []
        if !operation.pointee.reply.isEmpty {
            let range = operation.pointee.reply
            let added = response.account.addResponse(
                Array(UnsafeBufferPointer(start: base + range.lowerBound, count: range.count)),
                in: response.exporter,
                response.export,
                share: response.share,
                now: now
            )
            self.publishTimeouts(added.expired, in: response.account)
            guard let own = added.subject else { return }
            response.exporter.noteAsked(response.account)
            reply = own
        }
        guard let frame = CrossedFrame.make(base, operation, subject: response.reply, reply: reply, requestInfo: nil)
        else { return }
        self.loop.way.append(ServiceStep(export: response.export, request: nil))
        let delivered = self.send(frame, response.reply, to: response.account, &batch)
        self.loop.way.removeLast()
        guard response.export.options.responseType != .single else { return }
        // An empty one ends them.
        if operation.pointee.size == 0 || !delivered {
            responses.remove(subject)
        } else {
            responses.extend(subject, now: now)
        }
    }

    /// Publishes a message in another account, through this loop's view of it.
    func send(
        _ frame: [UInt8],
        _ subject: [UInt8],
        to account: Account,
        _ batch: inout PublishBatch,
        isMapped: Bool = true
    ) -> Bool {
        let router = self.loop.router(for: account)
        let generation = router.index.generation
        var result = self.find(subject, router, generation)
        if isMapped, let mapped = result.pointee.mapped {
            result = self.find(mapped.choose(&self.loop.random), router, generation)
        }
        let wasCrossing = batch.isCrossing
        batch.isCrossing = self.loop.isCrossing
        defer { batch.isCrossing = wasCrossing }
        // What was routed before is of another account.
        let routed = (batch.routedMessages, batch.routedBytes)
        (batch.routedMessages, batch.routedBytes) = (0, 0)
        defer {
            batch.settleRouted(router)
            (batch.routedMessages, batch.routedBytes) = routed
        }
        var operation = ClientOperation()
        return frame.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return false }
            var parser = ClientOperationParser(maxControlLine: Int(Int32.max), maxPayload: Int(Int32.max))
            parser.headersEnabled = true
            guard case .operation = parser.next(base, from: 0, to: bytes.count, into: &operation) else { return false }
            return withUnsafePointer(to: operation) { self.publishCrossed(base, $0, result, &batch) }
        }
    }

    /// Whom a subject goes to that nobody has written.
    func find(_ subject: [UInt8], _ router: AccountRouter, _ generation: UInt64) -> MatchResult.Pointer {
        var empty: UInt8 = 0
        return subject.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress, !bytes.isEmpty else {
                return router.cache.pointee.lookUp(&empty, 0, generation: generation, loop: self.loop)
            }
            return router.cache.pointee.lookUp(base, bytes.count, generation: generation, loop: self.loop)
        }
    }

    func publishTimeouts(_ probes: [LatencyProbe], in account: Account) {
        for probe in probes { self.loop.publishSample(of: probe, .timedOut, in: account) }
    }
}
