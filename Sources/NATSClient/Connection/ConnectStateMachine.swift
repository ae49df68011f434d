import NATSWire

/// Decides what a new connection does next, from the first byte to the `PONG` that makes it usable.
///
/// Performs no I/O, reads no clock, takes no lock.
struct ConnectStateMachine {
    enum InfoAction: Equatable {
        case sendConnectAndPing(ServerInfo)
        /// A later `INFO`: topology, lame duck mode, new limits.
        case update(ServerInfo)
        case fail(NATSErrorDescription)
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
        case awaitingPong(ServerInfo)
        case ready
        case closed
    }

    private var state: State = .awaitingInfo
    private let wantsNoEcho: Bool

    init(wantsNoEcho: Bool) {
        self.wantsNoEcho = wantsNoEcho
    }

    var isReady: Bool {
        switch self.state {
        case .ready:
            true
        case .awaitingInfo, .awaitingPong, .closed:
            false
        }
    }

    var isAwaitingInfo: Bool {
        switch self.state {
        case .awaitingInfo:
            true
        case .awaitingPong, .ready, .closed:
            false
        }
    }

    /// The server sent an `INFO` line.
    mutating func receivedInfo(_ info: ServerInfo) -> InfoAction {
        switch self.state {
        case .awaitingInfo:
            if info.tlsRequired {
                self.state = .closed
                return .fail(
                    .init(
                        code: .secureConnectionRequired,
                        message: "the server requires TLS, which is not supported yet"
                    )
                )
            }
            if self.wantsNoEcho, info.proto < 1 {
                self.state = .closed
                return .fail(.init(code: .noEchoNotSupported, message: "the server cannot keep own messages back"))
            }
            self.state = .awaitingPong(info)
            return .sendConnectAndPing(info)
        case .awaitingPong:
            // nats-server 2.12 sends a second INFO behind the PONG; one that overtakes it changes nothing yet.
            return .ignore
        case .ready:
            return .update(info)
        case .closed:
            return .ignore
        }
    }

    /// The server sent `PONG`.
    mutating func receivedPong() -> PongAction {
        switch self.state {
        case .awaitingInfo:
            self.state = .closed
            return .fail(Self.noInfo)
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
        case .awaitingInfo:
            self.state = .closed
            return false
        case .awaitingPong, .ready, .closed:
            return true
        }
    }

    /// The server sent `-ERR`.
    ///
    /// Servers that are full send it before they have read CONNECT.
    mutating func receivedError() -> ErrorAction {
        switch self.state {
        case .awaitingInfo, .awaitingPong:
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
        case .awaitingInfo, .awaitingPong:
            self.state = .closed
            return true
        case .ready, .closed:
            self.state = .closed
            return false
        }
    }

    static let noInfo = NATSErrorDescription(code: .noInfoReceived, message: "the server did not begin with INFO")
}
