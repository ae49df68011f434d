import NATSClient
import NATSCommandSupport
import NIOCore

/// nats-req: a payload out, a reply back.
struct RequestProgram: Sendable {
    let options: RequestOptions
    let context: ToolContext

    func run() async throws -> ToolStatus {
        let source = try self.options.payload.source(message: self.options.message, isNull: false)
        let format = try self.options.output.messageFormat() ?? .reply
        let writer = try OutputWriter(descriptor: 1)
        let client = try await ToolConnection.connect(self.context, reconnect: .never)
        let printer = ReplyPrinter(format: format, writer: writer)
        try await self.endingWithReader(of: writer) {
            try await self.context.cancelledBySignal {
                do {
                    try await self.sendAll(source, client, printer)
                } catch {
                    // The replies that came before are printed all the same.
                    try await writer.flush()
                    throw error
                }
                try await writer.flush()
                await client.close()
            }
        }
        return .success
    }

    /// Runs `body`, and ends it when nobody reads the output any more.
    private func endingWithReader(
        of writer: OutputWriter,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: OutputWriter.WriteError?.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                try await body()
                return nil
            }
            group.addTask { await writer.waitForError() }
            if let error = try await group.next() ?? nil { throw error }
        }
    }

    private func sendAll(_ source: PayloadOptions.Source, _ client: NATSClient, _ printer: ReplyPrinter) async throws {
        switch source {
        case .argument(let text):
            for _ in 0..<(self.options.payload.count ?? 1) {
                try await self.send(self.context.payload(ofMessage: text), client, printer)
            }
        case .standardInput(let mode):
            let limit = client.maximumPayload
            let reader = InputReader.standardInput(self.options.payload, self.context.diagnostics)
            var records = PayloadRecords(reader: reader, mode: mode, limit: limit)
            var count = 0
            while try await records.waitForMore() {
                while let record = try records.next() {
                    // The whole input is one payload, which --count repeats; records are counted.
                    let repetitions = mode == .endOfFile ? self.options.payload.count ?? 1 : 1
                    for _ in 0..<repetitions { try await self.send(record, client, printer) }
                    count += 1
                    if mode != .endOfFile, let limit = self.options.payload.count, count >= limit { return }
                }
            }
        }
    }

    // MARK: One request

    private func send(_ payload: ByteBuffer, _ client: NATSClient, _ printer: ReplyPrinter) async throws {
        if self.options.replies == 1 {
            let reply = try await client.request(
                payload,
                to: self.options.subject,
                headers: self.options.payload.headers,
                timeout: self.context.settings.timeout
            )
            self.context.diagnostics.sayPublished(subject: self.options.subject, payload: payload)
            try await printer.print(reply)
        } else {
            try await self.collect(payload, client, printer)
        }
    }

    /// Sends one request and prints replies until there are enough or none comes any more.
    private func collect(_ payload: ByteBuffer, _ client: NATSClient, _ printer: ReplyPrinter) async throws {
        let inbox = client.newInbox()
        let wanted = self.options.replies == 0 ? Int.max : self.options.replies
        let deadline = ContinuousClock.now + self.context.settings.timeout
        let subscription = try await client.subscribe(inbox)
        try await client.publish(
            payload,
            to: self.options.subject,
            reply: inbox,
            headers: self.options.payload.headers
        )
        // A refused publish would otherwise only be seen at the deadline.
        try await client.flush(timeout: self.context.settings.timeout)
        if let error = client.lastError { throw error }
        var count = 0
        while count < wanted {
            var patience = deadline - .now
            if count > 0 { patience = min(patience, self.options.replyTimeout.duration) }
            guard patience > .zero, let reply = try await Self.next(subscription, patience) else { break }
            if reply.status == 503, reply.payload.readableBytes == 0 {
                throw NATSError(.noResponders, "no responders available for request")
            }
            if count == 0 { self.context.diagnostics.sayPublished(subject: self.options.subject, payload: payload) }
            count += 1
            try await printer.print(reply)
        }
        subscription.unsubscribe()
        if let error = client.lastError { throw error }
        if count == 0 { throw ToolFailure("timeout", status: .timeout) }
        if self.options.replies > 0, count < wanted {
            throw ToolFailure("timeout: \(count) of \(wanted) replies", status: .timeout)
        }
    }

    /// The next reply; nil if `patience` ends first.
    private static func next(_ subscription: NATSSubscription, _ patience: Duration) async throws -> NATSMessage? {
        do throws(NATSError) {
            return try await subscription.next(timeout: patience)
        } catch {
            // Said once, before the replies that are there.
            if error.code == .slowConsumer { return try await Self.next(subscription, patience) }
            guard error.code == .timeout else { throw error }
            return nil
        }
    }
}
