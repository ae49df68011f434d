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
