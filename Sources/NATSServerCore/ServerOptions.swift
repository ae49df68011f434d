package import Logging

/// What a server is started with.
///
/// Names and defaults are those of the official configuration keys.
package struct ServerOptions: Sendable {
    /// Address to listen on.
    package var host = "0.0.0.0"
    /// Client port; 0 or less lets the system choose one.
    package var port = 4222
    /// `server_name`; the server id if `nil`.
    package var serverName: String?
    /// Who may connect, and what they may do.
    package var authorization = AuthorizationOptions()
    /// Which operators are trusted; `nil` where accounts are not JWTs.
    package var operators: OperatorModeOptions?
    /// Who decides about clients, if ``AuthorizationOptions/callout`` leaves that to somebody within the process.
    package var authorizer: Authorizer?
    /// How many clients an authorization service is asked about at a time when a reload asks about all; a reload
    /// does not change it.
    package var mostCalloutsAtOnce = 256
    /// How clients' connections are secured; clear text if `nil`.
    package var tls: TLSOptions?
    /// The cluster that the server belongs to; `nil` if it stands alone.
    package var cluster: ClusterOptions?
    /// The leaf nodes that the server has, and the hubs that it is one of; `nil` if there are none.
    package var leafNodes: LeafNodesOptions?
    /// WebSocket clients; none if `nil`.
    package var webSocket: WebSocketOptions?
    /// Largest header block plus payload, in bytes.
    package var maxPayload = 1_048_576
    /// Largest argument of a control line, in bytes.
    package var maxControlLine = 4096
    /// Bytes that may wait for one client before it is cut off.
    package var maxPending = 67_108_864
    /// Time that a write may make no progress before the client is cut off.
    package var writeDeadline: Duration = .seconds(10)
    package var maxConnections = 65_536
    /// Subscriptions of a client; 0 and -1 mean any number.
    package var maxSubscriptions = 0
    /// Tokens of a subscription's subject (`max_subscription_tokens`); 0 means any number.
    package var maxSubscriptionTokens = 0
    package var pingInterval: Duration = .seconds(120)
    /// PINGs that may be unanswered (`ping_max`).
    package var pingsOutMax = 2
    /// `no_header_support`.
    package var noHeaderSupport = false
    /// `disable_sublist_cache`: what a subject matches is looked up anew for each read of a publisher.
    package var noSublistCache = false
    /// `no_fast_producer_stall`: messages for a consumer that has fallen behind are dropped, where else producers pause.
    package var noFastProducerStall = false
    /// `client_advertise`: what INFO names as host and port instead of the real ones; the port may be missing.
    package var clientAdvertise: String?
    /// `lame_duck_duration`, over which clients are sent away, and how long they are left alone before
    /// (`lame_duck_grace_period`, a part of it).
    package var lameDuckDuration: Duration = .seconds(120)
    package var lameDuckGracePeriod: Duration = .seconds(10)
    /// `connect_error_reports` and `reconnect_error_reports`: how often a failing connection to another server is logged.
    package var connectErrorReports = 3600
    package var reconnectErrorReports = 1
    /// The configuration file that the options come from, as it was given, and its digest (`sha256:…`).
    package var configFile: String?
    package var configDigest: String?
    /// Number of event loops; half the cores, at least one, if `nil`.
    package var eventLoopCount: Int?
    /// Closed connections that `/connz` can still show; 0 means 10,000.
    package var maxClosedClients = 0
    package var monitoring = MonitoringOptions()
    package var logger: Logger
    /// Delays reads of publishers that write a few messages per system call; see `ReadModerator`.
    package var readModeration = true
    /// Logs every protocol line at trace level.
    package var traceProtocol = false
    /// `trace_headers`: of payloads, only header blocks are traced.
    package var traceHeaders = false
    /// Bytes of a payload that a trace line shows; 0 means all.
    package var maxTracedMessageLength = 0

    package init(logger: Logger) {
        self.logger = logger
    }
}

extension ServerOptions {
    /// User name of the only user.
    package var username: String? {
        get { self.authorization.username }
        set { self.authorization.username = newValue }
    }

    /// Password of the only user.
    package var password: String? {
        get { self.authorization.password }
        set { self.authorization.password = newValue }
    }

    /// Token, instead of a user.
    package var token: String? {
        get { self.authorization.token }
        set { self.authorization.token = newValue }
    }

    /// Time from accept to CONNECT when credentials are needed.
    package var authTimeout: Duration {
        get { self.authorization.timeout }
        set { self.authorization.timeout = newValue }
    }
}
