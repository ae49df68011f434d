/// Why a connection ended, in the official server's words.
enum ClosedReason: String, Sendable {
    case clientClosed = "Client Closed"
    case authenticationTimeout = "Authentication Timeout"
    case authenticationFailure = "Authentication Failure"
    case tlsHandshakeFailure = "TLS Handshake Failure"
    case slowConsumerPendingBytes = "Slow Consumer (Pending Bytes)"
    case slowConsumerWriteDeadline = "Slow Consumer (Write Deadline)"
    case writeError = "Write Error"
    case readError = "Read Error"
    case parseError = "Parse Error"
    case staleConnection = "Stale Connection"
    case protocolViolation = "Protocol Violation"
    case badClientProtocolVersion = "Bad Client Protocol Version"
    case maxConnectionsExceeded = "Maximum Connections Exceeded"
    case maxAccountConnectionsExceeded = "Maximum Account Connections Exceeded"
    case maxSubscriptionsExceeded = "Maximum Subscriptions Exceeded"
    case maxPayloadExceeded = "Maximum Message Payload Exceeded"
    case maxControlLineExceeded = "Maximum Control Line Exceeded"
    case serverShutdown = "Server Shutdown"
    case authenticationExpired = "Authentication Expired"
    case revocation = "Credentials Revoked"
    case proxyRequired = "Proxy Required"
    case kicked = "Kicked"
    case noRespondersRequiresHeaders = "No Responders Requires Headers"
    case incorrectPort = "Incorrect Port"
    case wrongGateway = "Wrong Gateway"
    case duplicateRoute = "Duplicate Route"
    case duplicateServerName = "Duplicate Server Name"
    case clusterNameConflict = "Cluster Name Conflict"
    case routeRemoved = "Route Removed"
    case clusterNamesIdentical = "Cluster Names Identical"
    case missingAccount = "Missing Account"
    case duplicateRemoteLeafNode = "Duplicate Remote LeafNode Connection"

    /// Whether what is still queued is sent before the socket is closed (nats-server client.go markConnAsClosed).
    var flushesFirst: Bool {
        switch self {
        case .readError, .writeError, .slowConsumerPendingBytes, .slowConsumerWriteDeadline, .tlsHandshakeFailure: false
        default: true
        }
    }
}
