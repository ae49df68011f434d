import NATSClient
import NATSCommandSupport
import NIOCore

/// nats-pub: payloads in, one connection, a last flush.
struct PublishProgram: Sendable {
    let options: PublishOptions
    let context: ToolContext

    /// Lines `Published […]` are printed for so many messages.
    private static let linesShown = 20

    func run() async throws -> ToolStatus {
        let source = try self.options.payload.source(message: self.options.message, isNull: self.options.null)
        let client = try await ToolConnection.connect(self.context, reconnect: .never)
        let events = client.events
        try await withTaskExecutorPreference(client.taskExecutor) {
            switch source {
            case .argument(let text):
                try await self.publish(text, client)
            case .standardInput(let mode):
                try await self.publish(from: InputReader.standardInput(self.options.payload), mode, client, events)
            }
        }
        await client.close()
        return .success
    }

    // MARK: One payload, given on the command line

    private func publish(_ text: String, _ client: NATSClient) async throws {
        let count = self.options.payload.count ?? 1
        let headers = self.options.payload.headers
        let payload = ByteBuffer(string: text)
        var shown = 0
        for number in 1...count where self.context.shutdown.signal == nil {
            try await client.publish(payload, to: self.options.subject, reply: self.options.reply, headers: headers)
            guard let pause = self.options.sleep, number < count else { continue }
            try await self.confirm(client)
            self.show(&shown, upTo: number, text)
            await self.context.sleep(for: pause.duration)
        }
        try await self.confirm(client)
        self.show(&shown, upTo: count, text)
    }

    private func show(_ shown: inout Int, upTo number: Int, _ text: String) {
        while shown < min(number, Self.linesShown) {
            self.context.diagnostics.say("Published [\(self.options.subject)] : '\(text)'")
            shown += 1
        }
    }

    /// Waits until the server has everything and said nothing against it.
    private func confirm(_ client: NATSClient) async throws {
        do {
            try await client.flush(timeout: self.context.flushTimeout)
        } catch {
            // The server's reason is worth more than the fact that the connection is gone.
            throw client.lastError ?? error
        }
        if let error = client.lastError { throw error }
    }

    // MARK: Standard input

    private func publish(
        from reader: InputReader,
        _ mode: InputMode,
        _ client: NATSClient,
        _ events: NATSEvents
    ) async throws {
        let records = PayloadRecords(reader: reader, mode: mode, limit: client.maximumPayload)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let shutdown = self.context.shutdown
            group.addTask {
                if await shutdown.wait() != nil { reader.stop() }
            }
            group.addTask {
                // An error that nobody waits for must end a publisher whose input is silent.
                for await event in events {
                    switch event {
                    case .error, .closed: return reader.stop()
                    default: break
                    }
                }
            }
            defer { group.cancelAll() }
            try await self.publish(records, client)
        }
    }

    private func publish(_ given: PayloadRecords, _ client: NATSClient) async throws {
        var records = given
        let limit = self.options.payload.count ?? Int.max
        let subject = self.options.subject
        let reply = self.options.reply
        let headers = self.options.payload.headers
        let isListing = self.context.diagnostics.isVerbose
        var sizes: [Int] = []
        var count = 0
        var bytes = 0
        do {
            // MARK: Hot path
            reading: while try await records.waitForMore() {
                while let record = try records.next() {
                    do throws(NATSError) {
                        try client.tryPublish(record, to: subject, reply: reply, headers: headers)
                    } catch {
                        switch error.code {
                        case .publishBufferFull:
                            try await client.publish(record, to: subject, reply: reply, headers: headers)
                        case .maximumPayloadExceeded:
                            throw records.failureOfLastRecord(size: headers.encodedSize + record.readableBytes)
                        default:
                            throw error
                        }
                    }
                    count += 1
                    bytes += record.readableBytes
                    if isListing { sizes.append(record.readableBytes) }
                    if count >= limit { break reading }
                    guard let pause = self.options.sleep else { continue }
                    try await self.confirm(client)
                    self.list(&sizes)
                    await self.context.sleep(for: pause.duration)
                }
                if isListing {
                    try await self.confirm(client)
                    self.list(&sizes)
                }
            }
        } catch {
            // What came before was published, and stays so.
            try await self.confirm(client)
            throw error
        }
        try await self.confirm(client)
        self.list(&sizes)
        if isListing || POSIX.isTerminal(2) {
            let noun = count == 1 ? "message" : "messages"
            self.context.diagnostics.say("Published \(count) \(noun) (\(bytes) bytes) to [\(subject)]")
        }
    }

    private func list(_ sizes: inout [Int]) {
        for size in sizes {
            self.context.diagnostics.detail("Published [\(self.options.subject)] : \(size) bytes")
        }
        sizes.removeAll(keepingCapacity: true)
    }
}
