import CoreMetrics
import NATSClient

/// What waits for the consumers that are watched: one pair of gauges for all of a subject and a queue group, because the
/// members of a group in one program would write over each other's.
struct WatchedSubscriptions {
    private struct Key: Hashable {
        let subject: String
        let queueGroup: String
    }

    private struct Member {
        weak var subscription: NATSSubscription?
    }

    private struct Gauges {
        let pendingMessages: Gauge
        let pendingBytes: Gauge

        init(_ key: Key, factory: any MetricsFactory, dimensions: [(String, String)]) {
            let dimensions = dimensions + [("subject", key.subject), ("queue_group", key.queueGroup)]
            func gauge(_ name: String) -> Gauge {
                Gauge(label: "nats_client_subscription_" + name, dimensions: dimensions, factory: factory)
            }
            self.pendingMessages = gauge("pending_messages")
            self.pendingBytes = gauge("pending_bytes")
        }

        func record(_ messages: Int, _ bytes: Int) {
            self.pendingMessages.record(messages)
            self.pendingBytes.record(bytes)
        }

        func destroy() {
            self.pendingMessages.destroy()
            self.pendingBytes.destroy()
        }
    }

    private struct Group {
        var members: [Member] = []
        var gauges: Gauges?
    }

    private var groups: [Key: Group] = [:]

    mutating func add(_ subscription: NATSSubscription) {
        let key = Key(subject: subscription.subject, queueGroup: subscription.queueGroup ?? "")
        self.groups[key, default: Group()].members.append(Member(subscription: subscription))
    }

    /// Brings the gauges up to date; those of which the last subscription has ended go, or each subject that ever was would
    /// stay with the program's metrics.
    mutating func update(factory: any MetricsFactory, dimensions: [(String, String)]) {
        for (key, var group) in self.groups {
            var messages = 0
            var bytes = 0
            group.members.removeAll { member in
                guard let subscription = member.subscription else {
                    return true
                }
                let statistics = subscription.statistics
                messages += statistics.pendingMessages
                bytes += statistics.pendingBytes
                guard case .closed = subscription.status else {
                    return false
                }
                return statistics.pendingMessages == 0
            }
            let gauges = group.gauges ?? Gauges(key, factory: factory, dimensions: dimensions)
            gauges.record(messages, bytes)
            group.gauges = gauges
            if group.members.isEmpty {
                gauges.destroy()
                self.groups[key] = nil
            } else {
                self.groups[key] = group
            }
        }
    }
}
