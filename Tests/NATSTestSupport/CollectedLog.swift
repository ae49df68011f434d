package import Logging
import NIOConcurrencyHelpers

/// Keeps what one of our servers logs.
package final class CollectedLog: Sendable {
    private let entries = Watched<[String]>([])

    package init() {}

    /// `[DBG] text`, in order.
    package var lines: [String] { self.entries.value }

    /// Waits until there is a line with this in it.
    package func wait(for part: String) async -> Bool {
        await self.entries.wait { $0.contains { $0.contains(part) } }
    }

    package var logger: Logger {
        Logger(label: "test") { _ in Handler(entries: self.entries) }
    }

    private struct Handler: LogHandler {
        let entries: Watched<[String]>
        var logLevel: Logger.Level = .debug
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let label =
                switch event.level {
                case .trace: "TRC"
                case .debug: "DBG"
                case .info, .notice: "INF"
                case .warning: "WRN"
                case .error: "ERR"
                case .critical: "FTL"
                }
            let line = "[\(label)] \(event.message)"
            self.entries.update { $0.append(line) }
        }
    }
}
