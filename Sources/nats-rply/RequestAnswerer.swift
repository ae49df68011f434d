import NATSClient
import NATSCommandSupport
import NIOCore

/// Prints requests and answers them: all with the same payload, or each with what a command makes of it.
struct RequestAnswerer: Sendable {
    let options: ReplyOptions
    let context: ToolContext
    let client: NATSClient
    let writer: OutputWriter
    /// Nil if all get the same answer.
    let command: MessageCommand?
    private let headers: NATSHeaders

    init(_ options: ReplyOptions, _ context: ToolContext, _ client: NATSClient, _ writer: OutputWriter) {
        self.options = options
        self.context = context
        self.client = client
        self.writer = writer
        self.command = options.command.map { MessageCommand($0) }
        var headers = NATSHeaders()
        for field in options.header { headers.append(name: field.name, value: field.value) }
        self.headers = headers
    }

    /// Answers until the subscription ends; returns when every answer was handed to the client.
    func answer(_ subscription: NATSSubscription) async throws {
        let response = self.context.payload(ofMessage: self.options.response ?? "")
        var stamp = LocalTimestamp()
        var number = 0
        try await withThrowingTaskGroup(of: Void.self) { group in
            var running = 0
            var isComplete = false
            // A failure does not wait for what other answers take.
            defer { if !isComplete { self.command?.stop() } }
            for try await batch in subscription.batches {
                var output = ByteBuffer()
                for request in batch {
                    number += 1
                    self.append(request, number, &stamp, to: &output)
                    if let pause = self.options.sleep {
                        // The line is seen before the pause, and the pause is over when a signal comes.
                        try self.writer.submit(&output)
                        await self.context.sleep(for: pause.duration)
                    }
                    guard let reply = request.reply else { continue }
                    guard let command = self.command else {
                        try await self.respond(response, self.headers, to: reply, request, number)
                        continue
                    }
                    try self.writer.submit(&output)
                    if running == command.concurrency {
                        _ = try await group.next()
                        running -= 1
                    }
                    running += 1
                    let (kept, count) = (request.detached(), number)
                    group.addTask { try await self.answer(kept, count, to: reply, by: command) }
                }
                try self.writer.submit(&output)
                try await self.writer.waitForRoom()
            }
            try await group.waitForAll()
            isComplete = true
        }
    }

    private func append(
        _ request: NATSMessage,
        _ number: Int,
        _ stamp: inout LocalTimestamp,
        to output: inout ByteBuffer
    ) {
        if self.options.timestamp { output.writeString(stamp.stamp(second: LocalTimestamp.currentSecond)) }
        output.writeString("[#\(number)] Received on [\(request.subject)]: '")
        output.writeImmutableBuffer(request.payload)
        output.writeString("'\n")
    }

    /// Answers with the output of the command; if it fails, with an error as services tell it (ADR-32).
    private func answer(
        _ request: NATSMessage,
        _ number: Int,
        to reply: String,
        by command: MessageCommand
    ) async throws {
        var headers = self.headers
        var response = ByteBuffer()
        do throws(ChildCommand.Failure) {
            response = try await command.run(payload: request.payload, subject: request.subject, reply: reply)
        } catch {
            // Nobody reads the output any more: no word, no answer.
            if Task.isCancelled { return }
            self.tell(of: request, number, "\(error)")
            headers.set(name: NATSServiceError.descriptionHeader, value: "the command failed: \(error)")
            headers.set(name: NATSServiceError.codeHeader, value: "500")
        }
        try await self.respond(response, headers, to: reply, request, number)
    }

    private func respond(
        _ response: ByteBuffer,
        _ headers: NATSHeaders,
        to reply: String,
        _ request: NATSMessage,
        _ number: Int
    ) async throws {
        do throws(NATSError) {
            try await self.client.publish(response, to: reply, headers: headers)
        } catch {
            // One that cannot be sent, or whose requestor asked for it elsewhere than on a subject, is no reason to answer
            // nobody any more.
            guard error.code == .maximumPayloadExceeded || error.code == .badSubject else { throw error }
            self.tell(of: request, number, PeerText.harmless(ToolFailure(error).description))
        }
    }

    private func tell(of request: NATSMessage, _ number: Int, _ reason: String) {
        let subject = PeerText.harmless(request.subject)
        self.context.diagnostics.error("answering request \(number) on [\(subject)]: \(reason)")
    }
}
