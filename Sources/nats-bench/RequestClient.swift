import NATSBenchSupport
import NATSClient
import NATSCommandSupport

/// Sends requests, the next one when the reply to the last is there, and notes how long each took.
struct RequestClient: Sendable {
    let client: NATSClient
    let content: SenderContent
    /// Whether replies are acknowledgements of a stream.
    let expectsAcknowledgements: Bool
    let control: BenchControl
    let counter: BenchCounter
    let timeout: Duration

    func run() async -> ClientOutcome {
        var sample = BenchSample(expected: self.content.count, latencies: LatencyHistogram())
        sample.start = BenchClock.now
        sample.end = sample.start
        do {
            try await self.request(&sample)
            return ClientOutcome(sample)
        } catch {
            return ClientOutcome(sample, error, self.client)
        }
    }

    // MARK: Hot path
    private func request(_ sample: inout BenchSample) async throws {
        var generator = SystemRandomNumberGenerator()
        var latencies = LatencyHistogram()
        let limit = self.content.count ?? Int.max
        var sent = 0
        defer {
            sample.messages = sent
            sample.bytes = sent * self.content.payload.size
            sample.latencies = latencies
        }
        while sent < limit, !self.control.isStopped {
            let payload = self.content.payload.payload(sent)
            let subject = self.content.subjects.subject(sent, &generator)
            let start = BenchClock.now
            let reply: NATSMessage
            do throws(NATSError) {
                reply = try await self.client.request(
                    payload,
                    to: subject,
                    headers: self.content.headers,
                    timeout: self.timeout
                )
            } catch {
                throw self.failure(error, subject)
            }
            let end = BenchClock.now
            if self.expectsAcknowledgements { try Self.check(reply, subject) }
            latencies.record(nanoseconds: end - min(start, end))
            sent += 1
            sample.end = end
            self.counter.set(sent)
            guard self.content.pace.isDue(after: sent), sent < limit else { continue }
            let pause = self.content.pace.pause(after: sent, start: sample.start, now: BenchClock.now)
            if pause > 0 { try await Task.sleep(for: .nanoseconds(Int64(clamping: pause))) }
        }
    }

    private func failure(_ error: NATSError, _ subject: String) -> any Error {
        guard self.expectsAcknowledgements, error.code == .noResponders else { return error }
        guard self.client.serverInfo?.jetStream == true else {
            let server = PeerText.harmless(ConnectionSettings.redacted(self.client.serverInfo?.url ?? ""))
            return ToolFailure("JetStream is not enabled on the server \(server)", status: .noResponders)
        }
        return ToolFailure("no stream takes messages of [\(subject)]", status: .noResponders)
    }

    private static func check(_ reply: NATSMessage, _ subject: String) throws(ToolFailure) {
        switch StreamAcknowledgement(reply.payload) {
        case .stored: return
        case .refused(let reason): throw ToolFailure("a message of [\(subject)] was not stored: \(reason)")
        case .unreadable: throw ToolFailure("the reply to a message of [\(subject)] is no acknowledgement")
        }
    }
}
