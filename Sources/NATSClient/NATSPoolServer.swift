/// A server that a ``NATSClient`` may connect to.
public struct NATSPoolServer: Sendable, Hashable {
    /// The server's URL, without credentials, and without the path of a WebSocket URL.
    ///
    /// Servers that differ in nothing but the path look alike here.
    public let url: String
    /// Whether the cluster announced it, and the configuration did not name it.
    public let isDiscovered: Bool
    /// Attempts to connect to it that failed in a row.
    public let failedAttempts: Int
    /// Whether it is not tried for now, because it failed too often or refuses this client for good.
    public let isGivenUp: Bool

    init(_ server: ServerPool.Server) {
        self.url = server.address.url
        self.isDiscovered = server.isImplicit
        self.failedAttempts = server.failures
        self.isGivenUp = server.givenUpAt != nil
    }
}
