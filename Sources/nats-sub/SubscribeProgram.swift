import NATSClient
import NATSCommandSupport
import NIOCore

/// nats-sub: subscriptions in, one stream of bytes out.
struct SubscribeProgram: Sendable {
    let options: SubscribeOptions
    let context: ToolContext

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

    func run() async throws -> ToolStatus {
        let start = ContinuousClock.now
        let format = try self.format()
        let writer = try OutputWriter(descriptor: 1)
        let client = try await ToolConnection.connect(self.context, reconnect: self.reconnect)
        let events = client.events
        let subscriptions = try await self.context.cancelledBySignal { try await self.subscribe(client) }
        if self.isText(format) || self.context.diagnostics.isVerbose { self.announce() }

        let printer = MessagePrinter(
            format: format,
            showsTime: self.options.timestamp,
            queue: self.options.queue,
            limit: self.options.count,
            writer: writer
        )
        do {
            return try await self.run(client, events, subscriptions, printer, writer, start)
        } catch let error as NATSError {
            // What came before the error is printed all the same.
            try await writer.flush()
            throw error
        }
    }

    private var reconnect: ToolConnection.Reconnect {
        ToolConnection.Reconnect(maximumAttempts: self.options.maxReconnects)
    }

    private func format() throws(UsageError) -> MessageFormatter.Format {
        if let format = try self.options.output.messageFormat() { return format }
        guard let queue = self.options.queue else { return .received }
        return .receivedInGroup(queue, processID: POSIX.processID)
    }

    private func isText(_ format: MessageFormatter.Format) -> Bool {
        switch format {
        case .received, .receivedInGroup, .reply: true
        case .payload, .template: false
        }
    }

    private func announce() {
        let subjects = self.options.subjects.joined(separator: ", ")
        let group = self.options.queue.map { ", queue group [\($0)]" } ?? ""
        self.context.diagnostics.say("Listening on [\(subjects)]\(group)")
    }

    /// Subscribes to every subject; returns when the server has confirmed all of them.
    private func subscribe(_ client: NATSClient) async throws -> [NATSSubscription] {
        var subscriptions: [NATSSubscription] = []
        for subject in self.options.subjects {
            let subscription = try await client.subscribe(subject, queue: self.options.queue, confirm: true)
            subscriptions.append(subscription)
        }
        if let count = self.options.count, let only = subscriptions.first, subscriptions.count == 1 {
            // The server stops by itself and need not send what would not be printed.
            only.unsubscribe(after: UInt64(count))
        }
        return subscriptions
    }

    // MARK: Until something ends it

    private func run(
        _ client: NATSClient,
        _ events: NATSEvents,
        _ subscriptions: [NATSSubscription],
        _ printer: MessagePrinter,
        _ writer: OutputWriter,
        _ start: ContinuousClock.Instant
    ) async throws -> ToolStatus {
        let drops = DropReport(diagnostics: self.context.diagnostics)
        return try await withThrowingTaskGroup(of: Outcome.self) { group in
            defer { group.cancelAll() }
            for subscription in subscriptions {
                group.addTask { try await self.print(subscription, client, printer, writer) }
            }
            group.addTask { await self.watch(events, client, subscriptions, drops) }
            group.addTask { await writer.waitForError().map { .outputFailed($0) } ?? .none }
            let shutdown = self.context.shutdown
            group.addTask { await shutdown.wait() == nil ? .none : .signalled }
            if let limit = self.options.maxTime {
                group.addTask { await Self.sleep(until: start + limit.duration) }
            }
            if let wait = self.options.wait {
                group.addTask { await Self.waitForSilence(of: wait.duration, printer) }
            }

            var open = subscriptions.count
            while let outcome = try await group.next() {
                switch outcome {
                case .none:
                    continue
                case .subscriptionEnded:
                    open -= 1
                    if open > 0 { continue }
                    return try await self.finish(client, subscriptions, drops, printer, writer, .subscriptionEnded)
                case .signalled:
                    if self.context.diagnostics.isVerbose || POSIX.isTerminal(2) {
                        self.context.diagnostics.say("Draining...")
                    }
                    try? await client.drain(timeout: self.context.drainTimeout)
                default:
                    return try await self.finish(client, subscriptions, drops, printer, writer, outcome)
                }
            }
            return .success
        }
    }

    private func finish(
        _ client: NATSClient,
        _ subscriptions: [NATSSubscription],
        _ drops: DropReport,
        _ printer: MessagePrinter,
        _ writer: OutputWriter,
        _ outcome: Outcome
    ) async throws -> ToolStatus {
        if case .outputFailed(let error) = outcome { throw error }
        try await writer.flush()
        drops.update(subscriptions)
        if case .closed(let error) = outcome {
            let text = error.map { "nats: \(ToolFailure($0).description)" } ?? "<nil>"
            self.context.diagnostics.report("Exiting: \(text)")
            return .failure
        }
        await client.close()
        if drops.hasDrops { return .failure }
        if let count = self.options.count, printer.count < count { return .timeout }
        return .success
    }

    // MARK: What runs beside

    // MARK: Hot path
    private func print(
        _ subscription: NATSSubscription,
        _ client: NATSClient,
        _ printer: MessagePrinter,
        _ writer: OutputWriter
    ) async throws -> Outcome {
        do {
            for try await batch in subscription.batches {
                var position = batch.startIndex
                while position < batch.endIndex {
                    if try printer.print(batch, from: &position) { return .counted }
                    try await writer.waitForRoom()
                }
            }
        } catch let error as NATSError
            where error.code == .connectionClosed || error.code == .cancelled || client.isClosed
        {
            // If the whole client ended, the event says why.
            return .none
        }
        // If the whole client ended without being asked to, the event says why.
        return client.isClosed && self.context.shutdown.signal == nil ? .none : .subscriptionEnded
    }

    private func watch(
        _ events: NATSEvents,
        _ client: NATSClient,
        _ subscriptions: [NATSSubscription],
        _ drops: DropReport
    ) async -> Outcome {
        for await event in events {
            switch event {
            case .disconnected(let error?):
                let reason = Self.disconnectReason(error)
                self.context.diagnostics.say("Disconnected due to:\(reason)\(self.reconnect.announcement)")
            case .reconnected:
                self.context.diagnostics.say("Reconnected [\(client.serverInfo?.url ?? "")]")
            case .closed(let error):
                // After a signal the client closes because it was drained.
                return self.context.shutdown.signal == nil ? .closed(error) : .none
            case .error(let error, nil):
                self.context.diagnostics.error(ToolFailure(error).description)
            case .discovered(let servers):
                self.context.diagnostics.detail("Discovered servers: \(servers.joined(separator: ", "))")
            case .lameDuckMode:
                self.context.diagnostics.detail("Server is going to shut down (lame duck mode)")
            case .slowConsumer(let subscription, _):
                self.context.diagnostics.detail("Slow consumer on [\(subscription.subject)]")
            case .slowConsumerEnded:
                drops.update(subscriptions)
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

    private static func waitForSilence(of duration: Duration, _ printer: MessagePrinter) async -> Outcome {
        while true {
            let deadline = printer.lastActivity + duration
            if deadline <= .now { return .timePassed }
            guard case .timePassed = await Self.sleep(until: deadline) else { return .none }
        }
    }
}
