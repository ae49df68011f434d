package import NATSClient
import NATSWire
import NIOConcurrencyHelpers
package import NIOCore

/// Picks messages, numbers them, formats them and hands them to the writer; shared by all subscriptions of the tool.
package final class MessagePrinter: Sendable {
    private struct State {
        var count = 0
        var lastActivity = ContinuousClock.now
        var output = ByteBuffer()
        var stamp: MessageStamp
    }

    /// A message that was picked.
    package struct Picked: Sendable {
        package var message: NATSMessage
        package var context: MessageFormatter.Context

        package init(message: NATSMessage, context: MessageFormatter.Context) {
            self.message = message
            self.context = context
        }
    }

    /// What is formatted before the writer gets it.
    private static let blockSize = 64 * 1024

    private let formatter: MessageFormatter
    private let ignored: [[UInt8]]
    private let limit: Int
    private let writer: OutputWriter
    private let start = ContinuousClock.now
    private let state: NIOLockedValueBox<State>

    /// - Parameters:
    ///   - formatter: Makes bytes of messages.
    ///   - stamp: Tells when they came.
    ///   - ignoring: Subjects, with wildcards, of messages that are neither shown nor counted.
    ///   - limit: How many messages are wanted.
    ///   - writer: Gets the bytes.
    package init(
        formatter: MessageFormatter,
        stamp: MessageStamp = MessageStamp(form: nil),
        ignoring: [String] = [],
        limit: Int?,
        writer: OutputWriter
    ) {
        self.formatter = formatter
        self.ignored = ignoring.map { Array($0.utf8) }
        self.limit = limit ?? Int.max
        self.writer = writer
        self.state = NIOLockedValueBox(State(stamp: stamp))
    }

    /// The number of messages picked.
    package var count: Int {
        self.state.withLockedValue { $0.count }
    }

    /// Whether all messages that are wanted were picked.
    package var isComplete: Bool { self.count >= self.limit }

    /// When a message was picked last, or the subscription began.
    package var lastActivity: ContinuousClock.Instant {
        self.state.withLockedValue { $0.lastActivity }
    }

    // MARK: Hot path

    /// Prints the messages of `batch` from `position` until a block is full, and moves `position` behind them.
    ///
    /// - Returns: Whether the last message that is wanted was printed.
    /// - Throws: `OutputWriter.WriteError` if an earlier write failed.
    package func print(_ batch: NATSMessageBatch, from position: inout Int) throws -> Bool {
        // Once for all: a value whose parts are counted references.
        let formatter = self.formatter
        return try self.state.withLockedValue { state in
            var context = self.context(&state)
            let before = state.count
            if formatter.printsPayloadsOnly, self.ignored.isEmpty, context.stamp.isEmpty {
                let count = batch.withFrames(from: position) { bytes, frames in
                    formatter.appendPayloads(
                        of: frames.prefix(self.limit - before),
                        in: bytes,
                        until: Self.blockSize,
                        to: &state.output
                    )
                }
                position += count
                state.count += count
            }
            while position < batch.endIndex, state.count < self.limit, state.output.readableBytes < Self.blockSize {
                let message = batch[position]
                position += 1
                if !self.ignored.isEmpty, self.isIgnored(message) { continue }
                state.count += 1
                context.number = state.count
                message.withParts { formatter.append($0, context, to: &state.output) }
            }
            if state.count > before { state.lastActivity = .now }
            try self.writer.submit(&state.output)
            return state.count >= self.limit
        }
    }

    // MARK: Message by message

    /// Picks up to `maximum` messages of `batch` from `position` and moves `position` behind them; nothing is printed.
    package func pick(_ batch: NATSMessageBatch, from position: inout Int, maximum: Int) -> [Picked] {
        self.state.withLockedValue { state in
            var picked: [Picked] = []
            var context = self.context(&state)
            while position < batch.endIndex, state.count < self.limit, picked.count < maximum {
                let message = batch[position]
                position += 1
                if !self.ignored.isEmpty, self.isIgnored(message) { continue }
                state.count += 1
                context.number = state.count
                picked.append(Picked(message: message, context: context))
            }
            if !picked.isEmpty { state.lastActivity = .now }
            return picked
        }
    }

    /// The context of a message that comes now and has no number of its own.
    package func context(number: Int) -> MessageFormatter.Context {
        self.state.withLockedValue { state in
            var context = self.context(&state)
            context.number = number
            return context
        }
    }

    /// Prints a message that was picked, with `payload` in the place of its own if given.
    ///
    /// - Throws: `OutputWriter.WriteError` if an earlier write failed.
    package func print(_ picked: Picked, payload: ByteBuffer? = nil) throws {
        var output = self.format(picked, payload: payload)
        try self.writer.submit(&output)
    }

    /// What ``print(_:payload:)`` prints.
    package func format(_ picked: Picked, payload: ByteBuffer? = nil) -> ByteBuffer {
        var output = ByteBuffer()
        picked.message.withParts { parts in
            var parts = parts
            guard let payload else { return self.formatter.append(parts, picked.context, to: &output) }
            payload.withUnsafeReadableBytes { bytes in
                parts.payload = bytes
                self.formatter.append(parts, picked.context, to: &output)
            }
        }
        return output
    }

    private func context(_ state: inout State) -> MessageFormatter.Context {
        let nanoseconds = POSIX.nanosecondsSinceEpoch
        let stamp = state.stamp.render(nanoseconds: nanoseconds, elapsed: ContinuousClock.now - self.start)
        return MessageFormatter.Context(number: 0, nanoseconds: nanoseconds, stamp: stamp)
    }

    private func isIgnored(_ message: NATSMessage) -> Bool {
        var result = false
        message.withParts { parts in
            result = self.ignored.contains { pattern in
                pattern.withUnsafeBytes { SubjectGrammar.matches(subject: parts.subject, pattern: $0) }
            }
        }
        return result
    }
}
