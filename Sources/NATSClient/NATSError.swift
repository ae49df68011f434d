/// An error from ``NATSClient``.
///
/// Compare ``code``; the rest is for people.
public struct NATSError: Error, CustomStringConvertible {
    /// What kind of error it is.
    ///
    /// New codes may appear in any release.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The name of the code, for example `timeout`.
        public let description: String

        private init(_ description: String) {
            self.description = description
        }

        /// The client was closed, or gave up reconnecting.
        public static let connectionClosed = Code("connectionClosed")
        /// The client is draining and takes no new work of this kind.
        public static let connectionDraining = Code("connectionDraining")
        /// The operation is not possible while the client reconnects.
        public static let connectionReconnecting = Code("connectionReconnecting")
        /// The connection to the server was lost, or is not there now.
        public static let disconnected = Code("disconnected")
        /// The socket could not be opened, or failed; ``NATSError/cause`` says why.
        public static let connectionFailed = Code("connectionFailed")
        /// The proxy could not be reached, refused to connect to the server, or is none; ``NATSError/message`` names it and
        /// says what it did.
        public static let proxyFailed = Code("proxyFailed")
        /// The server did not become a WebSocket connection: it refused the request, or answered something else;
        /// ``NATSError/message`` says what.
        public static let webSocketFailed = Code("webSocketFailed")
        /// Some servers of the pool have WebSocket URLs, and some have others.
        public static let mixedWebSocketSchemes = Code("mixedWebSocketSchemes")
        /// The server that ``NATSClientConfiguration/reconnectToServer`` chose is not in the pool.
        public static let serverNotInPool = Code("serverNotInPool")
        /// No server of the pool could be reached.
        public static let noServers = Code("noServers")
        /// The time given for the operation passed.
        public static let timeout = Code("timeout")
        /// Draining took longer than its time limit.
        public static let drainTimeout = Code("drainTimeout")
        /// The server, or the client, found that the other side no longer answers PING.
        public static let staleConnection = Code("staleConnection")
        /// The server, or its URL, requires TLS.
        public static let secureConnectionRequired = Code("secureConnectionRequired")
        /// TLS is wanted, and the server does not offer it.
        public static let secureConnectionWanted = Code("secureConnectionWanted")
        /// The TLS handshake failed, or what the configuration has for it cannot be used; ``NATSError/cause`` says why.
        public static let tls = Code("tls")
        /// The first thing a server sent was not `INFO`.
        public static let noInfoReceived = Code("noInfoReceived")
        /// The server refused the credentials.
        public static let authorization = Code("authorization")
        /// The user's credentials expired.
        public static let authExpired = Code("authExpired")
        /// The user's credentials were revoked.
        public static let authRevoked = Code("authRevoked")
        /// The account's credentials expired.
        public static let accountAuthExpired = Code("accountAuthExpired")
        /// The configuration's credentials cannot be used: a malformed key, a file that cannot be read, a function that threw.
        public static let badCredentials = Code("badCredentials")
        /// The server asks for no signature, and so an nkey is no proof for it.
        public static let nkeysNotSupported = Code("nkeysNotSupported")
        /// The server did not get credentials in time.
        public static let authenticationTimeout = Code("authenticationTimeout")
        /// The server is too old for ``NATSClientConfiguration/noEcho``.
        public static let noEchoNotSupported = Code("noEchoNotSupported")
        /// The server does not support headers.
        public static let headersNotSupported = Code("headersNotSupported")
        /// The server's permissions forbid the publish or subscription; see ``NATSError/permission``.
        public static let permissionViolation = Code("permissionViolation")
        /// Headers plus payload are larger than the server allows.
        public static let maximumPayloadExceeded = Code("maximumPayloadExceeded")
        /// The server has no room for another connection.
        public static let maximumConnectionsExceeded = Code("maximumConnectionsExceeded")
        /// The account has no room for another connection.
        public static let maximumAccountConnectionsExceeded = Code("maximumAccountConnectionsExceeded")
        /// The server allows no further subscription on this connection.
        public static let maximumSubscriptionsExceeded = Code("maximumSubscriptionsExceeded")
        /// The buffer for publishes while disconnected is full.
        public static let reconnectBufferExceeded = Code("reconnectBufferExceeded")
        /// More than ``NATSClientConfiguration/publishHighWaterMark`` waits to be written.
        public static let publishBufferFull = Code("publishBufferFull")
        /// A subscription lost messages because its pending limits were reached.
        public static let slowConsumer = Code("slowConsumer")
        /// A subject is empty, contains white space, or has empty or wildcard tokens where they are not allowed.
        public static let badSubject = Code("badSubject")
        /// A queue group name is empty or contains white space.
        public static let badQueue = Code("badQueue")
        /// A header name or value cannot be sent, or a received header block cannot be read.
        public static let badHeader = Code("badHeader")
        /// Nobody was subscribed to the request's subject (status 503).
        public static let noResponders = Code("noResponders")
        /// The message has no reply subject to respond to.
        public static let noReply = Code("noReply")
        /// A configuration value, such as a server URL, cannot be used.
        public static let invalidConfiguration = Code("invalidConfiguration")
        /// The server sent bytes that are not the NATS protocol.
        public static let protocolViolation = Code("protocolViolation")
        /// The server reported an error that has no code of its own; the text is in ``NATSError/message``.
        public static let server = Code("server")
        /// The task that waited was cancelled.
        public static let cancelled = Code("cancelled")
    }

    /// What the server's permissions forbade.
    public struct Permission: Sendable, Hashable {
        /// The two kinds of operation that permissions govern.
        public enum Operation: Sendable, Hashable {
            /// Publishing to a subject, or with a reply subject.
            case publish
            /// Subscribing to a subject.
            case subscribe
        }

        /// What was forbidden.
        public let operation: Operation
        /// The subject as the server names it.
        public let subject: String
        /// The queue group, for a subscription that has one.
        public let queueGroup: String?
        /// The subscription's identifier, when the server names it.
        let sid: UInt64?
    }

    // One reference, so that the error path costs callers of the hot functions nothing.
    private final class Storage: Sendable {
        let code: Code
        let message: String
        let cause: (any Error)?
        let permission: Permission?

        init(code: Code, message: String, cause: (any Error)?, permission: Permission?) {
            self.code = code
            self.message = message
            self.cause = cause
            self.permission = permission
        }
    }

    private let storage: Storage

    /// What kind of error it is.
    public var code: Code {
        self.storage.code
    }

    /// A text for people that names the subject or server; it never contains credentials.
    public var message: String {
        self.storage.message
    }

    /// The error underneath, if there is one.
    public var cause: (any Error)? {
        self.storage.cause
    }

    /// What was forbidden, for ``Code/permissionViolation``.
    public var permission: Permission? {
        self.storage.permission
    }

    /// Makes an error.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.init(code, message, cause: cause, permission: nil)
    }

    init(_ code: Code, _ message: String, cause: (any Error)? = nil, permission: Permission?) {
        self.storage = Storage(code: code, message: message, cause: cause, permission: permission)
    }

    /// The code, the message and the cause in one line.
    public var description: String {
        guard let cause = self.cause else {
            return "\(self.code): \(self.message)"
        }
        return "\(self.code): \(self.message) (\(cause))"
    }
}
