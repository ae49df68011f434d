package import Logging
import NIOConcurrencyHelpers

/// Keeps what one of our servers or a client logs.
package final class CollectedLog: Sendable {
    private struct Entry: Sendable {
        var line: String
        var metadata: Logger.Metadata
    }

    private let entries = Watched<[Entry]>([])

    package init() {}

    /// `[DBG] text`, in order.
    package var lines: [String] { self.entries.value.map(\.line) }

    /// The same with the metadata behind each text, `key=value` in the order of the keys.
    package var detailedLines: [String] {
        self.entries.value.map { entry in
            entry.metadata.sorted { $0.key < $1.key }.reduce(entry.line) { "\($0) \($1.key)=\($1.value)" }
        }
    }

    /// Waits until there is a line with this in it.
    package func wait(for part: String) async -> Bool {
        await self.entries.wait { $0.contains { $0.line.contains(part) } }
    }

    package var logger: Logger {
        Logger(label: "test") { _ in Handler(entries: self.entries) }
    }

    private struct Handler: LogHandler {
        let entries: Watched<[Entry]>
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
            let metadata = self.metadata.merging(event.metadata ?? [:]) { $1 }
            let entry = Entry(line: "[\(label)] \(event.message)", metadata: metadata)
            self.entries.update { $0.append(entry) }
        }
    }
}
