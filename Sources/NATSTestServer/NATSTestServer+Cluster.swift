import NATSServerCore

extension NATSTestServer {
    /// The cluster that a server belongs to; ``NATSTestCluster`` starts several and keeps them together.
    ///
    /// ```swift
    /// var options = NATSTestServer.Options()
    /// options.cluster = .init(name: "east", routes: [other.routeURL])
    /// ```
    public struct Cluster: Sendable, Equatable {
        /// The cluster's name, which all its servers have in common.
        public var name: String
        /// Port for routes, on the server's host; 0 for a free one, which a restarted server has again.
        public var port = 0
        /// Servers that are dialled, until they are connected and again when they are lost: `nats://[user:password@]host:port`.
        public var routes: [String]
        /// Name of the user that servers which dial have to be; empty if nobody is asked.
        public var user = ""
        /// That user's password, in clear text or as a bcrypt hash.
        public var password = ""
        /// What other servers are told as `host:port` for routes; the real address if `nil`.
        public var advertise: String?
        /// Whether clients, of this server and of others, are not told of each other's servers.
        public var noAdvertise = false
        /// Connections to each other server, besides those of ``accounts``; 0 for a single one for everything.
        public var poolSize = 3
        /// Accounts that have a connection of their own to each other server.
        public var accounts: [String] = []

        /// A cluster as the official server's defaults have it.
        ///
        /// - Parameters:
        ///   - name: The cluster's name.
        ///   - routes: Servers that are dialled.
        public init(name: String, routes: [String] = []) {
            self.name = name
            self.routes = routes
        }

        func options(host: String, port: Int) throws(NATSTestServerError) -> ClusterOptions {
            var options = ClusterOptions()
            options.name = self.name
            options.host = host
            options.port = port
            for route in self.routes {
                guard let parsed = ClusterOptions.Route(url: route) else {
                    throw NATSTestServerError(message: "error parsing route URL")
                }
                options.routes.append(parsed)
            }
            options.user = self.user
            options.password = self.password
            options.advertise = self.advertise
            options.noAdvertise = self.noAdvertise
            options.poolSize = self.poolSize
            options.accounts = self.accounts
            return options
        }
    }

    /// URL for ``Cluster/routes`` of other servers, such as `nats://127.0.0.1:43124`; without user and password.
    ///
    /// `nil` unless ``Options/cluster`` is set and the server runs.
    public var routeURL: String? {
        let port = self.currentServer.boundClusterPort
        guard port > 0 else { return nil }
        return "nats://\(self.host.contains(":") ? "[\(self.host)]" : self.host):\(port)"
    }
}
