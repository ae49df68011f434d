import NATSClient
import NATSCommandSupport
import NIOCore

/// What becomes of messages.
enum MessageWay: Sendable {
    /// They are printed, one after the other.
    case printed
    case emitted(MessageEmitter)
    /// They are counted.
    case reported(SubjectReporter)
}

/// nats-sub from the moment that it listens until something ends it.
struct SubscribeSession: Sendable {
    let options: SubscribeOptions
    let context: ToolContext
    let reconnect: ToolConnection.Reconnect
    let client: NATSClient
    let events: NATSEvents
    let subscriptions: [NATSSubscription]
    /// To all inboxes, if replies are matched.
    let replies: NATSSubscription?
    let printer: MessagePrinter
    let writer: OutputWriter
    let way: MessageWay
    let drops: DropReport

    /// Why the tool ends.
    private enum Outcome: Sendable {
        /// One subscription gave everything it will ever give.
        case subscriptionEnded
        /// The messages asked for are there.
        case counted
        /// `--wait` or `--max-time` passed.
        case timePassed
        case signalled
        case closed(NATSError?)
        case outputFailed(OutputWriter.WriteError)
        /// A watcher was told to stop.
        case none
    }

    func run(start: ContinuousClock.Instant) async throws -> ToolStatus {
        try await withThrowingTaskGroup(of: Outcome.self) { group in
            defer {
                group.cancelAll()
                // A thread that waits for a command does not see that.
                if case .emitted(let emitter) = self.way { emitter.stop() }
            }
            for subscription in self.subscriptions {
                group.addTask { try await self.follow(subscription) }
            }
            if let replies = self.replies {
                group.addTask { try await self.follow(replies: replies) }
            }
            if case .reported(let reporter) = self.way {
                group.addTask {
                    try await reporter.refresh()
                    return .none
                }
            }
            group.addTask { await self.watch() }
            group.addTask { await self.writer.waitForError().map { .outputFailed($0) } ?? .none }
            let shutdown = self.context.shutdown
            group.addTask { await shutdown.wait() == nil ? .none : .signalled }
            if let limit = self.options.maxTime {
                group.addTask { await Self.sleep(until: start + limit.duration) }
            }
            if let wait = self.options.wait {
                group.addTask { await self.waitForSilence(of: wait.duration) }
            }

            var open = self.subscriptions.count
            while let outcome = try await group.next() {
                switch outcome {
                case .none:
                    continue
                case .subscriptionEnded:
                    open -= 1
                    if open > 0 { continue }
                    return try await self.finish(.subscriptionEnded)
                case .signalled:
                    if self.context.diagnostics.isVerbose || POSIX.isTerminal(2) {
                        self.context.diagnostics.say("Draining...")
                    }
                    try? await self.client.drain(timeout: self.context.drainTimeout)
                case .counted, .timePassed, .closed, .outputFailed:
                    return try await self.finish(outcome)
                }
            }
            return .success
        }
    }

    private func finish(_ outcome: Outcome) async throws -> ToolStatus {
        if case .outputFailed(let error) = outcome { throw error }
        var hasFailures = false
        switch self.way {
        case .printed:
            break
        case .reported(let reporter):
            try await reporter.show()
        case .emitted(let emitter):
            if case .counted = outcome {
                // The last requests may get their replies as any other request would.
                await self.wait(atMost: self.context.settings.timeout, for: emitter, includingReplies: true)
            }
            let limit = self.context.drainTimeout
            let stopping = Task {
                try await Task.sleep(for: limit)
                emitter.stop()
            }
            defer { stopping.cancel() }
            await self.wait(atMost: limit, for: emitter, includingReplies: false)
            try await emitter.finish()
            if emitter.isWorking {
                // What is given up now is a failure, which has to be known.
                emitter.stop()
                await self.wait(atMost: .seconds(1), for: emitter, includingReplies: false)
            }
            hasFailures = emitter.hasFailures || emitter.isWorking
        }
        try await self.writer.flush()
        self.drops.update(self.subscriptions)
        if case .closed(let error) = outcome {
            let text = error.map { "nats: \(ToolFailure($0).description)" } ?? "<nil>"
            self.context.diagnostics.report("Exiting: \(text)")
            return .failure
        }
        await self.client.close()
        if hasFailures || (self.drops.hasDrops && !self.options.lossy) { return .failure }
        if let count = self.options.count, self.printer.count < count { return .timeout }
        return .success
    }

    /// Waits until nothing is in the emitter's hands, or a signal came.
    private func wait(atMost limit: Duration, for emitter: MessageEmitter, includingReplies: Bool) async {
        let shutdown = self.context.shutdown
        guard shutdown.signal == nil else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await emitter.waitUntilIdle(includingReplies: includingReplies) }
            group.addTask { try? await Task.sleep(for: limit) }
            group.addTask { _ = await shutdown.wait() }
            _ = await group.next()
            group.cancelAll()
        }
    }

    // MARK: Hot path

    private func follow(_ subscription: NATSSubscription) async throws -> Outcome {
        do {
            for try await batch in subscription.batches {
                switch self.way {
                case .printed:
                    var position = batch.startIndex
                    while position < batch.endIndex {
                        if try self.printer.print(batch, from: &position) { return .counted }
                        try await self.writer.waitForRoom()
                    }
                case .emitted(let emitter):
                    try await emitter.take(batch)
                    if emitter.isComplete { return .counted }
                case .reported(let reporter):
                    if reporter.take(batch) { return .counted }
                }
            }
        } catch let error as NATSError
            where error.code == .connectionClosed || error.code == .cancelled || self.client.isClosed
        {
            // If the whole client ended, the event says why.
            return .none
        }
        // If the whole client ended without being asked to, the event says why.
        return self.client.isClosed && self.context.shutdown.signal == nil ? .none : .subscriptionEnded
    }

    private func follow(replies: NATSSubscription) async throws -> Outcome {
        guard case .emitted(let emitter) = self.way else { return .none }
        do {
            for try await batch in replies.batches {
                try await emitter.take(replies: batch)
                if emitter.isComplete, emitter.isIdle { return .counted }
            }
        } catch let error as NATSError
            where error.code == .connectionClosed || error.code == .cancelled || self.client.isClosed
        {
            return .none
        }
        return .none
    }

    // MARK: What runs beside

    private func watch() async -> Outcome {
        for await event in self.events {
            switch event {
            case .disconnected(let error?):
                let reason = Self.disconnectReason(error)
                self.context.diagnostics.say("Disconnected due to:\(reason)\(self.reconnect.announcement)")
            case .reconnected:
                let url = PeerText.harmless(self.client.serverInfo?.url ?? "")
                self.context.diagnostics.say("Reconnected [\(url)]")
            case .closed(let error):
                // After a signal the client closes because it was drained.
                return self.context.shutdown.signal == nil ? .closed(error) : .none
            case .error(let error, nil):
                self.context.diagnostics.error(ToolFailure(error).description)
            case .discovered(let servers):
                let list = PeerText.harmless(servers.joined(separator: ", "))
                self.context.diagnostics.detail("Discovered servers: \(list)")
            case .lameDuckMode:
                self.context.diagnostics.detail("Server is going to shut down (lame duck mode)")
            case .slowConsumer(let subscription, _):
                self.context.diagnostics.detail("Slow consumer on [\(subscription.subject)]")
            case .slowConsumerEnded:
                self.drops.update(self.subscriptions)
            default:
                break
            }
        }
        return .none
    }

    /// The Go tools' word for an orderly end of the connection is `EOF`.
    private static func disconnectReason(_ error: NATSError) -> String {
        guard error.code == .disconnected else { return "nats: \(ToolFailure(error).description)" }
        return error.cause.map { "\($0)" } ?? "EOF"
    }

    private static func sleep(until deadline: ContinuousClock.Instant) async -> Outcome {
        do {
            try await Task.sleep(until: deadline, clock: .continuous)
            return .timePassed
        } catch {
            return .none
        }
    }

    private func waitForSilence(of duration: Duration) async -> Outcome {
        while true {
            let deadline = self.printer.lastActivity + duration
            if deadline <= .now { return .timePassed }
            guard case .timePassed = await Self.sleep(until: deadline) else { return .none }
        }
    }
}
