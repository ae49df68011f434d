import NATSClient
import NATSCommandSupport
import NIOConcurrencyHelpers
import NIOCore

/// Numbers messages, formats them and hands them to the writer; shared by all subscriptions of the tool.
final class MessagePrinter: Sendable {
    private struct State {
        var count = 0
        var lastActivity = ContinuousClock.now
        var output = ByteBuffer()
        var timestamp = LocalTimestamp()
    }

    /// What is formatted before the writer gets it.
    private static let blockSize = 64 * 1024

    private let formatter: MessageFormatter
    private let showsTime: Bool
    private let queue: String?
    private let limit: Int
    private let writer: OutputWriter
    private let state = NIOLockedValueBox(State())

    init(format: MessageFormatter.Format, showsTime: Bool, queue: String?, limit: Int?, writer: OutputWriter) {
        self.formatter = MessageFormatter(format: format)
        self.showsTime = showsTime
        self.queue = queue
        self.limit = limit ?? Int.max
        self.writer = writer
    }

    /// The number of messages printed.
    var count: Int {
        self.state.withLockedValue { $0.count }
    }

    /// When a message was printed last, or the subscription began.
    var lastActivity: ContinuousClock.Instant {
        self.state.withLockedValue { $0.lastActivity }
    }

    /// Prints the messages of `batch` from `position` until a block is full, and moves `position` behind them.
    ///
    /// - Returns: Whether the last message that is wanted was printed.
    /// - Throws: `OutputWriter.WriteError` if an earlier write failed.
    func print(_ batch: NATSMessageBatch, from position: inout Int) throws -> Bool {
        let second = self.showsTime ? LocalTimestamp.currentSecond : 0
        let nanoseconds = self.needsTime ? POSIX.nanosecondsSinceEpoch : 0
        return try self.state.withLockedValue { state in
            state.lastActivity = .now
            while position < batch.endIndex, state.count < self.limit, state.output.readableBytes < Self.blockSize {
                let message = batch[position]
                position += 1
                state.count += 1
                let number = state.count
                let stamp = self.showsTime ? state.timestamp.stamp(second: second) : ""
                message.withPayloadBytes { payload in
                    self.formatter.append(
                        payload: payload,
                        stamp: stamp,
                        context: MessageTemplate.Context(
                            subject: message.subject,
                            reply: message.reply,
                            headers: message.headers,
                            number: number,
                            queue: self.queue,
                            nanoseconds: nanoseconds
                        ),
                        to: &state.output
                    )
                }
            }
            try self.writer.submit(&state.output)
            return state.count >= self.limit
        }
    }

    private var needsTime: Bool {
        if case .template = self.formatter.format { return true }
        return false
    }
}
