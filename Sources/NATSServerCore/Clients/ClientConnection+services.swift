import NATSWire
import NIOCore

/// Messages that go to another account: requests to its services, and the answers to them.
extension ClientConnection {
    /// Sends a request to a service of another account (nats-server client.go processServiceImport).
    func requestService(
        _ service: ServiceImport,
        _ subject: [UInt8],
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<ClientOperation>,
        _ batch: inout PublishBatch
    ) -> Bool {
        // Never through the same export twice.
        guard self.loop.way.count < Self.longestWay, !self.loop.way.contains(where: { $0.export === service.export })
        else { return false }
        let range = operation.pointee.reply
        let reply = Array(UnsafeBufferPointer(start: base + range.lowerBound, count: range.count))
        var probe: LatencyProbe?
        if service.export.options.latency != nil { probe = self.probe(for: service, base, operation.pointee) }
        var response: [UInt8] = []
        if !reply.isEmpty {
            // Only the one answer of a request is measured (nats-server accounts.go addRespServiceImport).
            if service.export.options.responseType != .single { probe = nil }
            let now = probe?.start ?? batch.coarseNow
            let added = service.exporter.addResponse(
                reply,
                in: service.importer,
                service.export,
                share: service.share,
                probe: probe,
                trackedSuffix: probe == nil ? [] : self.shared.trackedSuffix,
                now: now
            )
            self.publishTimeouts(added.expired, in: service.exporter)
            guard let own = added.subject else { return false }
            response = own
        } else if let probe {
            self.loop.publishSample(of: probe, .withoutReply, in: service.exporter)
        }
        let info = self.requestInfo(for: service)
        guard let frame = CrossedFrame.make(base, operation, subject: subject, reply: response, requestInfo: info)
        else { return false }
        self.loop.way.append(ServiceStep(export: service.export, request: service))
        let delivered = self.send(frame, subject, to: service.exporter, &batch)
        self.loop.way.removeLast()
        guard !response.isEmpty else { return delivered }
        if delivered {
            if probe != nil { self.loop.watchResponse(response, of: service) }
        } else {
            let probe = service.exporter.responses.remove(response)
            if let probe { self.loop.publishSample(of: probe, .nobodyListens, in: service.exporter) }
        }
        return delivered
    }

    /// What the latency of a request is measured with, if it is.
    @inline(never)
    private func probe(
        for service: ServiceImport,
        _ base: UnsafePointer<UInt8>,
        _ operation: ClientOperation
    ) -> LatencyProbe? {
        let header = UnsafeBufferPointer(start: base + operation.payloadStart, count: max(0, operation.headerSize))
        guard let latency = service.export.options.latency,
            let headers = LatencySampling.decide(latency, header: Array(header), random: &self.loop.random)
        else {
            return nil
        }
        return LatencyProbe(
            subject: Array(latency.subject.utf8),
            requestor: self.clientInfo(isDetailed: service.share),
            roundTrip: self.keepAlive.roundTripTime?.nanoseconds ?? 0,
            headers: headers,
            start: .now()
        )
    }

    /// Who makes a request, as its header tells the exporter (nats-server client.go processServiceImport).
    private func requestInfo(for service: ServiceImport) -> [UInt8]? {
        // The server itself is nobody whom a service could know (nats-server client.go getClientInfo).
        guard !self.isInternal || !self.account.isSystem else { return nil }
        // Of a request that has come through other accounts the first account is told, and the last one.
        // The system account is told the server in any case.
        let isSystem = service.exporter.isSystem
        guard let first = self.loop.way.lazy.compactMap(\.request).first else {
            guard !isSystem || service.share else { return self.clientInfo(isDetailed: false, namesServer: true) }
            let roundTrip = self.keepAlive.roundTripTime?.nanoseconds ?? 0
            return self.knownInfo.text(isDetailed: service.share, roundTrip: roundTrip) {
                self.clientInfo(isDetailed: service.share)
            }
        }
        return self.clientInfo(
            isDetailed: first.share,
            service: service.importer.name,
            namesServer: isSystem || service.share || self.loop.way.contains { $0.request?.share == true }
        )
    }

    /// Who this is, as JSON (nats-server events.go ClientInfo).
    func clientInfo(isDetailed: Bool, service: String = "", namesServer: Bool? = nil) -> [UInt8] {
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
            writer.writeUnlessEmpty("user", self.session.shownUser)
            writer.writeUnlessEmpty("name", self.session.payload.name)
            writer.writeUnlessEmpty("lang", self.session.payload.lang)
            writer.writeUnlessEmpty("ver", self.session.payload.version)
        }
        writer.writeUnlessZero("rtt", self.keepAlive.roundTripTime?.nanoseconds ?? 0)
        if namesServer ?? isDetailed {
            writer.write("server", self.shared.serverName)
            writer.writeUnlessEmpty("cluster", self.shared.routes?.clusterName ?? "")
        }
        if isDetailed {
            if self.session.user != nil { writer.writeUnlessEmpty("jwt", self.session.payload.jwt) }
            writer.writeUnlessEmpty("issuer_key", self.session.issuerKey)
            writer.writeUnlessEmpty("name_tag", self.session.user?.name ?? "")
            writer.writeUnlessEmpty("tags", self.session.user?.tags ?? [])
            writer.write("kind", "Client")
            writer.write("client_type", self.webSocket == nil ? "nats" : "websocket")
        }
        writer.finish()
        return writer.bytes
    }

    // MARK: The server's own messages

    /// Publishes what the server has to say, as one of an account.
    func publishOwn(_ message: InternalMessage, in account: Account) {
        if account !== self.account { self.knownInfo = RequestInfo() }
        self.account = account
        self.router = self.loop.router(for: account)
        self.loop.lastBatch = .now()
        // A client's input may be under way.
        let drops = self.loop.dropsForCongested
        self.loop.dropsForCongested = false
        defer { self.loop.dropsForCongested = drops }
        var batch = PublishBatch(self)
        _ = self.send(message.frame, message.subject, to: account, &batch, isMapped: false)
    }

    /// Some of the account's subscriptions have gone: answers that nobody waits for are not waited for any more.
    func endUnwantedRequests(_ subscriptions: some Sequence<Subscription>) {
        guard self.account.hasOpenRequests else { return }
        for subscription in subscriptions where subscription.stream == nil {
            for (exporter, probe) in self.account.endUnwantedRequests(subscription.subject) {
                self.loop.publishSample(of: probe, .nobodyWaits, in: exporter)
            }
        }
    }
}

extension ServerLoop {
    /// Tells an exporter what became of a request; not at once, since a delivery is under way.
    func publishSample(of probe: LatencyProbe, _ outcome: LatencyProbe.Outcome, in account: Account) {
        let now = NIODeadline.now()
        self.eventLoop.execute {
            guard !self.shared.isEnding else { return }
            let sample = probe.sample(outcome, now: now, clock: self.shared.clock)
            self.publisher.publishOwn(InternalMessage(to: probe.subject, payload: sample), in: account)
        }
    }

    /// A request whose latency is measured has been sent: its answer may not come.
    ///
    /// Of very many at a time only some are watched.
    func watchResponse(_ response: [UInt8], of service: ServiceImport) {
        guard self.watchedResponses < 10_000 else { return }
        self.watchedResponses += 1
        let threshold = TimeAmount(service.export.options.responseThreshold)
        self.eventLoop.scheduleTask(in: threshold) {
            self.watchedResponses -= 1
            guard !self.shared.isEnding, let probe = service.exporter.responses.remove(response) else { return }
            self.publishSample(of: probe, .timedOut, in: service.exporter)
        }
    }
}
