import NATSClient
import NATSCommandSupport
import NIOConcurrencyHelpers
import NIOCore

/// The way of messages that are not simply printed one after the other: translated by a command, matched with their
/// replies, or written to files.
///
/// Messages of one subscription come out in their order.
final class MessageEmitter: Sendable {
    /// What is picked at a time.
    private static let pickedAtOnce = 256

    private let printer: MessagePrinter
    private let writer: OutputWriter
    private let diagnostics: Diagnostics
    private let command: MessageCommand?
    private let directory: DumpDirectory?
    private let matcher: NIOLockedValueBox<ReplyMatcher>?

    private struct State {
        /// Calls that may hold messages.
        var working = 0
        var hasFailures = false
        var nextWaiter: UInt64 = 0
        /// Who waits for a call to end.
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = NIOLockedValueBox(State())

    init(
        printer: MessagePrinter,
        writer: OutputWriter,
        diagnostics: Diagnostics,
        command: MessageCommand?,
        directory: DumpDirectory?,
        matchesReplies: Bool
    ) {
        self.printer = printer
        self.writer = writer
        self.diagnostics = diagnostics
        self.command = command
        self.directory = directory
        self.matcher = matchesReplies ? NIOLockedValueBox(ReplyMatcher()) : nil
    }

    /// Whether a message could not be translated.
    var hasFailures: Bool { self.state.withLockedValue { $0.hasFailures } }

    /// Whether a call may hold messages.
    var isWorking: Bool { self.state.withLockedValue { $0.working > 0 } }

    /// Whether every message that was picked has come out; one that waits for its reply has not.
    var isIdle: Bool { !self.isWorking && self.hasNoRequests }

    private var hasNoRequests: Bool { self.matcher?.withLockedValue { $0.isEmpty } ?? true }

    /// Whether all messages that are wanted were picked and no call holds one.
    var isComplete: Bool { self.printer.isComplete && !self.isWorking }

    /// Waits until ``isIdle`` or, with `includingReplies` false, no call holds messages; or until the task is cancelled.
    func waitUntilIdle(includingReplies: Bool) async {
        let id = self.state.withLockedValue { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        while !(includingReplies ? self.isIdle : !self.isWorking), !Task.isCancelled {
            await withTaskCancellationHandler {
                await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                    let mustWait = self.state.withLockedValue { state in
                        // Looked at again within the lock: whoever ends a call resumes those who wait by then.
                        let isDone = state.working == 0 && (!includingReplies || self.hasNoRequests)
                        guard !isDone, !Task.isCancelled else { return false }
                        state.waiters[id] = continuation
                        return true
                    }
                    if !mustWait { continuation.resume() }
                }
            } onCancel: {
                self.state.withLockedValue { $0.waiters.removeValue(forKey: id) }?.resume()
            }
        }
    }

    private func callEnded() {
        let waiters = self.state.withLockedValue { state in
            state.working -= 1
            let waiters = Array(state.waiters.values)
            state.waiters.removeAll()
            return waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Lets the messages of a batch out.
    func take(_ batch: NATSMessageBatch) async throws {
        self.state.withLockedValue { $0.working += 1 }
        defer { self.callEnded() }
        var position = batch.startIndex
        while position < batch.endIndex, !self.printer.isComplete {
            let picked = self.printer.pick(batch, from: &position, maximum: Self.pickedAtOnce)
            let matches =
                self.matcher?.withLockedValue { matcher in picked.flatMap { matcher.received($0) } }
                ?? picked.map { ReplyMatcher.Match(request: $0, reply: nil) }
            try await self.emit(matches)
        }
    }

    /// Looks for the requests of replies, and lets them out together.
    func take(replies batch: NATSMessageBatch) async throws {
        self.state.withLockedValue { $0.working += 1 }
        defer { self.callEnded() }
        let matches = self.matcher?.withLockedValue { matcher in batch.compactMap { matcher.received(reply: $0) } }
        try await self.emit(matches ?? [])
    }

    /// Lets the requests out that got no reply.
    func finish() async throws {
        try await self.emit(self.matcher?.withLockedValue { $0.takeUnanswered() } ?? [])
    }

    /// Gives up what a command still works on.
    func stop() {
        self.command?.stop()
    }

    // MARK: Out

    /// A message and what is shown in the place of its payload.
    private typealias Translated = (picked: MessagePrinter.Picked, payload: ByteBuffer?)

    private func emit(_ matches: [ReplyMatcher.Match]) async throws {
        guard let command = self.command else {
            for match in matches { try await self.write(self.messages(match).map { ($0, nil) }) }
            return
        }
        // So many at a time, each let out as soon as those before it are.
        try await withThrowingTaskGroup(of: (Int, [Translated]).self) { group in
            var started = 0
            var written = 0
            var done: [Int: [Translated]] = [:]
            while written < matches.count {
                while started < matches.count, started - written < command.concurrency {
                    let index = started
                    let messages = self.messages(matches[index])
                    group.addTask { (index, await self.translate(messages, command)) }
                    started += 1
                }
                guard let (index, translated) = try await group.next() else { return }
                done[index] = translated
                while let next = done.removeValue(forKey: written) {
                    try await self.write(next)
                    written += 1
                }
            }
        }
    }

    /// The request, and the reply with its number.
    private func messages(_ match: ReplyMatcher.Match) -> [MessagePrinter.Picked] {
        guard let reply = match.reply else { return [match.request] }
        var context = self.printer.context(number: match.request.context.number)
        context.isMatchedReply = true
        return [match.request, MessagePrinter.Picked(message: reply, context: context)]
    }

    /// Runs the command for each message; one for which it fails is left out.
    private func translate(_ messages: [MessagePrinter.Picked], _ command: MessageCommand) async -> [Translated] {
        var result: [Translated] = []
        for picked in messages {
            let message = picked.message
            do throws(ChildCommand.Failure) {
                result.append((picked, try await command.run(payload: message.payload, subject: message.subject)))
            } catch {
                self.state.withLockedValue { $0.hasFailures = true }
                let number = picked.context.number
                let subject = PeerText.harmless(message.subject)
                self.diagnostics.error("translating message \(number) on [\(subject)]: \(error)")
            }
        }
        return result
    }

    private func write(_ messages: [Translated]) async throws {
        if let directory = self.directory {
            let files = messages.map { picked, payload in
                let suffix = picked.context.isMatchedReply ? "_reply" : ""
                return ("\(picked.context.number)\(suffix).json", self.printer.format(picked, payload: payload))
            }
            try await directory.write(files)
        } else {
            for (picked, payload) in messages { try self.printer.print(picked, payload: payload) }
            try await self.writer.waitForRoom()
        }
    }
}
