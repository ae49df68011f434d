import NATSClient
import NATSCommandSupport
import NIOCore

/// One request and what comes back.
struct RequestExchange: Sendable {
    let options: RequestOptions
    let context: ToolContext
    let client: NATSClient
    let printer: ReplyPrinter

    /// The wait before a request that nobody listened to is sent again.
    private static let pauseForResponders: Duration = .milliseconds(250)

    /// Sends `message` and prints the replies.
    ///
    /// - Parameters:
    ///   - message: The request.
    ///   - waitForTurn: Waits until the output may be used; false if it may not any more.
    /// - Throws: What went wrong.
    func perform(_ message: OutgoingMessage, waitForTurn: @Sendable () async -> Bool) async throws {
        let deadline = ContinuousClock.now + self.context.settings.timeout
        var attemptsLeft = self.options.retryNoResponders?.limit ?? 0
        var isRepeated = false
        while true {
            let timeLeft = deadline - .now
            do {
                if self.options.hasSingleReply {
                    return try await self.request(message, deadline, waitForTurn)
                }
                guard await waitForTurn() else { return }
                return try await self.collect(message, deadline)
            } catch let error as NATSError {
                // The next one waits for the next connection.
                if error.code == .disconnected, self.options.retry != nil, ContinuousClock.now < deadline { continue }
                // Little time was left for the last attempt; there was nobody all the same.
                if error.code == .timeout, isRepeated, timeLeft < Self.pauseForResponders {
                    throw NATSError(.noResponders, "no responders available for request")
                }
                let resumption = ContinuousClock.now + Self.pauseForResponders
                guard error.code == .noResponders, attemptsLeft > 0, resumption < deadline else { throw error }
                attemptsLeft -= 1
                isRepeated = true
                try await Task.sleep(until: resumption, clock: .continuous)
            }
        }
    }

    private func request(
        _ message: OutgoingMessage,
        _ deadline: ContinuousClock.Instant,
        _ waitForTurn: @Sendable () async -> Bool
    ) async throws {
        let start = ContinuousClock.now
        let reply = try await self.client.request(
            message.payload,
            to: message.subject,
            headers: message.headers,
            timeout: deadline - .now
        )
        let latency = ContinuousClock.now - start
        guard await waitForTurn() else { return }
        self.saySent(message)
        try await self.printer.print(reply, latency: latency)
        if let failure = self.failure(reply) { throw failure }
    }

    /// What the form of the output says of a request that is answered.
    private func saySent(_ message: OutgoingMessage) {
        if self.options.output.isPretty {
            self.context.diagnostics.saySending(subject: message.subject)
        } else {
            self.context.diagnostics.sayPublished(subject: message.subject, payload: message.payload)
        }
    }

    /// Sends one request and prints replies until there are enough or none comes any more.
    private func collect(_ message: OutgoingMessage, _ deadline: ContinuousClock.Instant) async throws {
        let start = ContinuousClock.now
        let wanted = self.options.wantedReplies
        let waitsForEmpty = self.options.waitForEmpty
        let replies = try await self.client.requestMany(
            message.payload,
            to: message.subject,
            headers: message.headers,
            timeout: deadline - .now,
            stall: self.options.replyTimeout.duration,
            maximum: wanted == 0 ? nil : wanted,
            // An empty reply that tells of an error is one to print.
            while: { !waitsForEmpty || $0.payload.readableBytes > 0 || self.failure($0) != nil }
        )
        var count = 0
        var failure: ToolFailure?
        func take(_ reply: NATSMessage) async throws {
            let latency = ContinuousClock.now - start
            if count == 0 { self.saySent(message) }
            count += 1
            failure = failure ?? self.failure(reply)
            try await self.printer.print(reply, latency: latency)
        }
        var iterator = replies.makeAsyncIterator()
        while true {
            let next: NATSMessage?
            do throws(NATSError) {
                next = try await iterator.next()
            } catch {
                // Said once, before the replies that are there.
                guard error.code == .slowConsumer else {
                    // What has been printed is not asked for again.
                    if count > 0 { throw ToolFailure(error) }
                    throw error
                }
                failure = failure ?? ToolFailure("slow consumer: replies were dropped")
                continue
            }
            guard let next else { break }
            try await take(next)
        }
        if let failure { throw failure }
        switch replies.endReason {
        case .noResponders:
            throw NATSError(.noResponders, "no responders available for request")
        case .maximum, .sentinel:
            return
        case .status(let status) where count == 0:
            throw ToolFailure("the reply has status \(status) and nothing else")
        case .status, .stall, .timeout, .closed, .failed, nil:
            break
        }
        if count == 0 { throw ToolFailure("timeout", status: .timeout) }
        if waitsForEmpty { throw ToolFailure("timeout: \(count) replies, none empty", status: .timeout) }
        if wanted > 0 { throw ToolFailure("timeout: \(count) of \(wanted) replies", status: .timeout) }
    }

    /// What `--fail-if-header` says of a reply.
    private func failure(_ reply: NATSMessage) -> ToolFailure? {
        guard let name = self.options.failIfHeader, let value = reply.headers.first(ignoringCase: name) else {
            return nil
        }
        return ToolFailure(header: name, value: value)
    }
}
