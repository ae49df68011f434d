/// Who gets the messages of a sid.
enum SubscriptionHandle: Sendable {
    case subscription(SubscriptionState)
    /// The inbox on which the replies of all requests arrive.
    case requests
}

/// What restores the subscriptions on a new connection.
struct SubscriptionReplay: Equatable {
    var bytes: [UInt8] = []
    /// Messages received so far, by sid, where there are some.
    var received: [UInt64: UInt64] = [:]
}

/// The subscriptions as the server knows them, or will know them after a reconnect.
struct SubscriptionRegistry<Handle> {
    struct Entry {
        let sid: UInt64
        let subject: String
        let queueGroup: String?
        let handle: Handle
        /// Grows with each subscription that is added; sids do not, since the inbox of requests has the first one.
        let number: UInt64
        /// Messages in the subscription's whole life after which it ends.
        var maximum: UInt64?
        /// Messages that came off the wire.
        var received: UInt64 = 0
        /// A server may count otherwise, and not know that the maximum has been reached.
        var isCountUncertain = false
    }

    /// What to do with messages that arrived for a sid.
    struct Arrival {
        let handle: Handle
        /// So many of them count; the rest is beyond the subscription's maximum.
        let accepted: Int
        /// The subscription has had its last message and is forgotten.
        let isComplete: Bool
        /// The server may have to be told so.
        var needsUnsubscribe = false
    }

    private var entries: [UInt64: Entry] = [:]
    private var nextNumber: UInt64 = 0

    var isEmpty: Bool {
        self.entries.isEmpty
    }

    /// All subscriptions in the order in which they were made.
    var all: [Entry] {
        self.entries.values.sorted { $0.number < $1.number }
    }

    mutating func add(sid: UInt64, subject: String, queueGroup: String?, handle: Handle) {
        self.entries[sid] = Entry(
            sid: sid,
            subject: subject,
            queueGroup: queueGroup,
            handle: handle,
            number: self.nextNumber
        )
        self.nextNumber += 1
    }

    /// Messages of a subscription that came off the wire.
    func received(sid: UInt64) -> UInt64 {
        self.entries[sid]?.received ?? 0
    }

    func handle(sid: UInt64) -> Handle? {
        self.entries[sid]?.handle
    }

    mutating func remove(sid: UInt64) -> Handle? {
        self.entries.removeValue(forKey: sid)?.handle
    }

    /// Limits a subscription; returns it, forgotten, if it has had as many already.
    mutating func limit(sid: UInt64, maximum: UInt64) -> Handle? {
        guard let index = self.entries.index(forKey: sid) else {
            return nil
        }
        if self.entries.values[index].received >= maximum {
            return self.entries.remove(at: index).value.handle
        }
        self.entries.values[index].maximum = maximum
        return nil
    }

    /// Messages came off the wire; nil if nobody wants them any more.
    mutating func received(_ count: Int, sid: UInt64) -> Arrival? {
        guard let index = self.entries.index(forKey: sid) else {
            return nil
        }
        let handle = self.entries.values[index].handle
        let before = self.entries.values[index].received
        let after = before &+ UInt64(count)
        self.entries.values[index].received = after
        guard let maximum = self.entries.values[index].maximum, after >= maximum else {
            return Arrival(handle: handle, accepted: count, isComplete: false)
        }
        let isUncertain = self.entries.remove(at: index).value.isCountUncertain
        return Arrival(
            handle: handle,
            accepted: Int(maximum - before),
            isComplete: true,
            needsUnsubscribe: isUncertain
        )
    }

    /// The operations that restore all subscriptions on a new connection, in the order in which they were made.
    ///
    /// The server counts from the new SUB, so a maximum is sent less what was received; only where it `limits`.
    func replay(
        where isWanted: (UInt64) -> Bool = { _ in true },
        limits: (Entry) -> Bool = { _ in true }
    ) -> SubscriptionReplay {
        var replay = SubscriptionReplay()
        for entry in self.all where isWanted(entry.sid) {
            replay.bytes += SubscriptionCommands.subscribe(
                subject: entry.subject,
                queueGroup: entry.queueGroup,
                sid: entry.sid
            )
            if let maximum = entry.maximum, limits(entry) {
                replay.bytes += SubscriptionCommands.unsubscribe(sid: entry.sid, maximum: maximum - entry.received)
            }
            if entry.received > 0 {
                replay.received[entry.sid] = entry.received
            }
        }
        return replay
    }

    /// From now on servers count messages of which copies may come, or that come from elsewhere.
    mutating func countsBecomeUncertain() {
        for index in self.entries.values.indices {
            self.entries.values[index].isCountUncertain = true
        }
    }

    /// Takes out the subscription that the server refused: by sid if it named one, else the first with subject and group.
    mutating func removeRefused(_ permission: NATSError.Permission) -> Entry? {
        if let sid = permission.sid {
            return self.entries.removeValue(forKey: sid)
        }
        let refused = self.all.first {
            $0.subject == permission.subject && $0.queueGroup == permission.queueGroup
        }
        return refused.flatMap { self.entries.removeValue(forKey: $0.sid) }
    }

    /// Takes out the subscription that the server was told of last.
    mutating func removeNewest() -> Entry? {
        let newest = self.entries.values.max { $0.number < $1.number }
        return newest.flatMap { self.entries.removeValue(forKey: $0.sid) }
    }

    mutating func removeAll() -> [Entry] {
        defer {
            self.entries.removeAll()
        }
        return self.all
    }
}
