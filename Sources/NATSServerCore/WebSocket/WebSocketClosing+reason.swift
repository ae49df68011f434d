import NATSWebSocket

extension WebSocketClosing {
    /// What the server says when it closes a connection (nats-server websocket.go wsEnqueueCloseMessage).
    init(_ reason: ClosedReason) {
        let status: UInt16 =
            switch reason {
            case .clientClosed: 1000
            case .authenticationTimeout, .authenticationFailure, .slowConsumerPendingBytes,
                .slowConsumerWriteDeadline, .maxAccountConnectionsExceeded, .maxConnectionsExceeded,
                .maxControlLineExceeded, .maxSubscriptionsExceeded, .authenticationExpired, .revocation:
                1008
            case .tlsHandshakeFailure: 1015
            case .parseError, .protocolViolation, .badClientProtocolVersion: 1002
            case .maxPayloadExceeded: 1009
            case .writeError, .readError, .staleConnection, .serverShutdown: 1001
            default: 1011
            }
        self.init(status: status, text: reason.rawValue)
    }
}
