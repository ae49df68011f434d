/// What a user may do, in the form in which it is looked up; shared by all connections with the same permissions.
final class ClientPermissions: Sendable {
    /// Different for all permissions that a server ever has; not 0.
    let id: UInt64
    let options: PermissionOptions
    let responses: PermissionOptions.Responses?
    /// Entries for subscriptions that are neither subject nor `subject queue`, which the log is told of.
    let unusable: [String]
    private let publishAllow: SubjectSet?
    private let publishDeny: SubjectSet?
    private let subscribeAllow: SubjectSet?
    private let subscribeDeny: SubjectSet?

    init(_ options: PermissionOptions, id: UInt64, hash: SubjectHash) {
        func set(_ subjects: [String]?) -> SubjectSet? { subjects.map { SubjectSet(subjects: $0, hash: hash) } }
        func queueSet(_ entries: [String]?) -> SubjectSet? {
            guard let entries, !entries.isEmpty else { return nil }
            return SubjectSet(subjectsAndQueues: entries, hash: hash)
        }
        self.id = id
        self.options = options
        self.responses = options.responses
        // Leave to answer instead of leave to publish (nats-server auth.go validateResponsePermissions).
        self.publishAllow = set(options.publish?.allow ?? (options.responses == nil ? nil : []))
        self.publishDeny = set(options.publish.flatMap { $0.deny.isEmpty ? nil : $0.deny })
        self.subscribeAllow = queueSet(options.subscribe?.allow)
        self.subscribeDeny = queueSet(options.subscribe?.deny)
        self.unusable = ((options.subscribe?.allow ?? []) + (options.subscribe?.deny ?? []))
            .filter { PermissionOptions.subjectAndQueue($0) == nil }
    }

    /// What ``MatchResult`` remembers answers under; 0 if every publish is allowed.
    var publishTag: UInt64 { self.publishAllow == nil && self.publishDeny == nil ? 0 : self.id }

    /// Whether messages may be published to a subject, answers to requests left aside.
    func allowsPublish(_ subject: UnsafeBufferPointer<UInt8>) -> Bool {
        if let allow = self.publishAllow, !allow.contains(subject) { return false }
        return !(self.publishDeny?.contains(subject) ?? false)
    }

    /// nats-server client.go canSubscribeInternal.
    func allowsSubscribe(_ subject: [UInt8], queue: [UInt8]) -> Bool {
        subject.withUnsafeBufferPointer { subject in
            if let allow = self.subscribeAllow {
                let match = allow.match(subject)
                guard queue.isEmpty || match.queues.isEmpty ? match.isPlain : match.names(queue: queue) else {
                    return false
                }
            }
            return !self.denies(subject, queue: queue)
        }
    }

    /// Whether a subscription wider than a denial may meet it: then messages are held back at delivery.
    func filtersDelivery(of subject: [UInt8]) -> Bool {
        self.subscribeDeny != nil && subject.contains(where: Self.isWild)
    }

    private static func isWild(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "*") || byte == UInt8(ascii: ">") }

    /// Whether a subject is denied to subscriptions (nats-server client.go checkDenySub).
    func denies(_ subject: UnsafeBufferPointer<UInt8>, queue: [UInt8]) -> Bool {
        guard let match = self.subscribeDeny?.match(subject) else { return false }
        return match.isPlain || !queue.isEmpty && match.names(queue: queue)
    }
}
