import NATSBenchSupport
import NATSClient
import NIOCore

/// Counts what one subscription brings, and answers it if it is a responder; the clock runs from the first message to
/// the last.
struct ReceiveClient: Sendable {
    /// What a responder sends.
    struct Response: Sendable {
        var payload: PayloadSource
        var headers: NATSHeaders
        /// Nanoseconds before each reply.
        var pause: UInt64
    }

    let client: NATSClient
    let subscription: NATSSubscription
    let response: Response?
    /// Messages before the first that counts.
    let warmup: Int
    let control: BenchControl
    let counter: BenchCounter

    func run() async -> ClientOutcome {
        var sample = BenchSample()
        do {
            try await self.receive(&sample)
            return ClientOutcome(sample)
        } catch {
            return ClientOutcome(sample, error, self.client)
        }
    }

    // MARK: Hot path
    private func receive(_ sample: inout BenchSample) async throws {
        var skipped = 0
        for try await batch in self.subscription.batches {
            let arrived = BenchClock.now
            let skipping = min(self.warmup - skipped, batch.count)
            skipped += skipping
            let first = batch.startIndex + skipping
            let count = self.control.admit(batch.endIndex - first, received: sample.messages)
            if count > 0, sample.messages == 0 { sample.start = arrived }
            for position in first..<(first + count) {
                let message = batch[position]
                sample.bytes += message.payloadSize
                if let response = self.response { try await self.respond(to: message, response, sample.messages) }
                sample.messages += 1
            }
            if count > 0 { sample.end = BenchClock.now }
            self.counter.set(sample.messages)
            if self.control.isDone(received: sample.messages) { return }
        }
        // Ended by nobody here: the connection is gone, or the server took the subscription back.
        guard !Task.isCancelled else { return }
        throw self.client.lastError ?? NATSError(.connectionClosed, "the subscription ended")
    }

    private func respond(to message: NATSMessage, _ response: Response, _ number: Int) async throws {
        if response.pause > 0 { try await Task.sleep(for: .nanoseconds(Int64(clamping: response.pause))) }
        guard let reply = message.reply else { return }
        let payload = response.payload.payload(number)
        do throws(NATSError) {
            try self.client.tryPublish(payload, to: reply, headers: response.headers)
        } catch {
            guard error.code == .publishBufferFull else { throw error }
            try await self.client.publish(payload, to: reply, headers: response.headers)
        }
    }
}
