/// A `leafnodes` block.
package struct LeafNodesConfiguration: Sendable, Equatable {
    package struct Authorization: Sendable, Equatable {
        package var user: String?
        package var password: String?
        package var nkey: String?
        package var account: String?
        package var timeout: Duration?
        package var users: [User] = []
        package var proxyRequired = false
    }

    package struct User: Sendable, Equatable {
        package var user = ""
        package var password = ""
        package var account: String?
        package var proxyRequired = false
    }

    /// An entry of `remotes`.
    package struct Remote: Sendable, Equatable {
        package struct Proxy: Sendable, Equatable {
            package var url = ""
            package var username = ""
            package var password = ""
            package var timeout: Duration = .zero
        }

        package var urls: [ConfigurationURL] = []
        package var account: String?
        package var credentials: String?
        package var nkey: String?
        package var tls: TLSConfiguration?
        package var hub = false
        package var denyImports: [String] = []
        package var denyExports: [String] = []
        package var noRandomize = false
        package var compression = CompressionConfiguration(mode: "s2_auto")
        package var firstInfoTimeout: Duration = .seconds(1)
        package var dialTimeout: Duration?
        package var disabled = false
        package var wsCompression = false
        package var wsNoMasking = false
        package var jetstreamClusterMigrate = false
        package var jetstreamClusterMigrateDelay: Duration = .zero
        package var isolate = false
        package var requestIsolation = false
        package var ignoreDiscoveredServers = false
        package var proxy = Proxy()
    }

    package var host = "0.0.0.0"
    package var port = 0
    package var authorization: Authorization?
    package var remotes: [Remote] = []
    package var reconnectInterval: Duration = .seconds(1)
    package var dialTimeout: Duration = .seconds(1)
    package var tls: TLSConfiguration?
    package var advertise: String?
    package var noAdvertise = false
    package var minVersion: String?
    package var compression = CompressionConfiguration(mode: "s2_auto")
    package var isolate = false
    package var writeDeadline: Duration?
    package var writeTimeout: WriteTimeoutPolicy = .default

    package init() {}
}
