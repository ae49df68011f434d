/// What one leaf node, or the hub, is told of an account: everything that concerns it but its own.
///
/// Each has a ledger of its own, where routes share one: what is told differs from peer to peer.
///
/// Only touched under the lock of the account's ``SubscriptionIndex``, but for `audience` and `loopSubject`, which do not
/// change.
final class LeafInterest: @unchecked Sendable {
    let audience: LeafAudience
    /// What it is told besides: who hears of it from somebody else is in a loop.
    let loopSubject: [UInt8]
    /// What it may be told of; everything if `nil`.
    private var permissions: LeafPermissions
    private var ledger: InterestLedger
    private let cursor: InterestLedger.Cursor

    /// - Parameters:
    ///   - audience: Of whose interest it is told.
    ///   - loopSubject: The account's subject for the search for loops.
    ///   - permissions: What it may be told of.
    ///   - hash: The key of the account's hash tables.
    init(_ audience: LeafAudience, loopSubject: [UInt8], permissions: LeafPermissions, hash: SubjectHash) {
        self.audience = audience
        self.loopSubject = loopSubject
        self.permissions = permissions
        var ledger = InterestLedger(hash: hash)
        ledger.change(loopSubject, queue: [], by: 1)
        self.cursor = ledger.makeCursor()
        self.ledger = ledger
    }

    /// Subscriptions came (or went, if negative).
    ///
    /// - Parameters:
    ///   - subject: What they want, wildcards included.
    ///   - queue: Their queue group; empty if they have none.
    ///   - source: Whose they are.
    ///   - count: How many.
    /// - Returns: whether there is something to tell now.
    func change(_ subject: [UInt8], queue: [UInt8], of source: LeafAudience.Source, by count: Int) -> Bool {
        guard self.audience.includes(source, subject), self.permissions.allowsInterest(subject, queue: queue) else {
            return false
        }
        let before = self.ledger.latest
        self.ledger.change(subject, queue: queue, by: count)
        return self.ledger.latest != before
    }

    /// What is to be told next; see ``InterestLedger/next(_:atMost:_:)``.
    func next(atMost limit: Int, _ body: (InterestLedger.Update) -> Void) -> Bool {
        self.ledger.next(self.cursor, atMost: limit, body)
    }
}
