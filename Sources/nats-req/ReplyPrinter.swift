import NATSClient
import NATSCommandSupport
import NIOCore
import Synchronization

/// Prints replies, each as soon as it is there.
final class ReplyPrinter: Sendable {
    private let formatter: MessageFormatter
    private let writer: OutputWriter
    private let count = Atomic<Int>(0)

    init(formatter: MessageFormatter, writer: OutputWriter) {
        self.formatter = formatter
        self.writer = writer
    }

    /// Prints `reply`, and waits while the output takes nothing.
    ///
    /// - Parameters:
    ///   - reply: The reply.
    ///   - latency: How long it took.
    /// - Throws: `OutputWriter.WriteError` if an earlier write failed.
    func print(_ reply: NATSMessage, latency: Duration) async throws {
        let number = self.count.wrappingAdd(1, ordering: .relaxed).newValue
        let context = MessageFormatter.Context(
            number: number,
            nanoseconds: POSIX.nanosecondsSinceEpoch,
            latency: latency
        )
        var output = ByteBuffer()
        reply.withParts { self.formatter.append($0, context, to: &output) }
        try self.writer.submit(&output)
        try await self.writer.waitForRoom()
    }
}
