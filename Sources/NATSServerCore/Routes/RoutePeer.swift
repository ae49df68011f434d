/// What a server says of itself in the INFO of a route, as far as it decides about routes; also what gossip says of another.
struct RoutePeer: Equatable, Sendable {
    /// `server_id`.
    var id: String
    /// `server_name`.
    var name: String
    /// Where it accepts routes, as it is configured there.
    var host: String
    var port: Int
    /// `nats-route://host:port/`: where others reach it; empty if the receiver has to look where the connection comes from.
    var ip = ""
    var cluster: String
    /// Its cluster name is one that it made up.
    var isDynamic = false
    /// `route_pool_size`; 0 if it has one connection for everything.
    var poolSize = 0
    /// `route_pool_idx`.
    var poolIndex = 0
    /// `route_account`: the account to which the connection is dedicated.
    var account: String?
    /// `auth_required`.
    var needsCredentials = false
    /// `connect_urls`, `ws_connect_urls`: where its clients connect.
    var clientURLs: [String] = []
    var webSocketURLs: [String] = []
    /// `ldm`.
    var isLameDuck = false
    var gossipMode = GossipMode.normal
}

/// Whether a server that is told of another tells others in turn (`gossip_mode`).
enum GossipMode: Int, Sendable {
    /// It does not if it heard of it by gossip.
    case normal = 0
    /// It does not.
    case disabled = 1
    /// It does, even if it heard of it by gossip.
    case override = 2
}

/// What a server says in the CONNECT of a route, as far as it decides about routes.
struct RouteGreeting: Equatable, Sendable {
    /// `name`: the server's id.
    var id: String
    var cluster: String
    /// `cluster_dynamic`.
    var isDynamic = false
    /// Only clients say what language they are written in.
    var language = ""
    /// Only gateways say what cluster they come from.
    var gateway = ""
}
