public import Logging
import NATSServerCore

extension NATSTestServer {
    /// What a test server is started with.
    ///
    /// The defaults are those of the official server, on a free loopback port.
    public struct Options: Sendable {
        /// Address to listen on.
        public var host = "127.0.0.1"
        /// Port to listen on; 0 takes a free one.
        public var port = 0
        /// Name in INFO; the server's identity if `nil`.
        public var serverName: String?
        /// User that clients have to be, together with ``password``.
        public var user: String?
        /// Password of ``user``.
        public var password: String?
        /// Token that clients have to give, instead of a user.
        public var token: String?
        /// Users, instead of one ``user`` or a ``token``; nobody may connect if there are none, anybody if `nil`.
        public var users: [User]?
        /// Accounts with users of their own, besides ``users``.
        public var accounts: [Account] = []
        /// Name of the account that looks at the server: `$SYS.>` with its events and requests.
        ///
        /// Nobody belongs to it unless it is one of ``accounts`` with users; there is none if `nil`. A reload does not
        /// change it.
        public var systemAccount: String? = "$SYS"
        /// Whose JWTs let clients in, instead of ``accounts`` and ``users``.
        public var `operator`: Operator?
        /// Decides about every client, in the place of users, passwords and tokens; they do if `nil`, or if there is
        /// an ``operator``.
        ///
        /// What auth callout does with a service on the network, this does with a function. It is called once for each CONNECT,
        /// for several clients at a time, and its task is cancelled when the client has gone or ``authTimeout`` is over; then
        /// the client is refused.
        public var authorizer: (@Sendable (Candidate) async -> Decision)?
        /// The name or nkey among all users that clients without credentials are.
        public var noAuthUser: String?
        /// Permissions of ``users`` without permissions of their own.
        public var defaultPermissions: Permissions?
        /// How connections are secured; clear text if `nil`.
        public var tls: TLS?
        /// Serves WebSocket clients too, on a free port of ``host``, if set.
        public var webSocket: WebSocket?
        /// The cluster that the server belongs to; it stands alone if `nil`.
        public var cluster: Cluster?
        /// Time that a client has for its CONNECT when credentials are needed.
        public var authTimeout: Duration = .seconds(2)
        /// Largest headers plus payload of a message, in bytes.
        public var maxPayload = 1_048_576
        /// Largest argument of a protocol line, in bytes.
        public var maxControlLine = 4096
        /// Bytes that may wait for one client before it is cut off as a slow consumer.
        public var maxPending = 67_108_864
        /// Time that a client may take nothing before it is cut off as a slow consumer.
        public var writeDeadline: Duration = .seconds(10)
        /// Number of clients at a time.
        public var maxConnections = 65_536
        /// Subscriptions of a client; 0 for any number.
        public var maxSubscriptions = 0
        /// Tokens of a subscription's subject; 0 for any number.
        public var maxSubscriptionTokens = 0
        /// Time between two PINGs of the server.
        public var pingInterval: Duration = .seconds(120)
        /// PINGs that a client may leave unanswered.
        public var pingsOutMax = 2
        /// Whether the server offers headers.
        public var headers = true
        /// Number of event loops (threads); half the cores, at least one, if `nil`.
        public var eventLoopCount: Int?
        /// Whether the server answers HTTP requests about itself, on a free port of ``host``.
        public var monitoring = false
        /// Time from lame duck mode to the first client that is closed.
        package var lameDuckGracePeriod: Duration = .seconds(10)
        /// Where the server logs; `nil` for nowhere.
        public var logger: Logger?

        /// The defaults.
        public init() {}

        /// The defaults, for the accounts of an operator.
        ///
        /// - Parameter operator: Whose JWTs let clients in.
        public init(operator: Operator) { self.operator = `operator` }

        func serverOptions(port: Int, clusterPort: Int) throws(NATSTestServerError) -> ServerOptions {
            let silent = Logger(label: "nats-test-server", factory: { _ in SwiftLogNoOpLogHandler() })
            var options = ServerOptions(logger: self.logger ?? silent)
            options.host = self.host
            options.port = port
            options.serverName = self.serverName
            options.authorization = self.authorization
            options.operators = self.operator?.options
            options.authorizer = self.engineAuthorizer
            options.tls = self.tls?.options
            options.webSocket = self.webSocket?.options(host: self.host)
            options.cluster = try self.cluster?.options(host: self.host, port: clusterPort)
            options.maxPayload = self.maxPayload
            options.maxControlLine = self.maxControlLine
            options.maxPending = self.maxPending
            options.writeDeadline = self.writeDeadline
            options.maxConnections = self.maxConnections
            options.maxSubscriptions = self.maxSubscriptions
            options.maxSubscriptionTokens = self.maxSubscriptionTokens
            options.pingInterval = self.pingInterval
            options.pingsOutMax = self.pingsOutMax
            options.noHeaderSupport = !self.headers
            options.eventLoopCount = self.eventLoopCount
            options.lameDuckGracePeriod = self.lameDuckGracePeriod
            if self.monitoring { options.monitoring.port = -1 }
            return options
        }
    }

    /// Counters of a server since its start.
    public struct Statistics: Sendable, Equatable {
        /// Messages that clients have published.
        public let messagesIn: Int
        /// Bytes of those messages, headers plus payload.
        public let bytesIn: Int
        /// Messages that have been delivered.
        public let messagesOut: Int
        /// Bytes of those messages, headers plus payload.
        public let bytesOut: Int
        /// Clients connected now.
        public let connections: Int
        /// Clients that have connected, those gone included.
        public let totalConnections: UInt64
        /// Subscriptions of all clients.
        public let subscriptions: Int
        /// Clients that were cut off because they did not keep up.
        public let slowConsumers: Int

        init(_ statistics: ServerStatistics) {
            self.messagesIn = statistics.traffic.messagesIn
            self.bytesIn = statistics.traffic.bytesIn
            self.messagesOut = statistics.traffic.messagesOut
            self.bytesOut = statistics.traffic.bytesOut
            self.connections = statistics.connections
            self.totalConnections = statistics.totalConnections
            self.subscriptions = statistics.clientSubscriptions
            self.slowConsumers = statistics.slowConsumers
        }
    }
}
