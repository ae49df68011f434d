import NATSClient
import NATSCommandSupport
import NIOCore

/// nats-rply: requests in, an answer out to each.
struct ReplyProgram: Sendable {
    let options: ReplyOptions
    let context: ToolContext

    /// Why the tool ends.
    private enum Outcome: Sendable {
        /// The subscription gave everything it will ever give.
        case ended
        case signalled
        case closed(NATSError?)
        case outputFailed(OutputWriter.WriteError)
        /// A watcher was told to stop.
        case none
    }

    func run() async throws -> ToolStatus {
        let writer = try OutputWriter(descriptor: 1)
        let client = try await ToolConnection.connect(self.context, reconnect: self.reconnect)
        let events = client.events
        let subscription = try await self.context.cancelledBySignal {
            let subscription = try await client.subscribe(
                self.options.subject,
                queue: self.options.queue,
                confirm: true
            )
            if let count = self.options.count { subscription.unsubscribe(after: UInt64(count)) }
            return subscription
        }
        self.context.diagnostics.say("Listening on [\(self.options.subject)]")
        let answerer = RequestAnswerer(self.options, self.context, client, writer)
        let drops = DropReport(diagnostics: self.context.diagnostics)
        do {
            return try await self.run(client, events, subscription, answerer, drops)
        } catch let error as NATSError {
            // What came before the error is printed all the same.
            try await writer.flush()
            throw error
        }
    }

    private var reconnect: ToolConnection.Reconnect {
        ToolConnection.Reconnect(maximumAttempts: self.options.maxReconnects)
    }

    // MARK: Until something ends it

    private func run(
        _ client: NATSClient,
        _ events: NATSEvents,
        _ subscription: NATSSubscription,
        _ answerer: RequestAnswerer,
        _ drops: DropReport
    ) async throws -> ToolStatus {
        let writer = answerer.writer
        return try await withThrowingTaskGroup(of: Outcome.self) { group in
            defer {
                group.cancelAll()
                // A thread that waits for a command does not see that.
                answerer.command?.stop()
            }
            group.addTask { try await self.answer(subscription, client, answerer) }
            group.addTask { await self.watch(events, client, subscription, drops) }
            group.addTask { await writer.waitForError().map { .outputFailed($0) } ?? .none }
            let shutdown = self.context.shutdown
            group.addTask { await shutdown.wait() == nil ? .none : .signalled }
            while let outcome = try await group.next() {
                switch outcome {
                case .none:
                    continue
                case .signalled:
                    if self.context.diagnostics.isVerbose || POSIX.isTerminal(2) {
                        self.context.diagnostics.say("Draining...")
                    }
                    do {
                        // The client stays open for the answers that are still being made.
                        try await subscription.drain(timeout: self.context.drainTimeout)
                    } catch {
                        await client.close()
                    }
                case .ended:
                    try await writer.flush()
                    try? await client.flush(timeout: self.context.flushTimeout)
                    drops.update([subscription])
                    // A refused reply is told of before the end.
                    if self.context.shutdown.signal == nil, let error = client.lastError { throw error }
                    await client.close()
                    return drops.hasDrops ? .failure : .success
                case .closed(let error):
                    try await writer.flush()
                    let text = error.map { "nats: \(ToolFailure($0).description)" } ?? "<nil>"
                    self.context.diagnostics.report("Exiting: \(text)")
                    return .failure
                case .outputFailed(let error):
                    throw error
                }
            }
            return .success
        }
    }

    // MARK: What runs beside

    private func answer(
        _ subscription: NATSSubscription,
        _ client: NATSClient,
        _ answerer: RequestAnswerer
    ) async throws -> Outcome {
        do {
            try await answerer.answer(subscription)
        } catch let error as NATSError where error.code == .cancelled || client.isClosed {
            // If the whole client ended, the event says why.
            return .none
        }
        return client.isClosed && self.context.shutdown.signal == nil ? .none : .ended
    }

    private func watch(
        _ events: NATSEvents,
        _ client: NATSClient,
        _ subscription: NATSSubscription,
        _ drops: DropReport
    ) async -> Outcome {
        for await event in events {
            switch event {
            case .disconnected(let error?):
                let reason = error.code == .disconnected ? "EOF" : "nats: \(ToolFailure(error).description)"
                // With the blank that Go's nats-rply has and its nats-sub has not.
                self.context.diagnostics.say("Disconnected due to: \(reason)\(self.reconnect.announcement)")
            case .reconnected:
                let url = PeerText.harmless(client.serverInfo?.url ?? "")
                self.context.diagnostics.say("Reconnected [\(url)]")
            case .closed(let error):
                // After a signal the client closes because it was drained.
                return self.context.shutdown.signal == nil ? .closed(error) : .none
            case .error(let error, nil):
                self.context.diagnostics.error(ToolFailure(error).description)
            case .lameDuckMode:
                self.context.diagnostics.detail("Server is going to shut down (lame duck mode)")
            case .slowConsumer(let subscription, _):
                self.context.diagnostics.detail("Slow consumer on [\(subscription.subject)]")
            case .slowConsumerEnded:
                drops.update([subscription])
            default:
                break
            }
        }
        return .none
    }
}
