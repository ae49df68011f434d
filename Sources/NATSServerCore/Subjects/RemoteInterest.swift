/// What another server has told of its subscriptions: one subject, or one queue group of it.
///
/// `@unchecked Sendable`: the variables are only touched under the lock of the ``SubscriptionIndex`` that it stands in.
final class RemoteInterest: SublistElement, @unchecked Sendable {
    let subject: [UInt8]
    let queue: [UInt8]
    /// Which way messages go; takes it out of the index before it ends.
    unowned let route: RouteConnection
    /// Members of the queue group; 1 without one.
    var weight: Int
    /// Denies subjects that the interest covers; they are not sent.
    let filter: ClientPermissions?
    var sublistPlace: SublistPlace?

    init(subject: [UInt8], queue: [UInt8], weight: Int, route: RouteConnection) {
        self.subject = subject
        self.queue = queue
        self.weight = weight
        self.route = route
        self.filter = route.permissions.flatMap { $0.filtersDelivery(of: subject) ? $0 : nil }
    }

    /// Whether a subject must not go to the other server.
    func isDenied(_ subject: UnsafeBufferPointer<UInt8>) -> Bool { self.filter?.denies(subject, queue: []) ?? false }
}
