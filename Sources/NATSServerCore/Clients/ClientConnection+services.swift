import NATSWire
import NIOCore

/// Who the client is to services of other accounts, and the server's own messages.
extension ClientConnection {
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
