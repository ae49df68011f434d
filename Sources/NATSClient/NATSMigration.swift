/// How a client left a server in lame duck mode; see ``NATSClientConfiguration/LameDuck/migrate``.
public struct NATSMigration: Sendable, Hashable {
    /// The URL of the server that was left.
    public let from: String
    /// The URL of the server that the client is connected to now.
    public let to: String
    /// How long both connections had the subscriptions.
    public let overlap: Duration
    /// Messages that came on both connections and were delivered once.
    public let copies: UInt64
    /// The most messages of the new connection that waited for the old one's.
    public let largestHeldMessages: Int
    /// Their bytes: subjects, headers, payloads.
    public let largestHeldBytes: Int
    /// Messages whose copies, if they came, were delivered as well, because too many were under way to know them all.
    public let unmatched: UInt64
}
