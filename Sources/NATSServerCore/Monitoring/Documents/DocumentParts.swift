import NATSWire

/// What several pages have in common.
extension JSONDocumentWriter {
    mutating func write(_ key: StaticString, time nanoseconds: Int64) {
        self.write(key, plain: TimeText.rfc3339(nanoseconds))
    }

    mutating func write(_ key: StaticString, nanoseconds duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.write(key, Int(truncatingIfNeeded: seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000))
    }

    mutating func write(_ key: StaticString, seconds duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.write(key, number: Double(seconds) + Double(attoseconds) / 1e18)
    }

    /// Subjects that are allowed and denied; nothing if `nil`.
    mutating func writeUnlessNil(_ key: StaticString, _ subjects: PermissionOptions.Subjects?) {
        guard let subjects else { return }
        self.object(key) { writer in
            writer.writeUnlessEmpty("allow", subjects.allow ?? [])
            writer.writeUnlessEmpty("deny", subjects.deny)
        }
    }

    /// The members with which most pages begin.
    mutating func write(_ head: ServerHead) {
        self.write("server_id", head.id)
        self.write("now", time: head.now)
    }

    mutating func write(_ statistics: SublistStatistics) {
        self.write("num_subscriptions", statistics.subscriptions)
        self.write("num_cache", statistics.cached)
        self.write("num_inserts", statistics.inserts)
        self.write("num_removes", statistics.removes)
        self.write("num_matches", statistics.lookUps)
        self.write("cache_hit_rate", number: statistics.hitRate)
        self.write("max_fanout", statistics.largestFanout)
        self.write("avg_fanout", number: statistics.averageFanout)
    }

    /// A subscription as an object.
    ///
    /// - Parameters:
    ///   - subscription: The subscription.
    ///   - account: Its account, on pages that show more than one connection.
    mutating func element(_ subscription: SubscriptionSnapshot, account: String? = nil) {
        self.object { writer in
            if let account {
                writer.write("account", account)
                writer.write("account_tag", account)
            }
            writer.write("subject", text: subscription.subject)
            writer.writeUnlessEmpty("qgroup", text: subscription.queue)
            writer.write("sid", text: subscription.sid)
            writer.write("msgs", subscription.delivered)
            writer.writeUnlessZero("max", subscription.limit)
            writer.write("cid", subscription.connection)
        }
    }
}
