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
        switch source {
        case .argument(let text):
            try await self.publish(self.context.payload(ofMessage: text), client)
        case .standardInput(let mode):
            let reader = InputReader.standardInput(self.options.payload, self.context.diagnostics)
            try await self.publish(from: reader, mode, client, events)
        }
        await client.close()
        return .success
    }

    // MARK: One payload, given on the command line

    private func publish(_ payload: ByteBuffer, _ client: NATSClient) async throws {
        let count = self.options.payload.count ?? 1
        let headers = self.options.payload.headers
        var shown = 0
        var sent = 0
        for number in 1...count where self.context.shutdown.signal == nil {
            try await client.publish(payload, to: self.options.subject, reply: self.options.reply, headers: headers)
            sent = number
            guard let pause = self.options.sleep, number < count else { continue }
            try await self.confirm(client)
            self.show(&shown, upTo: number, payload)
            await self.context.sleep(for: pause.duration)
        }
        try await self.confirm(client)
        self.show(&shown, upTo: sent, payload)
    }

    private func show(_ shown: inout Int, upTo number: Int, _ payload: ByteBuffer) {
        while shown < min(number, Self.linesShown) {
            self.context.diagnostics.sayPublished(subject: self.options.subject, payload: payload)
            shown += 1
        }
    }

    /// Waits until the server has everything and said nothing against it.
    private func confirm(_ client: NATSClient) async throws {
        do {
            try await client.flush(timeout: self.context.flushTimeout)
        } catch {
            // The server's reason is worth more than the fact that the connection is gone.
            let reason = ToolFailure(client.lastError ?? error)
            throw ToolFailure(reason.description, status: .failure)
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
            try await self.publish(records, mode, client)
        }
    }

    private func publish(_ given: PayloadRecords, _ mode: InputMode, _ client: NATSClient) async throws {
        var records = given
        // --count repeats a whole input and limits records.
        let repetitions = mode == .endOfFile ? self.options.payload.count ?? 1 : 1
        let limit = self.options.payload.count ?? Int.max
        let headers = self.options.payload.headers
        let isListing = self.context.diagnostics.isVerbose
        var sizes: [Int] = []
        var count = 0
        var bytes = 0
        do {
            // MARK: Hot path
            reading: while try await records.waitForMore() {
                while let record = try records.next() {
                    for _ in 0..<repetitions {
                        try await self.send(record, headers, client, records)
                        count += 1
                        bytes += record.readableBytes
                        if isListing { sizes.append(record.readableBytes) }
                        if count >= limit { break reading }
                        guard let pause = self.options.sleep else { continue }
                        try await self.confirm(client)
                        self.list(&sizes)
                        await self.context.sleep(for: pause.duration)
                        if self.context.shutdown.signal != nil { break reading }
                    }
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
            self.context.diagnostics.say("Published \(count) \(noun) (\(bytes) bytes) to [\(self.options.subject)]")
        }
    }

    /// Publishes without waiting while there is room, and waits for it where there is none.
    private func send(
        _ record: ByteBuffer,
        _ headers: NATSHeaders,
        _ client: NATSClient,
        _ records: borrowing PayloadRecords
    ) async throws {
        do throws(NATSError) {
            try client.tryPublish(record, to: self.options.subject, reply: self.options.reply, headers: headers)
        } catch {
            switch error.code {
            case .publishBufferFull:
                try await client.publish(
                    record,
                    to: self.options.subject,
                    reply: self.options.reply,
                    headers: headers
                )
            case .maximumPayloadExceeded:
                throw records.failureOfLastRecord(size: headers.encodedSize + record.readableBytes)
            default:
                throw error
            }
        }
    }

    private func list(_ sizes: inout [Int]) {
        for size in sizes {
            self.context.diagnostics.detail("Published [\(self.options.subject)] : \(size) bytes")
        }
        sizes.removeAll(keepingCapacity: true)
    }
}
