import Logging
import NIOConcurrencyHelpers
import NIOCore

/// Counts what a queue could not take, and lets the log say so; rate limited.
final class QueueLosses: Sendable {
    private let logger: Logger
    private let what: String
    private let state = NIOLockedValueBox((count: 0, limit: LogRateLimit()))

    /// - Parameters:
    ///   - what: What is lost, for the log.
    ///   - logger: Where the server logs.
    init(_ what: String, logger: Logger) {
        self.what = what
        self.logger = logger
    }

    /// How much has been lost.
    var count: Int { self.state.withLockedValue { $0.count } }

    func add() {
        let (count, isDue) = self.state.withLockedValue { state in
            state.count += 1
            return (state.count, state.limit.allows(self.what, now: .now()))
        }
        if isDue { self.logger.warning("SYSTEM - Too many \(self.what), \(count) lost so far") }
    }
}
