internal import NIOCore

/// What a ``RouteBook`` is made with: the `cluster` block of the configuration, and limits.
struct RouteBookOptions: Sendable {
    /// What peers can make a server do.
    struct Limits: Sendable {
        /// Servers that are connected at most.
        var peers = 512
        /// Accepted connections that have not said who they are.
        var handshakes = 512
        /// From accept or connect until INFO.
        var handshakeTime: TimeAmount = .seconds(30)
        /// Connections to one peer, whatever pool size it names.
        var poolSize = 64
        /// Servers heard of by gossip that are not connected: in all, and from one peer.
        var candidates = 1024
        var candidatesPerPeer = 256
        /// Of these, dialled at a time: in all, and from one peer.
        var dials = 16
        var dialsPerPeer = 8
        /// Gossip that a peer may send in one go, and how much more each second.
        var gossipAtOnce = 256
        var gossipPerSecond = 4
        /// Unknown addresses that all peers together may name in one go, and how many more each second.
        var newcomersAtOnce = 1024
        var newcomersPerSecond = 16
        /// Client URLs that one peer may announce, and how long each may be, in bytes.
        var clientURLs = 128
        var clientURLLength = 512
        /// Longest server id and longest cluster name, in bytes.
        var nameLength = 256
    }

    /// The server's own id and name.
    var id: String
    var name: String
    var cluster: String
    /// The name of the cluster was made up and gives way to a configured one.
    var isDynamic = false
    /// `routes`.
    var routes: [RouteAddress] = []
    /// Where this server itself accepts routes.
    var ownAddresses: Set<RouteAddress> = []
    /// `pool_size`; 0 and less: one connection for everything.
    var poolSize = 3
    /// Accounts with a connection of their own: `accounts`, and the system account.
    var accounts: [String] = []
    var connectRetries = 0
    var connectBackoff = false
    /// How often a failing dial is logged: before the first connection, and after a loss.
    var connectErrorReports = 3600
    var reconnectErrorReports = 1
    var noAdvertise = false
    var limits = Limits()
}
