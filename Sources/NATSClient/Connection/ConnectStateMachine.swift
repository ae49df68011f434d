import NATSWire

/// Decides what a new connection does next, from the first byte to the `PONG` that makes it usable.
///
/// Performs no I/O, reads no clock, takes no lock.
struct ConnectStateMachine {
    enum InfoAction: Equatable {
        /// Begin the TLS handshake, and tell of its end with ``secured()``.
        case startTLS
        /// Find the credentials, say that they are there with ``introduced()``, then send CONNECT and PING.
        case sendConnectAndPing(ServerInfo)
        /// A later `INFO`: topology, lame duck mode, new limits.
        case update(ServerInfo)
        case fail(NATSErrorDescription)
        case ignore
    }

    enum SecuredAction: Equatable {
        /// As ``InfoAction/sendConnectAndPing(_:)``.
        case sendConnectAndPing(ServerInfo)
        /// The server's INFO comes next.
        case awaitInfo
        case ignore
    }

    enum PongAction: Equatable {
        /// The handshake is complete.
        case ready(ServerInfo)
        /// The answer to a later PING.
        case answer
        case fail(NATSErrorDescription)
        case ignore
    }

    enum ErrorAction: Equatable {
        /// The server refuses the connection.
        case fail
        /// The connection is in use; the text concerns an operation.
        case report
        case ignore
    }

    /// An error to be made outside.
    struct NATSErrorDescription: Equatable {
        var code: NATSError.Code
        var message: String
    }

    private enum State {
        case awaitingInfo
        /// The TLS handshake goes on; the INFO that came before it, if it was not first.
        case securing(ServerInfo?)
        case introducing(ServerInfo)
        case awaitingPong(ServerInfo)
        case ready
        case closed
    }

    private var state: State = .awaitingInfo
    private let wantsNoEcho: Bool
    private let wantsTLS: Bool
    /// TLS, if there is any, is made before the first INFO, whatever that says.
    private let isWebSocket: Bool
    /// The TLS handshake is complete.
    private(set) var isSecure = false

    /// `handshakeFirst`: TLS comes before INFO, as it always does with WebSocket.
    init(wantsNoEcho: Bool, wantsTLS: Bool = false, handshakeFirst: Bool = false, isWebSocket: Bool = false) {
        self.wantsNoEcho = wantsNoEcho
        self.isWebSocket = isWebSocket
        self.wantsTLS = wantsTLS
        if handshakeFirst || isWebSocket && wantsTLS {
            self.state = .securing(nil)
        }
    }

    /// What arrives now has been sent in clear by somebody who should be silent.
    var isSecuring: Bool {
        switch self.state {
        case .securing:
            true
        case .awaitingInfo, .introducing, .awaitingPong, .ready, .closed:
            false
        }
    }

    var isReady: Bool {
        switch self.state {
        case .ready:
            true
        case .awaitingInfo, .securing, .introducing, .awaitingPong, .closed:
            false
        }
    }

    var isAwaitingInfo: Bool {
        switch self.state {
        case .awaitingInfo:
            true
        case .securing, .introducing, .awaitingPong, .ready, .closed:
            false
        }
    }

    /// The server sent an `INFO` line.
    mutating func receivedInfo(_ info: ServerInfo) -> InfoAction {
        switch self.state {
        case .awaitingInfo:
            if self.wantsNoEcho, info.proto < 1 {
                self.state = .closed
                return .fail(.init(code: .noEchoNotSupported, message: "the server cannot keep own messages back"))
            }
            // nats.go checkForSecure: a server that requires TLS gets it, wanted or not.
            if self.wantsTLS || info.tlsRequired, !self.isSecure, !self.isWebSocket {
                guard info.tlsRequired || info.tlsAvailable else {
                    self.state = .closed
                    return .fail(.init(code: .secureConnectionWanted, message: "the server does not offer TLS"))
                }
                self.state = .securing(info)
                return .startTLS
            }
            self.state = .introducing(info)
            return .sendConnectAndPing(info)
        case .securing:
            self.state = .closed
            return .fail(Self.clearText)
        case .introducing, .awaitingPong:
            // nats-server 2.12 sends a second INFO behind the PONG; one that overtakes it changes nothing yet.
            return .ignore
        case .ready:
            return .update(info)
        case .closed:
            return .ignore
        }
    }

    /// The TLS handshake is complete.
    mutating func secured() -> SecuredAction {
        switch self.state {
        case .securing(let info):
            self.isSecure = true
            guard var info else {
                self.state = .awaitingInfo
                return .awaitInfo
            }
            // Anybody may have named these servers. The INFO behind the PONG names them again, inside TLS; servers before
            // 2.12 that send none do so when the cluster changes.
            info.connectURLs = []
            self.state = .introducing(info)
            return .sendConnectAndPing(info)
        case .awaitingInfo, .introducing, .awaitingPong, .ready, .closed:
            return .ignore
        }
    }

    /// CONNECT and PING can be sent; false if there is nobody any more to send them to.
    mutating func introduced() -> Bool {
        switch self.state {
        case .introducing(let info):
            self.state = .awaitingPong(info)
            return true
        case .awaitingInfo, .securing, .awaitingPong, .ready, .closed:
            return false
        }
    }

    /// The server sent `PONG`.
    mutating func receivedPong() -> PongAction {
        switch self.state {
        case .awaitingInfo:
            self.state = .closed
            return .fail(Self.noInfo)
        case .securing:
            self.state = .closed
            return .fail(Self.clearText)
        case .introducing:
            self.state = .closed
            return .fail(.init(code: .protocolViolation, message: "the server answered before it was asked"))
        case .awaitingPong(let info):
            self.state = .ready
            return .ready(info)
        case .ready:
            return .answer
        case .closed:
            return .ignore
        }
    }

    /// The server sent `PING`, `+OK` or a message; false if it may not at this point.
    mutating func receivedOther() -> Bool {
        switch self.state {
        case .awaitingInfo, .securing:
            self.state = .closed
            return false
        case .introducing, .awaitingPong, .ready, .closed:
            return true
        }
    }

    /// The server sent `-ERR`.
    ///
    /// Servers that are full send it before they have read CONNECT.
    mutating func receivedError() -> ErrorAction {
        switch self.state {
        case .awaitingInfo, .securing, .introducing, .awaitingPong:
            self.state = .closed
            return .fail
        case .ready:
            return .report
        case .closed:
            return .ignore
        }
    }

    /// The connection is gone; true if that ends a handshake.
    mutating func closed() -> Bool {
        switch self.state {
        case .awaitingInfo, .securing, .introducing, .awaitingPong:
            self.state = .closed
            return true
        case .ready, .closed:
            self.state = .closed
            return false
        }
    }

    /// Bytes that come before TLS could be anybody's, and must not be taken for the server's.
    static let clearText = NATSErrorDescription(
        code: .protocolViolation,
        message: "something was sent in clear between INFO and the TLS handshake"
    )
    static let noInfo = NATSErrorDescription(code: .noInfoReceived, message: "the server did not begin with INFO")
}
