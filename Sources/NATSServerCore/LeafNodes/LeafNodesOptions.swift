package import NATSServerConfig

/// What a server needs to have leaf nodes, or to be one: the `leafnodes` block.
package struct LeafNodesOptions: Sendable, Equatable {
    /// Somebody who may come in, besides the server's own users.
    package struct User: Sendable, Equatable {
        var name: String
        /// In clear text or as a bcrypt hash.
        var password: String
        /// `$G` if `nil`.
        var account: String?
    }

    /// A hub that is dialled.
    package struct Remote: Sendable, Equatable {
        /// Where it is, and as whom it is dialled.
        package struct URL: Sendable, Equatable {
            var address: RouteAddress
            var user = ""
            /// Secret: it must not reach a log.
            var password = ""
            /// Whether the password was given, though it may be empty.
            var hasPassword = false
            /// The scheme says that the connection is encrypted.
            var isSecure = false
        }

        var urls: [URL] = []
        /// The account here that the hub is told of.
        var account = Account.globalName
        /// The file with a JWT and a key.
        var credentials: String?
        /// The seed of a user's key, a secret: it must not reach a log.
        var seed: String?
        /// How the connection is secured, if that is said; `isInsecure`: the hub's certificate is not looked at.
        var tls: TLSOptions?
        var isInsecure = false
        /// This server is the hub, though it dials.
        var isHub = false
        var denyImports: [String] = []
        var denyExports: [String] = []
        var noRandomize = false
        var firstInfoTimeout: Duration = .seconds(1)
        var dialTimeout: Duration = .seconds(1)
        var isDisabled = false
        /// The hub is not told of other leaf nodes here.
        var isIsolated = false
        /// The hub is asked to tell nothing of its other leaf nodes.
        var asksForIsolation = false
        /// Other addresses that the hub tells of are not used.
        var ignoresDiscoveredServers = false
    }

    package var host = "0.0.0.0"
    /// Where leaf nodes are accepted; 0: nowhere, -1: the system chooses.
    package var port = 0
    package var user = ""
    package var password = ""
    /// The only user's public key; empty for none.
    var nkey = ""
    /// The account of ``user``, or of everybody where no credentials are asked for; `$G` if `nil`.
    package var account: String?
    package var users: [User] = []
    /// Time from accept to CONNECT.
    package var timeout: Duration = .seconds(2)
    package var remotes: [Remote] = []
    package var reconnectInterval: Duration = .seconds(1)
    /// What others are told as host and port.
    package var advertise: String?
    /// Other servers of the cluster are not told where leaf nodes can come.
    package var noAdvertise = false
    /// Leaf nodes are not told of each other.
    package var isIsolated = false
    /// How accepted connections are secured; clear text if `nil`.
    package var tls: TLSOptions?

    package init() {}

    /// What a configuration says; `nil` if there are no leaf nodes.
    package init?(_ configuration: LeafNodesConfiguration) {
        guard configuration.port != 0 || !configuration.remotes.isEmpty else { return nil }
        self.host = configuration.host
        self.port = configuration.port
        if let authorization = configuration.authorization {
            self.user = authorization.user ?? ""
            self.password = authorization.password ?? ""
            self.nkey = authorization.nkey ?? ""
            self.account = authorization.account
            self.users = authorization.users.map { User(name: $0.user, password: $0.password, account: $0.account) }
            if let timeout = authorization.timeout, timeout > .zero { self.timeout = timeout }
        }
        self.tls = configuration.tls.map(TLSOptions.init)
        // nats-server opts.go setBaselineOptions.
        if configuration.authorization?.timeout == nil, let tls = self.tls { self.timeout = tls.timeout + .seconds(1) }
        self.remotes = configuration.remotes.map { Remote($0, dialTimeout: configuration.dialTimeout) }
        if configuration.reconnectInterval > .zero { self.reconnectInterval = configuration.reconnectInterval }
        self.advertise = configuration.advertise
        self.noAdvertise = configuration.noAdvertise
        self.isIsolated = configuration.isolate
    }
}

extension LeafNodesOptions.Remote {
    /// The same from a configuration.
    init(_ configuration: LeafNodesConfiguration.Remote, dialTimeout: Duration) {
        self.urls = configuration.urls.compactMap(URL.init)
        self.account = configuration.account ?? Account.globalName
        self.credentials = configuration.credentials
        self.seed = configuration.nkey
        self.tls = configuration.tls.map(TLSOptions.init)
        self.isInsecure = configuration.tls?.insecure ?? false
        self.isHub = configuration.hub
        self.denyImports = configuration.denyImports
        self.denyExports = configuration.denyExports
        self.noRandomize = configuration.noRandomize
        self.firstInfoTimeout = configuration.firstInfoTimeout
        self.dialTimeout = configuration.dialTimeout ?? (dialTimeout > .zero ? dialTimeout : .seconds(1))
        self.isDisabled = configuration.disabled
        self.isIsolated = configuration.isolate
        self.asksForIsolation = configuration.requestIsolation
        self.ignoresDiscoveredServers = configuration.ignoreDiscoveredServers
    }

    /// Whether a scheme says that WebSocket is spoken.
    static func isWebSocket(_ url: ConfigurationURL) -> Bool { ["ws", "wss"].contains(url.scheme.lowercased()) }
}

extension LeafNodesOptions.Remote.URL {
    /// nats-server const.go DEFAULT_LEAFNODE_PORT.
    private static let defaultPort = 7422

    /// `nats-leaf://[user[:password]@]host[:port]`; the scheme may be another one, or `tls`.
    init?(_ url: ConfigurationURL) {
        guard let address = RouteAddress(host: url.host, port: url.port ?? Self.defaultPort) else { return nil }
        self.init(address: address)
        self.user = url.user ?? ""
        self.password = url.password ?? ""
        self.hasPassword = url.password != nil
        self.isSecure = url.scheme.lowercased() == "tls"
    }

    /// `host:port`, as a hub tells of others.
    init?(hostPort: String) {
        guard let parts = try? HostPort.split(hostPort), let port = Int(parts.port),
            let address = RouteAddress(host: parts.host, port: port)
        else { return nil }
        self.init(address: address)
    }
}
