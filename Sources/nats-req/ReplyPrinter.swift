import NATSClient
import NATSCommandSupport
import NIOCore
import Synchronization

/// Prints replies, each as soon as it is there.
final class ReplyPrinter: Sendable {
    private let formatter: MessageFormatter
    private let writer: OutputWriter
    private let count = Atomic<Int>(0)

    init(format: MessageFormatter.Format, writer: OutputWriter) {
        self.formatter = MessageFormatter(format: format)
        self.writer = writer
    }

    /// Prints `reply`, and waits while the output takes nothing.
    func print(_ reply: NATSMessage) async throws {
        let number = self.count.wrappingAdd(1, ordering: .relaxed).newValue
        var output = ByteBuffer()
        reply.withPayloadBytes { payload in
            self.formatter.append(
                payload: payload,
                context: MessageTemplate.Context(
                    subject: reply.subject,
                    reply: reply.reply,
                    headers: reply.headers,
                    number: number,
                    queue: nil,
                    nanoseconds: POSIX.nanosecondsSinceEpoch
                ),
                to: &output
            )
        }
        try self.writer.submit(&output)
        try await self.writer.waitForRoom()
    }
}
