/// One subscription at one moment.
struct SubscriptionSnapshot: Sendable, Equatable {
    var subject: [UInt8]
    var queue: [UInt8]
    var sid: [UInt8]
    var connection: UInt64
    var delivered: Int
    /// The total of the UNSUB in force; 0 means none.
    var limit: Int
    /// The name of the account that imports the subject, if it is not that of the index.
    var importer: String?

    /// About what a page needs for it.
    var pageSize: Int { 128 + self.subject.count + self.queue.count + self.sid.count }

    init(_ subscription: Subscription, connection: UInt64) {
        self.subject = subscription.subject
        self.queue = subscription.queue
        self.sid = subscription.sid
        self.connection = connection
        self.delivered = subscription.delivered
        self.limit = subscription.currentLimit
        self.importer = subscription.stream?.importer
    }

    /// What another server wants.
    ///
    /// - Parameters:
    ///   - interest: Which.
    ///   - prefix: What stands in front of its subject, and queue group, in place of a sid.
    ///   - connection: The connection to that server.
    ///   - delivered: How many messages went there for it.
    init(_ interest: RemoteInterest, sidPrefix prefix: [UInt8] = [], connection: UInt64, delivered: Int) {
        self.subject = interest.subject
        self.queue = interest.queue
        self.sid = prefix + interest.subject + (interest.queue.isEmpty ? [] : [0x20] + interest.queue)
        self.connection = connection
        self.delivered = delivered
        self.limit = 0
    }

    init(subject: String, queue: String = "", sid: String, connection: UInt64, delivered: Int = 0, limit: Int = 0) {
        self.subject = Array(subject.utf8)
        self.queue = Array(queue.utf8)
        self.sid = Array(sid.utf8)
        self.connection = connection
        self.delivered = delivered
        self.limit = limit
    }
}
