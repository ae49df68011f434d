import Logging
import NATSText
import NATSWire
import NIOCore

/// Latencies of services whose responders are on other servers than their requesters.
extension SystemService {
    /// What another server says in more bytes is not heard.
    private static let longestReport = 16 << 10

    /// A client of this server answers a request that another server measures: tells that one how long the client took.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - reply: Its reply subject, which ends in the hash of the other server and `T`.
    ///   - responder: Who answers, as JSON, and its round-trip time in nanoseconds.
    ///   - now: The time.
    func tellLatency(
        of request: TrackedRequests.Request,
        _ reply: [UInt8],
        by responder: (info: [UInt8], roundTrip: Int64),
        now: NIODeadline
    ) {
        let tokens = String(decoding: reply, as: UTF8.self).split(separator: ".", omittingEmptySubsequences: false)
        guard let hash = tokens.dropLast().last else { return }
        let elapsed = (now - request.start).nanoseconds
        let start = self.shared.clock.wallNanoseconds(request.start)
        let account = request.account.name
        self.publish(SystemSubjects.latency(String(hash)), size: responder.info.count + 256) { _ in
            SystemEvents.document { writer in
                writer.write("account", account)
                writer.write("req_id", text: reply)
                writer.object("m2") { writer in
                    // A sample that is not one yet has these without values.
                    writer.write("type", "")
                    writer.write("id", "")
                    writer.write("timestamp", "0001-01-01T00:00:00Z")
                    writer.write("status", 200)
                    writer.write("responder", raw: responder.info)
                    writer.write("start", time: start)
                    writer.write("service", Int(max(0, elapsed - responder.roundTrip)))
                    writer.write("system", 0)
                    writer.write("total", Int(elapsed))
                }
            }
        }
    }

    /// The answer to a request that is measured has come from another server.
    func answered(_ reply: [UInt8], _ probe: LatencyProbe, in exporter: Account) {
        let whole = RemoteLatencies.Whole(probe: probe, exporter: exporter, answered: .now())
        if let part = self.latencies.answered(reply, whole) { self.publishSample(whole, part) }
    }

    /// Another server tells how long its client took for an answer.
    func measuredElsewhere(_ message: InternalMessage) {
        guard message.payload.count <= Self.longestReport else { return }
        var name = ""
        var reply = ""
        var service: Int64 = 0
        var roundTrip: Int64 = 0
        var responder: JSONValue?
        do throws(JSONError) {
            let document = try JSONValue.parse(message.payload)
            let reader = try JSONObjectReader(document)
            try reader.read("account", into: &name)
            try reader.read("req_id", into: &reply)
            try reader.readObject("m2") { m2 throws(JSONError) in
                try m2.read("service", into: &service)
                try m2.readObject("responder") { responder throws(JSONError) in
                    try responder.read("rtt", into: &roundTrip)
                }
            }
            responder = document.member("m2")?.member("responder")
        } catch {
            return self.shared.logger.error("Error unmarshalling remote latency measurement: \(error)")
        }
        guard let account = self.shared.accounts[name] else {
            let text = "Could not lookup account \(GoString.quoted(name.utf8)) for latency measurement"
            if self.shared.shouldLog(text) { self.shared.logger.warning("\(text)") }
            return
        }
        var info = JSONDocumentWriter(indentation: nil)
        info.element(responder ?? .object([]))
        let key = Array(reply.utf8)
        let part = RemoteLatencies.Part(responder: info.bytes, roundTrip: roundTrip, service: service)
        let isAwaited = account.responses.awaits(key)
        guard let whole = self.latencies.measured(key, part, isAwaited: isAwaited, now: .now()) else { return }
        self.publishSample(whole, part)
    }

    private func publishSample(_ whole: RemoteLatencies.Whole, _ part: RemoteLatencies.Part) {
        let elapsed = (whole.answered - whole.probe.start).nanoseconds
        let outcome = LatencyProbe.Outcome.answeredElsewhere(
            responder: part.responder,
            service: part.service,
            system: max(0, elapsed - part.service - part.roundTrip)
        )
        let sample = whole.probe.sample(outcome, now: whole.answered, clock: self.shared.clock)
        self.client.publish(InternalMessage(to: whole.probe.subject, payload: sample), in: whole.exporter)
    }
}

extension JSONValue {
    /// The last member with a name; `nil` if this is no object that has one.
    fileprivate func member(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { equalsIgnoringASCIICase($0.key, name) }?.value
    }
}
