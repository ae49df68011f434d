/// The connections that an account has on other servers of the cluster, as those tell (nats-server accounts.go
/// updateRemoteServer).
struct RemoteConnections {
    /// How many there are of each kind.
    struct Counts {
        var clients = 0
        var leafNodes = 0
    }

    private var servers: [String: Counts] = [:]

    /// All together.
    private(set) var all = Counts()

    /// How many servers have any.
    var serverCount: Int { self.servers.count }

    /// A server has told how many it has.
    mutating func set(_ server: String, _ counts: Counts) {
        // No sum of what servers say may overflow.
        func limited(_ count: Int) -> Int { min(max(0, count), Int(Int32.max)) }
        let counts = Counts(clients: limited(counts.clients), leafNodes: limited(counts.leafNodes))
        let old = self.servers[server] ?? Counts()
        self.all.clients += counts.clients - old.clients
        self.all.leafNodes += counts.leafNodes - old.leafNodes
        self.servers[server] = counts.clients + counts.leafNodes > 0 ? counts : nil
    }

    /// A server is gone.
    mutating func remove(_ server: String) { self.set(server, Counts()) }
}
