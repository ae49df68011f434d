internal import NATSWire
import NIOCore

/// A request to a service whose latency is measured.
struct LatencyProbe: Sendable {
    /// What became of it.
    enum Outcome: Sendable {
        case answered(responder: [UInt8], roundTrip: Int64)
        /// Another server, to which the responder is connected, has measured how long that took.
        case answeredElsewhere(responder: [UInt8], service: Int64, system: Int64)
        case withoutReply
        case nobodyWaits
        case nobodyListens
        case timedOut

        fileprivate var status: (code: Int, text: String) {
            switch self {
            case .answered, .answeredElsewhere: (200, "")
            case .withoutReply: (400, "Bad Request")
            case .nobodyWaits: (408, "Request Timeout")
            case .nobodyListens: (503, "Service Unavailable")
            case .timedOut: (504, "Service Timeout")
            }
        }
    }

    /// Where samples are published, in the exporter's account.
    let subject: [UInt8]
    /// Who made the request, as JSON, and its round-trip time in nanoseconds.
    let requestor: [UInt8]
    let roundTrip: Int64
    let headers: LatencySampling.Headers
    let start: NIODeadline

    /// Memory that hangs on it, in bytes.
    var size: Int {
        self.requestor.count + self.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    }

    /// The sample (nats-server accounts.go ServiceLatency).
    ///
    /// - Parameters:
    ///   - outcome: What became of the request.
    ///   - now: The time.
    ///   - clock: Tells it to people.
    /// - Returns: JSON.
    func sample(_ outcome: Outcome, now: NIODeadline, clock: ServerClock) -> [UInt8] {
        func time(_ nanoseconds: Int64) -> String { String(decoding: TimeText.rfc3339(nanoseconds), as: UTF8.self) }
        var generator = SystemRandomNumberGenerator()
        var identifier = NUID(using: &generator)
        var writer = JSONObjectWriter()
        writer.write("type", "io.nats.server.metric.v1.service_latency")
        writer.write("id", identifier.next(using: &generator))
        writer.write("timestamp", time(clock.wallNanoseconds(now)))
        writer.write("status", outcome.status.code)
        writer.writeUnlessEmpty("description", outcome.status.text)
        writer.write("requestor", raw: self.requestor)
        var service: Int64 = 0
        var system: Int64 = 0
        var total: Int64 = 0
        let elapsed = (now - self.start).nanoseconds
        switch outcome {
        case .answered(let responder, let roundTrip):
            writer.write("responder", raw: responder)
            service = max(0, elapsed - roundTrip)
            total = self.roundTrip + elapsed
        case .answeredElsewhere(let responder, let measured, let rest):
            writer.write("responder", raw: responder)
            (service, system) = (measured, rest)
            total = self.roundTrip + elapsed
        case .withoutReply, .nobodyWaits, .nobodyListens, .timedOut:
            break
        }
        if !self.headers.isEmpty {
            var headers = JSONObjectWriter()
            for (name, value) in self.headers { headers.write(named: name, [value]) }
            headers.finish()
            writer.write("header", raw: headers.bytes)
        }
        writer.write("start", time(clock.wallNanoseconds(self.start) - self.roundTrip))
        writer.write("service", service)
        writer.write("system", system)
        writer.write("total", total)
        writer.finish()
        return writer.bytes
    }
}
