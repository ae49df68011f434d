import NATSClient
import NATSCommandSupport
import NIOConcurrencyHelpers
import NIOCore

/// Counts messages by subject in the place of printing them.
final class SubjectReporter: Sendable {
    private let printer: MessagePrinter
    private let writer: OutputWriter
    private let top: Int
    /// The table replaces the one before it on a terminal.
    private let isRefreshed: Bool
    private struct State {
        var report = SubjectReport()
        /// How often a table was begun.
        var begun = 0
        /// The one that was shown last.
        var shown = 0
    }

    private let state = NIOLockedValueBox(State())

    init(printer: MessagePrinter, writer: OutputWriter, top: Int, isRefreshed: Bool) {
        self.printer = printer
        self.writer = writer
        self.top = top
        self.isRefreshed = isRefreshed
    }

    /// Counts the messages of a batch.
    ///
    /// - Returns: Whether the last message that is wanted was counted.
    func take(_ batch: NATSMessageBatch) -> Bool {
        var position = batch.startIndex
        let picked = self.printer.pick(batch, from: &position, maximum: .max)
        self.state.withLockedValue { state in
            for picked in picked { picked.message.withParts { state.report.count($0) } }
        }
        return self.printer.isComplete
    }

    /// Shows the table each second, if it is refreshed; returns when the task is cancelled.
    func refresh() async throws {
        guard self.isRefreshed else { return }
        while !Task.isCancelled {
            try await self.show()
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// Shows the table as it is now, unless a later one has been shown by the time it is made.
    func show() async throws {
        let (report, number) = self.state.withLockedValue { state in
            state.begun += 1
            return (state.report, state.begun)
        }
        let top = self.top
        // Not on the event loop: there may be a hundred thousand subjects to sort.
        let table = await Task.detached { report.table(top: top) }.value
        // Home, and clear from there.
        var output = ByteBuffer(string: self.isRefreshed ? "\u{1B}[H\u{1B}[2J" : "")
        output.writeString(table)
        try self.state.withLockedValue { state in
            guard number > state.shown else { return }
            state.shown = number
            try self.writer.submit(&output)
        }
    }
}
