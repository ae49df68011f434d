import NIOCore

/// A connection that `/connz` lists: a client's, or that of a leaf node; everything here runs on its event loop.
protocol ListedConnection: ServerConnection {
    /// The remote address; empty as long as there is none.
    var address: String { get }
    /// What it is sorted by.
    var figures: ConnectionFigures { get }
    /// What it gave as its user; secrets redacted.
    var shownUser: String { get }
    /// Whether to look at all its subscriptions would take too long for an event loop: those stand in the account's index
    /// too, where they can be looked at from elsewhere, some at a time.
    var hasManySubscriptions: Bool { get }

    /// Whether a subscription may get messages of a subject; anything may if it is empty.
    func mayGet(_ subject: String) -> Bool

    /// All that `/connz` shows.
    ///
    /// - Parameter lists: Whether the subscriptions are wanted.
    /// - Returns: the values of this moment.
    func monitoringSnapshot(listing lists: Bool) -> ConnectionSnapshot
}

extension ListedConnection {
    /// How much work it is to look at it; `lists` says whether with its subscriptions.
    func weight(listing lists: Bool) -> Int {
        lists && !self.hasManySubscriptions ? 1 + self.figures.subscriptions : 1
    }

    /// Keeps what `/connz?state=closed` shows of this connection.
    func remember(_ reason: ClosedReason) {
        // One that was never active has not been seen by anybody.
        guard !self.address.isEmpty, self.shared.keepsClosedConnections else { return }
        let snapshot = self.monitoringSnapshot(listing: true)
        self.shared.closedConnections.append(
            ClosedConnection(snapshot, stop: .now(), reason: reason.rawValue)
        )
    }
}
