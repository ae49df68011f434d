/// Where a ``NATSClient`` is in its life.
public enum NATSClientState: Sendable, Hashable {
    /// The first connection is being made.
    case connecting
    /// There is a connection.
    case connected
    /// The connection was lost, or could not be made yet; the client goes on trying.
    case reconnecting
    /// The client finishes what it has begun and closes then.
    case draining
    /// The client has ended for good.
    case closed
}
