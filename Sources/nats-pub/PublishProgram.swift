import NATSClient
import NATSCommandSupport
import NIOCore

/// nats-pub: payloads in, one connection, a last flush.
struct PublishProgram: Sendable {
    let options: PublishOptions
    let context: ToolContext

    func run() async throws -> ToolStatus {
        let source = try self.options.source()
        let composer = self.options.payload.composer(
            subject: self.options.subject,
            reply: self.options.reply,
            source: source,
            messageID: self.options.msgId
        )
        let client = try await ToolConnection.connect(self.context, reconnect: .init(retry: self.options.retry))
        let publisher = MessagePublisher(options: self.options, context: self.context, client: client)
        switch source {
        case .argument(let text):
            try await self.publish(self.context.payload(ofMessage: text), composer, publisher)
        case .input(let rules, let sources):
            let events = client.events
            let writer = self.options.tee ? try OutputWriter(descriptor: 1) : nil
            let reader = InputReader.reading(sources, self.options.payload, self.context.diagnostics)
            let diagnostics = self.context.diagnostics
            let records = PayloadRecords(reader: reader, rules: rules, limit: client.maximumPayload) {
                failure in
                diagnostics.say("nats: \(failure.description), skipped")
            }
            let isPaced = self.options.sleep != nil || self.options.rate != nil
            let copy = RecordCopy(writer, rules.mode, isPaced: isPaced)
            try await self.watching(events, reader, writer) {
                try await self.publish(records, rules, composer, publisher, copy)
            }
            guard !reader.isStopped || self.context.shutdown.signal != nil else {
                throw client.lastError.map { ToolFailure($0) } ?? ToolFailure("not all of the input was published")
            }
        }
        await client.close()
        return .success
    }

    // MARK: One payload, given on the command line

    private func publish(
        _ payload: ByteBuffer,
        _ composer: MessageComposer,
        _ publisher: MessagePublisher
    ) async throws {
        var composer = composer
        var publisher = publisher
        for _ in 0..<(self.options.payload.count ?? 1) {
            guard self.context.shutdown.signal == nil, try await publisher.waitForTurn() else { break }
            let message = try composer.message(payload)
            do {
                try await publisher.send(message, listing: .payload)
            } catch let error as UnsendableMessage {
                throw ToolFailure(error.text)
            }
        }
        try await publisher.confirm()
    }

    // MARK: Input

    /// Runs `body`, and stops the reader when there is no point in reading on.
    private func watching(
        _ events: NATSEvents,
        _ reader: InputReader,
        _ writer: OutputWriter?,
        _ body: () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let shutdown = self.context.shutdown
            let diagnostics = self.context.diagnostics
            let retries = self.options.retry != nil
            group.addTask {
                if await shutdown.wait() != nil { reader.stop() }
            }
            group.addTask {
                // An error that nobody waits for must end a publisher whose input is silent.
                for await event in events {
                    switch event {
                    case .error(let error, _) where retries && ToolConnection.endsOnlyConnection(error): break
                    case .error, .closed: return reader.stop()
                    case .disconnected where retries: diagnostics.detail("Connection lost")
                    case .reconnected: diagnostics.detail("Connected again")
                    default: break
                    }
                }
            }
            if let writer {
                group.addTask {
                    if await writer.waitForError() != nil { reader.stop() }
                }
            }
            defer { group.cancelAll() }
            do {
                try await body()
            } catch {
                // What was read before the failure is copied all the same.
                try? await writer?.flush()
                throw error
            }
            try await writer?.flush()
        }
    }

    private func publish(
        _ records: PayloadRecords,
        _ rules: RecordRules,
        _ composer: MessageComposer,
        _ publisher: MessagePublisher,
        _ copy: RecordCopy
    ) async throws {
        var records = records
        var composer = composer
        var publisher = publisher
        var copy = copy
        var run = RecordRun()
        // --count repeats a whole input and limits records.
        let repetitions = rules.mode == .endOfFile ? self.options.payload.count ?? 1 : 1
        let limit = rules.mode == .endOfFile ? Int.max : self.options.payload.count ?? Int.max
        let takesRuns = publisher.takesRuns && !self.options.tee && !rules.skipsEmpty && !rules.skipsLarge
        let frame = takesRuns && limit == .max && repetitions == 1 ? composer.frame : nil
        do {
            // MARK: Hot path
            reading: while try await records.waitForMore(pause: { try await publisher.pause() }) {
                while true {
                    if let frame { try await self.publishRuns(&records, &run, frame, &publisher) }
                    guard let record = try records.next() else { break }
                    for repetition in 0..<repetitions {
                        // The reader is told of a signal, a repetition is not.
                        let isOver = repetition > 0 && self.context.shutdown.signal != nil
                        guard !isOver, try await publisher.waitForTurn() else { break reading }
                        if repetition == 0 { try copy.add(record, isTerminated: records.isTerminated) }
                        do {
                            let message = try composer.message(record)
                            try await publisher.send(message, listing: .size)
                        } catch let error as UnsendableMessage {
                            let failure = records.failureOfLastRecord(error.text)
                            guard rules.skipsLarge, error.isTooLarge else { throw failure }
                            self.context.diagnostics.say("nats: \(failure.description), skipped")
                        } catch let error as JSONMessage.Malformed {
                            throw records.failureOfLastRecord(error.description)
                        }
                        if publisher.count >= limit { break reading }
                    }
                }
                try await copy.writeOut()
            }
            try await copy.writeOut()
        } catch {
            // What came before was published, and stays so.
            try? await copy.writeOut()
            try await publisher.confirm()
            throw error
        }
        try await publisher.confirm()
        if self.context.diagnostics.isVerbose || POSIX.isTerminal(2) {
            let noun = publisher.count == 1 ? "message" : "messages"
            let place = self.options.subject.map { " to [\($0)]" } ?? ""
            self.context.diagnostics.say(
                "Published \(publisher.count) \(noun) (\(publisher.bytes) bytes)\(place)"
            )
        }
    }

    /// Publishes the records that need not be looked at one by one: of each block all but those at its borders.
    private func publishRuns(
        _ records: inout PayloadRecords,
        _ run: inout RecordRun,
        _ frame: OutgoingMessage,
        _ publisher: inout MessagePublisher
    ) async throws {
        while true {
            records.takeRun(into: &run)
            guard !run.records.isEmpty else { return }
            var rest = run.records[...]
            while !rest.isEmpty {
                rest = rest.dropFirst(try publisher.send(rest, of: run, frame: frame))
                guard let next = rest.popFirst() else { break }
                var message = frame
                message.payload = run.record(next)
                do {
                    try await publisher.send(message, listing: .size)
                } catch let error as UnsendableMessage {
                    throw records.failureOfLastRecord(error.text, later: rest.count)
                }
            }
        }
    }
}
