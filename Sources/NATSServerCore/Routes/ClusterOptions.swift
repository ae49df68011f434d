package import NATSServerConfig

/// What a server needs to be one of a cluster: the `cluster` block.
package struct ClusterOptions: Sendable, Equatable {
    /// A server that is dialled, and as whom.
    package struct Route: Sendable, Equatable {
        let address: RouteAddress
        let user: String
        /// Secret: it must not reach a log.
        let password: String
    }

    /// `name`; made up if `nil`.
    package var name: String?
    package var host = "0.0.0.0"
    /// Where routes are accepted; -1 lets the system choose.
    package var port = 0
    /// Whom the server itself asks for; nobody is asked if the user is empty.
    package var user = ""
    /// In clear text or as a bcrypt hash.
    package var password = ""
    /// Time from accept to CONNECT.
    package var timeout: Duration = .seconds(2)
    package var routes: [Route] = []
    /// `cluster_advertise`: what others are told as host and port.
    package var advertise: String?
    /// Clients are told of this server only.
    package var noAdvertise = false
    package var connectRetries = 0
    package var connectBackoff = false
    /// Connections to each server besides those of accounts; 0 and less: one for everything.
    package var poolSize = 3
    /// Accounts with a connection of their own.
    package var accounts: [String] = []
    /// `permissions`: `publish` is what is imported from other servers, `subscribe` what is exported to them.
    package var permissions: PermissionOptions?
    /// `nil`: that of clients; no more than 30 s in any case.
    package var pingInterval: Duration?
    package var pingMax: Int?
    package var writeDeadline: Duration?
    /// How routes are secured; clear text if `nil`.
    package var tls: TLSOptions?
    /// `tls { insecure }`: the certificates of servers that are dialled are not looked at.
    package var isInsecure = false

    package init() {}

    /// What a configuration says.
    package init(_ configuration: ClusterConfiguration) {
        self.name = configuration.name
        self.host = configuration.host
        self.port = configuration.port
        self.user = configuration.authorization?.user ?? ""
        self.password = configuration.authorization?.password ?? ""
        self.routes = configuration.routes.compactMap(Route.init)
        self.advertise = configuration.advertise
        self.noAdvertise = configuration.noAdvertise
        self.connectRetries = configuration.connectRetries
        self.connectBackoff = configuration.connectBackoff
        self.poolSize = configuration.poolSize
        self.accounts = configuration.accounts
        if configuration.importPermission != nil || configuration.exportPermission != nil {
            self.permissions = PermissionOptions(
                publish: configuration.importPermission.map { .init(allow: $0.allow, deny: $0.deny) },
                subscribe: configuration.exportPermission.map { .init(allow: $0.allow, deny: $0.deny) }
            )
        }
        self.pingInterval = configuration.pingInterval
        self.pingMax = configuration.pingMax
        self.writeDeadline = configuration.writeDeadline
        self.tls = configuration.tls.map { block in
            var options = TLSOptions(block)
            // nats-server opts.go parseCluster: always both ways.
            options.verify = true
            return options
        }
        self.isInsecure = configuration.tls?.insecure ?? false
        if let timeout = configuration.authorization?.timeout, timeout > .zero {
            self.timeout = timeout
        } else if let tls = self.tls {
            // nats-server opts.go getDefaultAuthTimeout.
            self.timeout = tls.timeout + .seconds(1)
        }
    }
}

extension ClusterOptions.Route {
    /// `nats-route://[user:password@]host:port`; `nil` without a port, or where the host is none.
    package init?(_ url: ConfigurationURL) {
        guard let parts = try? HostPort.split(url.hostPort), let port = Int(parts.port),
            let address = RouteAddress(host: parts.host, port: port)
        else { return nil }
        self.init(address: address, user: url.user ?? "", password: url.password ?? "")
    }

    /// The same as text.
    package init?(url: String) {
        guard let url = try? ConfigurationURL(request: url) else { return nil }
        self.init(url)
    }
}
