public import NIOCore

/// How a ``NATSClient`` connects and behaves.
///
/// Every value has a default.
public struct NATSClientConfiguration: Sendable {
    /// What a subscription does with messages beyond its pending limits.
    public enum SlowConsumerPolicy: Sendable, Hashable {
        /// Drops the messages that arrive.
        case dropNewest
        /// Drops the messages that wait longest; those of the batch from which the consumer is just being served stay.
        case dropOldest
        /// Stops reading from the connection until the consumer has caught up; nothing is dropped.
        ///
        /// Holds back the whole connection: every other subscription of the client, replies to requests, the answers
        /// that flushes and drains wait for, and the server's PINGs. A server that cannot get rid of its messages
        /// closes the connection after its `write_deadline` (10 s unless configured), and one whose PINGs stay unanswered
        /// after some minutes; what it held is lost then. So it is for a client with this one subscription and a consumer
        /// that does not wait for the same client.
        ///
        /// Memory is bounded by the limits and one read more. The connection is read again, whatever waits, when the
        /// subscription ends or is drained (what is on its way is taken in then), and when its iterator is gone: until
        /// somebody takes messages again, those beyond the limits are dropped.
        case pauseReads
        /// Ends the subscription with ``NATSError/Code/slowConsumer``, behind the messages that wait.
        case fail
    }

    /// Limits of what a subscription holds for a consumer that is not there yet.
    public struct PendingLimits: Sendable, Hashable {
        /// Largest number of messages; nil for no limit.
        public var messages: Int?
        /// Largest number of bytes of headers and payloads; nil for no limit.
        public var bytes: Int?
        /// What happens beyond.
        public var policy: SlowConsumerPolicy

        /// 500,000 messages and 64 MiB, beyond which the newest are dropped, unless said otherwise.
        public init(messages: Int? = 500_000, bytes: Int? = 67_108_864, policy: SlowConsumerPolicy = .dropNewest) {
            self.messages = messages
            self.bytes = bytes
            self.policy = policy
        }

        func check() throws(NATSError) {
            guard self.messages.map({ $0 > 0 }) ?? true, self.bytes.map({ $0 > 0 }) ?? true else {
                throw NATSError(.invalidConfiguration, "pending limits must be above zero")
            }
        }
    }

    /// What a publish does while there is no connection.
    public enum DisconnectedPublish: Sendable, Hashable {
        /// Keeps the message for the next connection; with ``NATSClientConfiguration/reconnectBufferSize`` used up, throws
        /// ``NATSError/Code/reconnectBufferExceeded``.
        case buffer
        /// Throws ``NATSError/Code/disconnected``.
        case fail
        /// Keeps the message as ``buffer`` does; with the buffer used up,
        /// ``NATSClient/publish(_:to:reply:headers:)`` waits for the next connection and
        /// ``NATSClient/tryPublish(_:to:reply:headers:)`` throws ``NATSError/Code/publishBufferFull``.
        case wait
    }

    /// What IP addresses of a host name are used.
    public enum AddressOrder: Sendable, Hashable {
        /// All, the two families by turns, beginning with that which the operating system puts first.
        case any
        /// All, the two families by turns, beginning with IPv4.
        case ipv4First
        /// All, the two families by turns, beginning with IPv6.
        case ipv6First
        /// Those of IPv4.
        case ipv4Only
        /// Those of IPv6.
        case ipv6Only
    }

    /// What a client does when its server announces that it is going to shut down (lame duck mode).
    public enum LameDuck: Sendable, Hashable {
        /// Tells of it by ``NATSEvent/lameDuckMode``; the server closes the connection some time later.
        case notify
        /// Connects to another server before it leaves this one, so that nothing is lost when the servers of a cluster are
        /// restarted one after the other.
        ///
        /// Within five seconds another server of the pool is connected to, gets all subscriptions, and confirms them.
        /// Publishes are confirmed by the old server before the first one goes to the new. For a quarter of a second both
        /// connections have all subscriptions, while the cluster learns of the new ones; then the old one is drained and
        /// closed, and ``NATSEvent/migrated(_:)`` says how it went. Pending requests go on.
        ///
        /// A message that comes on both connections is delivered once: they are compared, for each subscription, by
        /// subject, reply subject, header block and bytes, and counted. The old connection's come first; what only the new
        /// one brings waits until the old one is done. So the messages of one publisher stay in his order, as long as the
        /// servers forward them in it. Members of a queue group get each message once, on either connection, at once,
        /// and so without an order between the two; one with a limit may be sent more than it takes.
        /// Copies may be a quarter of a second apart; one that comes later is delivered.
        ///
        /// At most 65,536 messages or 8 MiB wait; then the new connection is not read until the old one is done, which gets
        /// five seconds for it. Copies of as many messages are known; beyond, a message may be delivered twice. The
        /// servers see two clients meanwhile, and so ``NATSClientConfiguration/noEcho`` does not keep back own messages from the other one.
        ///
        /// If no other server can be reached the client stays, and tries again until the old connection closes; then it
        /// reconnects as ever. If the new connection is lost meanwhile, it goes on with the old one.
        case migrate
    }

    /// Which server the next attempt goes to.
    public struct ServerChoice: Sendable, Hashable {
        /// The server, as ``NATSPoolServer/url`` names it.
        public var url: String
        /// Wait before the attempt.
        public var delay: Duration

        /// That server, at once unless said otherwise.
        public init(url: String, delay: Duration = .zero) {
            self.url = url
            self.delay = delay
        }
    }

    /// The servers to connect to, as `nats://[user[:password]@]host[:port]`, `host:port` or `host`; with `tls://` only
    /// secured connections are made to the server.
    ///
    /// With `ws://host[:port][/path]` and `wss://…` servers are spoken to by WebSocket, in clear and secured, at port 80 and
    /// 443 unless another is given; then all of the servers are. A server without scheme is of the kind of the first,
    /// and as secure.
    ///
    /// Security is for each server by itself: next to a `tls://` URL, one with `nats://` is still connected to in clear if
    /// its server allows it. ``TLS/isRequired`` is for all.
    ///
    /// One string may hold several, separated by commas. A user without password is a token. Userinfo in a URL wins over
    /// ``credentials``.
    public var servers: [String]
    /// Name of the connection, seen in the server's monitoring; nil for none.
    public var name: String?
    /// Credentials for servers whose URL has none.
    public var credentials = Credentials.none
    /// How connections are secured: with servers that require it, with those whose URL does, and with all of them if
    /// anything is set here.
    public var tls = TLS()
    /// How servers with `ws://` and `wss://` URLs are connected to.
    public var webSocket = WebSocket()
    /// Whether the servers, and the addresses of each one's host name, are tried in random order.
    public var randomizeServers = true
    /// Whether servers that the cluster announces are left out of the pool.
    public var ignoreDiscoveredServers = false

    /// Whether the client goes on when the same server refuses its credentials twice in a row.
    ///
    /// Without, that ends the client with the server's error.
    public var ignoreAuthErrorAbort = false
    /// Chooses the server of an attempt to connect again; nil takes them in turn.
    ///
    /// Gets the servers that have not been given up, with the failures of each, and what the last connected server said.
    /// Returning nil takes the one whose turn it is; so does a URL that is not among them, after an event with
    /// ``NATSError/Code/serverNotInPool``. The waits between two passes over the servers remain. Called on the event loop:
    /// must not block. Not asked where a client goes that leaves a server in lame duck mode (``LameDuck/migrate``).
    public var reconnectToServer: (@Sendable (_ servers: [NATSPoolServer], _ last: NATSServerInfo?) -> ServerChoice?)?

    /// Whether a lost connection is made again; without, the client closes when it is lost.
    public var allowReconnect = true
    /// Failed attempts in a row after which a server is given up; nil, or less than zero, for never.
    public var maxReconnects: Int?
    /// Wait after the first pass over the servers failed; it doubles with each further pass, and with each connection
    /// that is lost sooner than ``maxReconnectWait`` after it was made.
    ///
    /// At least 1 ms.
    public var reconnectWait: Duration = .milliseconds(50)
    /// Longest wait between two passes over the servers.
    public var maxReconnectWait: Duration = .seconds(2)
    /// A random part, up to this, is added to each wait.
    public var reconnectJitter: Duration = .milliseconds(100)
    /// The same in the place of ``reconnectJitter`` when connections are secured: handshakes cost a server more.
    public var secureReconnectJitter: Duration = .seconds(1)
    /// The wait after so many passes over the servers have failed, from 1 on; takes the place of ``reconnectWait``,
    /// ``maxReconnectWait`` and the jitter.
    ///
    /// At least 1 ms is waited. Called on the event loop: must not block.
    public var reconnectDelay: (@Sendable (_ failedPasses: Int) -> Duration)?
    /// Whether the first attempt after a loss waits as well, as that of the Go client does.
    package var waitsBeforeFirstReconnect = false
    /// What happens when the server announces that it is going to shut down.
    public var lameDuck = LameDuck.notify
    /// A random wait, below this, before the client leaves such a server.
    package var migrationDelay: Duration = .seconds(5)
    /// How long what the old connection brings is remembered before the new one gets the subscriptions.
    package var migrationLead: Duration = .milliseconds(250)
    /// How long both connections have all subscriptions.
    package var migrationOverlap: Duration = .milliseconds(250)
    /// How long copies may still come on the new connection when the old one is done.
    package var migrationLinger: Duration = .seconds(2)
    /// How long a server may take to answer before the other connection goes on without it.
    package var migrationAnswerLimit: Duration = .seconds(5)
    /// What a publish does while there is no connection.
    public var disconnectedPublish = DisconnectedPublish.buffer
    /// Bytes of publishes kept while disconnected; 0 keeps none.
    ///
    /// A message is taken while fewer bytes wait, and so the last one may go beyond.
    public var reconnectBufferSize = 8_388_608
    /// Whether ``NATSClient/connect(_:logger:)`` returns a client that goes on trying when the first pass failed.
    public var retryOnFailedConnect = false
    /// Time for opening a socket, and again for the handshake on it, in which credentials are made as well.
    public var connectTimeout: Duration = .seconds(2)

    /// Time between two PINGs to the server; zero or less for none.
    public var pingInterval: Duration = .seconds(120)
    /// The connection is stale when more PINGs than this are unanswered; with 0 after one interval, whatever was heard.
    public var maxPingsOut = 2
    /// The connection is stale when the server takes nothing of a write for this long, or up to half as long again; zero or
    /// less for never.
    public var writeTimeout: Duration = .seconds(60)

    /// Whether own messages are kept from own subscriptions.
    public var noEcho = false
    /// Whether the server confirms each operation with `+OK`.
    public var verbose = false
    /// Whether the server checks subjects more strictly.
    public var pedantic = false

    /// Start of the subjects on which replies arrive; no wildcards, no trailing dot.
    public var inboxPrefix = "_INBOX"
    /// Whether subjects of publishes are checked: no wildcards, no empty tokens.
    ///
    /// Without, white space and the empty subject are refused all the same, and reply subjects are checked as ever.
    public var validatesPublishSubjects = true
    /// Time that a request waits for its reply when it is given none.
    public var requestTimeout: Duration = .seconds(5)
    /// Time that ``NATSClient/drain(timeout:)`` may take when it is given none.
    public var drainTimeout: Duration = .seconds(30)
    /// ``NATSClient/publish(_:to:reply:headers:)`` waits while this many bytes are not written yet.
    public var publishHighWaterMark = 1_048_576
    /// So many bytes are written at once, without giving a stream of publishes time to gather more.
    public var writeBufferSize = 262_144
    /// Limits of subscriptions that are given none of their own.
    public var pendingLimits = PendingLimits()
    /// Gets each line of the protocol, sent and received, in the order of its connection; nil costs nothing.
    ///
    /// Called on the event loop: must not block for long.
    package var protocolTrace: (@Sendable (ProtocolTraceLine) -> Void)?
    /// Opens a connection; see ``dialer``.
    public typealias Dialer =
        @Sendable (_ host: String, _ port: Int, _ eventLoop: any EventLoop) async throws -> any Channel

    /// Opens connections in the place of TCP: to a socket file, within the process, by a tunnel of your own.
    ///
    /// Is called for every attempt to connect, with the server's host, which is not looked up, and port, and returns a
    /// channel on the given event loop that is connected and reads nothing yet (`ChannelOptions.autoRead` is false): the
    /// client reads when it listens, and closes the channel at the end. TLS comes on top where it is wanted.
    ///
    /// What the dialer throws fails the attempt with ``NATSError/Code/connectionFailed``, unless it is a ``NATSError``
    /// itself. It is given ``connectTimeout``, after which the attempt fails with ``NATSError/Code/timeout``; its task is
    /// cancelled then, as it is when the client closes, and a channel that it returns later is closed.
    public var dialer: Dialer?
    /// The proxy through which all servers are connected to; nil for none.
    ///
    /// ``connectTimeout`` is for reaching the proxy, and again for all that follows. TLS is made with the server, through the
    /// proxy. What goes wrong with the proxy fails the attempt with ``NATSError/Code/proxyFailed``. Not together with a
    /// ``dialer``.
    public var proxy: Proxy?
    /// Which addresses of a host name are tried, and which of them first.
    ///
    /// Those of a family are tried in random order if ``randomizeServers`` is set. One that has not answered after 250 ms is
    /// left to go on, while the next is tried. Names that a ``dialer`` or a ``proxy`` gets are not looked up at all.
    public var addressOrder = AddressOrder.any
    /// Where the connection lives; nil for NIO's shared group.
    public var eventLoopGroup: (any EventLoopGroup)?

    /// The defaults with the given servers.
    public init(servers: [String] = ["nats://127.0.0.1:4222"]) {
        self.servers = servers
    }
}
