import NATSClient
import NATSCommandSupport
import NIOCore

/// nats-req: payloads out, replies back.
struct RequestProgram: Sendable {
    let options: RequestOptions
    let context: ToolContext

    func run() async throws -> ToolStatus {
        let source = try self.options.payload.source(message: self.options.message)
        let format = try self.options.output.messageFormat(text: .reply, pretty: .prettyReply)
        let writer = try OutputWriter(descriptor: 1)
        let client = try await ToolConnection.connect(self.context, reconnect: .init(retry: self.options.retry))
        let exchange = RequestExchange(
            options: self.options,
            context: self.context,
            client: client,
            printer: ReplyPrinter(formatter: MessageFormatter(format: format), writer: writer)
        )
        return try await self.endingWithReader(of: writer) {
            try await self.context.cancelledBySignal {
                do {
                    let status = try await self.sendAll(source, client, exchange)
                    try await writer.flush()
                    await client.close()
                    return status
                } catch {
                    // The replies that came before are printed all the same.
                    try await writer.flush()
                    throw error
                }
            }
        }
    }

    /// Runs `body`, and ends it when nobody reads the output any more.
    private func endingWithReader(
        of writer: OutputWriter,
        _ body: @escaping @Sendable () async throws -> ToolStatus
    ) async throws -> ToolStatus {
        try await withThrowingTaskGroup(of: Result<ToolStatus, OutputWriter.WriteError>?.self) { group in
            defer { group.cancelAll() }
            group.addTask { .success(try await body()) }
            group.addTask { await writer.waitForError().map { .failure($0) } }
            while let result = try await group.next() {
                if let result { return try result.get() }
            }
            throw CancellationError()
        }
    }

    // MARK: Many requests

    /// Sends a request for each payload.
    ///
    /// - Returns: The worst status of those that failed, if failures are passed over.
    private func sendAll(
        _ source: PayloadOptions.Source,
        _ client: NATSClient,
        _ exchange: RequestExchange
    ) async throws -> ToolStatus {
        let turns = RequestTurns(limit: self.options.concurrency)
        let outcome = RequestOutcome(keepsGoing: self.options.keepGoing, diagnostics: self.context.diagnostics)
        let line = RequestLine(turns: turns, outcome: outcome, exchange: exchange)
        var composer = self.options.payload.composer(subject: self.options.subject, reply: nil, source: source)
        var failure: (any Error)?
        await withDiscardingTaskGroup { group in
            do {
                switch source {
                case .argument(let text):
                    let payload = self.context.payload(ofMessage: text)
                    for _ in 0..<(self.options.payload.count ?? 1) {
                        let message = try composer.message(payload)
                        guard await line.send(.success(message), place: "", in: &group) else { break }
                    }
                case .input(let rules, let sources):
                    let reader = InputReader.reading(sources, self.options.payload, self.context.diagnostics)
                    group.addTask {
                        // A failure ends the wait for more input.
                        await turns.waitUntilStopped()
                        reader.stop()
                    }
                    try await self.send(reader, rules, client.maximumPayload, &composer, line, in: &group)
                }
            } catch {
                // What was sent before is answered all the same.
                failure = error
            }
            await turns.waitUntilDone()
            turns.stop()
            group.cancelAll()
        }
        if let error = outcome.error ?? failure { throw error }
        return outcome.worst
    }

    private func send(
        _ reader: InputReader,
        _ rules: RecordRules,
        _ limit: Int,
        _ composer: inout MessageComposer,
        _ line: RequestLine,
        in group: inout DiscardingTaskGroup
    ) async throws {
        let diagnostics = self.context.diagnostics
        var records = PayloadRecords(reader: reader, rules: rules, limit: limit) { failure in
            diagnostics.say("nats: \(failure.description), skipped")
        }
        // A whole input is one payload, which --count repeats; records are counted.
        let isWhole = rules.mode == .endOfFile
        let repetitions = isWhole ? self.options.payload.count ?? 1 : 1
        let most = isWhole ? Int.max : self.options.payload.count ?? Int.max
        var count = 0
        while try await records.waitForMore() {
            while let record = try records.next() {
                for _ in 0..<repetitions {
                    let message: Result<OutgoingMessage, ToolFailure>
                    do throws(JSONMessage.Malformed) {
                        message = .success(try composer.message(record))
                    } catch {
                        message = .failure(ToolFailure(error.description))
                    }
                    let place = records.placeOfLastRecord
                    guard await line.send(message, place: place, in: &group) else { return }
                }
                count += 1
                if count >= most { return }
            }
        }
    }
}

/// Sends requests one behind the other, several at a time.
struct RequestLine: Sendable {
    let turns: RequestTurns
    let outcome: RequestOutcome
    let exchange: RequestExchange

    /// Sends a request as soon as there is a place.
    ///
    /// - Returns: False if no more are to be sent.
    func send(
        _ message: Result<OutgoingMessage, ToolFailure>,
        place: String,
        in group: inout DiscardingTaskGroup
    ) async -> Bool {
        guard let number = await self.turns.start() else { return false }
        group.addTask {
            do {
                try await self.exchange.perform(try message.get()) { await self.turns.waitForTurn(number) }
            } catch {
                guard await self.turns.waitForTurn(number) else { return }
                guard self.outcome.passesOver(error, place: place) else { return self.turns.stop() }
            }
            self.turns.leave()
        }
        return true
    }
}
