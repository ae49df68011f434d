import NIOConcurrencyHelpers
import NIOCore

/// What a server needs for its WebSocket clients; there is one if the server has a `websocket` block.
final class WebSocketService: Sendable {
    private struct State {
        var port = 0
        var tls: TLSContext?
        var listener: (any Channel)?
    }

    /// Time for a request if the configuration names none.
    private static let requestTime = Duration.seconds(60)

    let options: WebSocketOptions
    let origins: WebSocketOrigins
    private let state = NIOLockedValueBox(State())

    init(_ options: WebSocketOptions) {
        self.options = options
        self.origins = WebSocketOrigins(options)
    }

    /// The port that is listened on; 0 before that.
    var port: Int { self.state.withLockedValue { $0.port } }

    /// What new connections are secured with; `nil` without TLS.
    var tls: TLSContext? { self.state.withLockedValue { $0.tls } }

    func use(_ tls: TLSContext?) { self.state.withLockedValue { $0.tls = tls } }

    func started(_ listener: any Channel) {
        self.state.withLockedValue { state in
            state.listener = listener
            state.port = listener.localAddress?.port ?? 0
        }
    }

    var listener: (any Channel)? { self.state.withLockedValue { $0.listener } }

    /// Takes no new connections any more.
    func stopListening() async {
        let listener = self.state.withLockedValue { $0.listener.take() }
        try? await listener?.close()
    }

    /// Time from accept, or from an answer, to the end of a request.
    var requestTime: TimeAmount {
        TimeAmount(self.options.handshakeTimeout > .zero ? self.options.handshakeTimeout : Self.requestTime)
    }

    /// The server's rules for credentials, with what is different for these clients.
    func authenticator(_ server: Authenticator) -> Authenticator {
        let own = self.options.authorization
        var authenticator = server
        if self.options.overridesAuthorization {
            authenticator = authenticator.replacing(
                username: own.username ?? "",
                password: own.password ?? "",
                token: own.token ?? "",
                noAuthUser: self.options.noAuthUser ?? ""
            )
        }
        if let timeout = own.timeout, timeout > .zero { authenticator = authenticator.replacing(timeout: timeout) }
        return authenticator
    }
}
