import NATSBenchSupport
import NATSClient
import NIOCore

/// Publishes as fast as the server takes it; the clock stops when the server has confirmed everything.
struct PublishClient: Sendable {
    let client: NATSClient
    let content: SenderContent
    let control: BenchControl
    let counter: BenchCounter
    let flushTimeout: Duration

    func run() async -> ClientOutcome {
        var sample = BenchSample(expected: self.content.count)
        sample.start = BenchClock.now
        do {
            try await self.publish(&sample)
            try await self.client.flush(timeout: self.flushTimeout)
            sample.end = BenchClock.now
            if let error = self.client.lastError { throw error }
            return ClientOutcome(sample)
        } catch {
            sample.end = BenchClock.now
            return ClientOutcome(sample, error, self.client)
        }
    }

    // MARK: Hot path
    private func publish(_ sample: inout BenchSample) async throws {
        var generator = SystemRandomNumberGenerator()
        let limit = self.content.count ?? Int.max
        let headers = self.content.headers
        let pace = self.content.pace
        var sent = 0
        defer {
            sample.messages = sent
            sample.bytes = sent * self.content.payload.size
            self.counter.set(sent)
        }
        while sent < limit, !self.control.isStopped {
            let payload = self.content.payload.payload(sent)
            let subject = self.content.subjects.subject(sent, &generator)
            do throws(NATSError) {
                try self.client.tryPublish(payload, to: subject, headers: headers)
            } catch {
                guard error.code == .publishBufferFull else { throw error }
                try await self.client.publish(payload, to: subject, headers: headers)
            }
            sent &+= 1
            if sent & (BenchCounter.interval - 1) == 0 { self.counter.set(sent) }
            guard pace.isDue(after: sent), sent < limit else { continue }
            let pause = pace.pause(after: sent, start: sample.start, now: BenchClock.now)
            guard pause > 0 else { continue }
            self.counter.set(sent)
            try await Task.sleep(for: .nanoseconds(Int64(clamping: pause)))
        }
    }
}
