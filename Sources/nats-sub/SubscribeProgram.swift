import NATSClient
import NATSCommandSupport
import NIOCore

/// nats-sub: subscriptions in, one stream of bytes out.
///
/// This part makes everything ready.
struct SubscribeProgram: Sendable {
    let options: SubscribeOptions
    let context: ToolContext

    func run() async throws -> ToolStatus {
        let start = ContinuousClock.now
        let format = try self.format()
        let writer = try OutputWriter(descriptor: 1)
        let directory = try self.dumpDirectory()
        let client = try await ToolConnection.connect(
            self.context,
            reconnect: self.reconnect,
            noEcho: self.options.noEcho
        )
        let events = client.events
        let inbox = self.options.inbox ? client.newInbox() : nil
        let subjects = self.options.subjects + (inbox.map { [$0] } ?? [])
        let (subscriptions, replies) = try await self.context.cancelledBySignal {
            // First, so that no request is seen whose reply is not.
            let replies = try await self.subscribeToReplies(client)
            return (try await self.subscribe(client, subjects), replies)
        }
        // Nobody could send there otherwise, so quiet or not.
        if let inbox { self.context.diagnostics.report(inbox) }
        if format.isForPeople || self.context.diagnostics.isVerbose { self.announce(subjects) }

        let printer = MessagePrinter(
            formatter: MessageFormatter(
                format: format,
                queue: self.options.queue,
                showsHeaders: self.options.display.headers,
                usesColor: self.usesColor
            ),
            stamp: self.options.display.stamp(for: format),
            ignoring: self.options.ignoreSubject,
            limit: self.options.count,
            writer: writer
        )
        let session = SubscribeSession(
            options: self.options,
            context: self.context,
            reconnect: self.reconnect,
            client: client,
            events: events,
            subscriptions: subscriptions,
            replies: replies,
            printer: printer,
            writer: writer,
            way: self.way(printer, writer, directory),
            drops: DropReport(diagnostics: self.context.diagnostics)
        )
        do {
            return try await session.run(start: start)
        } catch let error as NATSError {
            // What came before the error is printed all the same.
            try await writer.flush()
            throw error
        }
    }

    private func way(_ printer: MessagePrinter, _ writer: OutputWriter, _ directory: DumpDirectory?) -> MessageWay {
        let display = self.options.display
        if display.reportSubjects {
            return .reported(
                SubjectReporter(
                    printer: printer,
                    writer: writer,
                    top: display.reportTop ?? 10,
                    isRefreshed: POSIX.isTerminal(1) && self.usesColor
                )
            )
        }
        guard display.matchReplies || display.translate != nil || directory != nil else { return .printed }
        return .emitted(
            MessageEmitter(
                printer: printer,
                writer: writer,
                diagnostics: self.context.diagnostics,
                command: display.translate.map { MessageCommand($0) },
                directory: directory,
                matchesReplies: display.matchReplies
            )
        )
    }

    /// Whether standard output gets escape sequences.
    private var usesColor: Bool {
        self.options.connection.color.usesColor(
            isTerminal: POSIX.isTerminal(1),
            environment: POSIX.environmentVariable
        )
    }

    private func dumpDirectory() throws(ToolFailure) -> DumpDirectory? {
        guard let path = self.options.display.dump, path != "-" else { return nil }
        return try DumpDirectory(path: path)
    }

    private var reconnect: ToolConnection.Reconnect {
        ToolConnection.Reconnect(maximumAttempts: self.options.maxReconnects)
    }

    private func format() throws(UsageError) -> MessageFormatter.Format {
        if let format = self.options.display.messageFormat { return format }
        let text = self.options.queue.map { MessageFormatter.Format.receivedInGroup($0, processID: POSIX.processID) }
        return try self.options.output.messageFormat(text: text ?? .received, pretty: .pretty)
    }

    private func announce(_ subjects: [String]) {
        let group = self.options.queue.map { ", queue group [\($0)]" } ?? ""
        self.context.diagnostics.say("Listening on [\(subjects.joined(separator: ", "))]\(group)")
    }

    /// Subscribes to all inboxes if replies are wanted.
    private func subscribeToReplies(_ client: NATSClient) async throws -> NATSSubscription? {
        guard self.options.display.matchReplies else { return nil }
        let prefix = self.context.settings.inboxPrefix ?? "_INBOX"
        return try await client.subscribe("\(prefix).>", limits: self.pendingLimits, confirm: true)
    }

    /// Who sets a limit of messages means just that.
    private var pendingLimits: NATSClientConfiguration.PendingLimits? {
        self.options.pendingLimit.map { NATSClientConfiguration.PendingLimits(messages: $0, bytes: nil) }
    }

    /// Subscribes to every subject; returns when the server has confirmed all of them.
    private func subscribe(_ client: NATSClient, _ subjects: [String]) async throws -> [NATSSubscription] {
        var subscriptions: [NATSSubscription] = []
        for subject in subjects {
            let subscription = try await client.subscribe(
                subject,
                queue: self.options.queue,
                limits: self.pendingLimits,
                confirm: true
            )
            subscriptions.append(subscription)
        }
        if let count = self.options.count, let only = subscriptions.first, subscriptions.count == 1,
            self.options.ignoreSubject.isEmpty
        {
            // The server stops by itself and need not send what would not be printed.
            only.unsubscribe(after: UInt64(count))
        }
        return subscriptions
    }
}
