import NATSWire
import NIOCore

/// Requests to services of other accounts.
extension ServerConnection {
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
            requestor: self.describe(isDetailed: service.share, service: "", namesServer: nil),
            roundTrip: self.roundTripNanoseconds,
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
            guard !isSystem || service.share else {
                return self.describe(isDetailed: false, service: "", namesServer: true)
            }
            return self.knownInfo.text(isDetailed: service.share, roundTrip: self.roundTripNanoseconds) {
                self.describe(isDetailed: service.share, service: "", namesServer: nil)
            }
        }
        return self.describe(
            isDetailed: first.share,
            service: service.importer.name,
            namesServer: isSystem || service.share || self.loop.way.contains { $0.request?.share == true }
        )
    }
}
