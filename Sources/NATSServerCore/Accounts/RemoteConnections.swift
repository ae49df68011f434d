/// The connections that an account has on other servers of the cluster, as those tell (nats-server accounts.go
/// updateRemoteServer).
struct RemoteConnections {
    private var clients: [String: Int] = [:]

    /// All together.
    private(set) var count = 0

    /// How many servers have any.
    var servers: Int { self.clients.count }

    /// A server has told how many it has.
    mutating func set(_ server: String, _ count: Int) {
        // No sum of what servers say may overflow.
        let count = min(max(0, count), Int(Int32.max))
        self.count += count - (self.clients[server] ?? 0)
        self.clients[server] = count > 0 ? count : nil
    }

    /// A server is gone.
    mutating func remove(_ server: String) { self.set(server, 0) }
}
