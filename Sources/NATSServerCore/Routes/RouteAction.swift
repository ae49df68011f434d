internal import Logging

/// What a connection between two servers is for: the accounts of a slot of the pool, or one account.
enum RouteLink: Hashable, Comparable, Sendable {
    case slot(Int)
    case account(String)

    var isSlot: Bool {
        switch self {
        case .slot: true
        case .account: false
        }
    }
}

/// Which user and password go into a CONNECT.
enum RouteCredentials: Equatable, Sendable {
    case none
    /// Those of a configured route's URL, by its index.
    case route(Int)
    /// Those that this server itself asks for (`cluster.authorization`): the peer told that it wants some.
    case cluster
}

/// What a ``RouteBook`` wants done, in this order.
enum RouteAction: Equatable, Sendable {
    /// Connect to a server; the outcome is reported by the number.
    case dial(number: UInt64, RouteAddress, RouteCredentials)
    case sendConnect(RouteBook.ConnectionID)
    /// Say who we are. `link` goes into `route_pool_idx` or `route_account`.
    case sendInfo(RouteBook.ConnectionID, link: RouteLink, gossipMode: GossipMode)
    case sendPing(RouteBook.ConnectionID)
    /// The connection carries a link now: interest is sent, and messages.
    ///
    /// What the peer sends counts from its INFO on, also if it is registered later.
    case register(RouteBook.ConnectionID, RoutePeer, link: RouteLink)
    /// Accounts go to a peer over other connections than before.
    case assignAccounts(String)
    /// End a connection, after what is queued and `-ERR 'text'`.
    case close(RouteBook.ConnectionID, ClosedReason, text: String?)
    /// Tell a peer of another server.
    case gossip(RoutePeer, to: RouteBook.ConnectionID)
    /// The clients of the peers may connect to these, beside the server's own.
    case announce(clientURLs: [String], webSocketURLs: [String])
    /// The cluster has another name.
    case adoptCluster(String)
    /// `about`: the connection whose log prefix the line has.
    case log(Logger.Level, String, about: RouteBook.ConnectionID?)
}
