package import NATSClient
import NIOConcurrencyHelpers

/// Says once per slow-consumer episode how many messages were lost, and knows in the end whether any was.
package final class DropReport: Sendable {
    private let diagnostics: Diagnostics
    /// Messages reported so far, by subscription.
    private let reported = NIOLockedValueBox<[UInt64: UInt64]>([:])

    package init(diagnostics: Diagnostics) {
        self.diagnostics = diagnostics
    }

    /// Whether messages were lost.
    package var hasDrops: Bool {
        self.reported.withLockedValue { $0.values.contains { $0 > 0 } }
    }

    /// Reports what the subscriptions have lost since the last report.
    package func update(_ subscriptions: [NATSSubscription]) {
        for subscription in subscriptions {
            let total = subscription.droppedCount
            let new = self.reported.withLockedValue { reported in
                let known = reported.updateValue(total, forKey: subscription.sid) ?? 0
                return total - min(known, total)
            }
            guard new > 0 else { continue }
            self.diagnostics.error("slow consumer, \(new) messages dropped on [\(subscription.subject)]")
        }
    }
}
