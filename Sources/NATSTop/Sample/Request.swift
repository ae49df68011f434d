/// One page of the monitoring port.
package enum Request: Sendable, Hashable {
    case server
    /// - Parameters:
    ///   - limit: How many connections at most.
    ///   - sort: The server's name of an order; nil for its own.
    ///   - subscriptions: Whether the subjects are wanted.
    ///   - identity: Whether users and accounts are wanted.
    case connections(limit: Int, sort: String?, subscriptions: Bool, identity: Bool)
    case closed(limit: Int, sort: String?)
    case routes
    case accounts
    /// The names alone, from servers that do not count by account.
    case accountNames
    case subscriptions(connection: UInt64)
    case subscriptionStatistics
    case jetStream
    /// The first page of each server of the cluster, which a source puts together.
    case cluster

    /// Path and query.
    package var path: String {
        switch self {
        case .server, .cluster: return "/varz"
        case .connections(let limit, let sort, let subscriptions, let identity):
            var path = "/connz?limit=\(limit)"
            if let sort { path += "&sort=\(sort)" }
            if subscriptions { path += "&subs=1" }
            if identity { path += "&auth=1" }
            return path
        case .closed(let limit, let sort):
            return "/connz?limit=\(limit)\(sort.map { "&sort=\($0)" } ?? "")&state=closed&auth=1"
        case .routes: return "/routez"
        case .accounts: return "/accstatz?unused=1"
        case .accountNames: return "/accountz"
        case .subscriptions(let connection): return "/connz?cid=\(connection)&subs=detail&auth=1"
        case .subscriptionStatistics: return "/subsz"
        case .jetStream: return "/jsz?accounts=1"
        }
    }

    /// Where a page stands in a recording.
    package var name: String {
        switch self {
        case .server: "varz"
        case .connections: "connz"
        case .closed: "closed"
        case .routes: "routez"
        case .accounts: "accstatz"
        case .accountNames: "accountz"
        case .subscriptions: "subscriptions"
        case .subscriptionStatistics: "subsz"
        case .jetStream: "jsz"
        case .cluster: "cluster"
        }
    }
}
