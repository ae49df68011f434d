/// Every option of a configuration file, typed, with the official defaults.
///
/// Fields carry the names of the official keys. Where zero means "the default" in the file, the default stands here.
package struct ServerConfiguration: Sendable, Equatable {
    /// The keys that the file has, by official name (aliases folded, blocks with their inner keys as `cluster.port`),
    /// each with its place.
    ///
    /// A key that is absent here has its default value.
    package var given: [String: SourcePosition] = [:]

    // MARK: Server and limits

    package var host = "0.0.0.0"
    /// -1 lets the system choose.
    package var port = 4222
    package var clientAdvertise: String?
    package var serverName: String?
    package var serverTags: [String] = []
    package var serverMetadata: [String: String] = [:]
    /// Zero or less: every client is refused.
    package var maxConnections = 65_536
    package var maxControlLine = 4096
    /// Bytes; -1 is unlimited.
    package var maxPayload = 1_048_576
    package var maxPending = 67_108_864
    /// Per connection; zero or less is unlimited.
    package var maxSubscriptions = 0
    /// 0 is unlimited.
    package var maxSubTokens = 0
    package var maxClosedClients = 10_000
    /// 0 is unlimited.
    package var maxTracedMsgLen = 0
    package var pingInterval: Duration = .seconds(120)
    package var pingMax = 2
    package var writeDeadline: Duration = .seconds(10)
    package var writeTimeout: WriteTimeoutPolicy = .default
    package var noFastProducerStall = false
    package var lameDuckDuration: Duration = .seconds(120)
    package var lameDuckGracePeriod: Duration = .seconds(10)
    package var disableSublistCache = false
    package var noHeaderSupport = false
    package var pidFile: String?
    package var portsFileDir: String?
    package var connectErrorReports = 3600
    package var reconnectErrorReports = 1
    package var allowNonTLS = false
    package var proxyProtocol = false
    package var proxies: ProxiesConfiguration?
    package var featureFlags: [String: Bool] = [:]
    package var profPort = 0
    package var profBlockRate = 0
    /// `mappings` at top level: those of account `$G`.
    package var mappings: [SubjectMapping] = []

    // MARK: Monitoring

    /// `nil`: the host of the client port.
    package var httpHost: String?
    /// 0 is off, -1 lets the system choose.
    package var httpPort = 0
    package var httpsPort = 0
    package var httpBasePath: String?

    // MARK: Logging

    package var debug = false
    package var trace = false
    package var traceVerbose = false
    package var traceHeaders = false
    package var logtime = true
    package var logtimeUTC = false
    package var logFile: String?
    package var logSizeLimit = 0
    package var logMaxNum = 0
    package var syslog = false
    package var remoteSyslog: String?

    // MARK: Security

    package var authorization: AuthorizationConfiguration?
    package var noAuthUser: String?
    package var tls: TLSConfiguration?
    package var ocsp: OCSPConfiguration?
    package var ocspCache: OCSPCacheConfiguration?

    // MARK: Accounts and operators

    /// In the order of the file.
    ///
    /// `$G` is not among them.
    package var accounts: [AccountConfiguration] = []
    package var systemAccount: String?
    package var noSystemAccount = false
    package var operators: [String] = []
    package var resolver: ResolverConfiguration?
    package var resolverTLS: TLSConfiguration?
    package var resolverPreload: [String: String] = [:]
    package var resolverPinnedAccounts: [String] = []
    package var trustedKeys: [String] = []
    package var defaultSentinel: String?

    // MARK: Blocks of later features

    package var cluster: ClusterConfiguration?
    package var leafnodes: LeafNodesConfiguration?
    package var gateway: GatewayConfiguration?
    package var websocket: WebSocketConfiguration?
    package var mqtt: MQTTConfiguration?
    package var jetstream: JetStreamConfiguration?
    /// `store_dir` of the top level or of the jetstream block.
    package var storeDir: String?
    package var defaultJSDomain: [String: String] = [:]

    package init() {}
}

/// `write_timeout`: what happens to a client whose write deadline passes.
package enum WriteTimeoutPolicy: String, Sendable, Equatable {
    case `default`
    case close
    case retry
}

/// `proxies`: the proxies whose signatures are trusted.
package struct ProxiesConfiguration: Sendable, Equatable {
    /// Public nkeys.
    package var trusted: [String] = []
}
