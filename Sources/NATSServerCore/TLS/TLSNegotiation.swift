/// How a connection comes to be secured, or to be left in clear text; decides, and does nothing itself.
///
/// nats-server server.go createClientEx. Whatever the state, bytes that arrive before ``isSettled`` never reach the parser:
/// they are the beginning of a handshake, or are looked at by ``received(_:)`` first.
struct TLSNegotiation: Equatable, Sendable {
    enum Action: Equatable, Sendable {
        /// Sends INFO in clear text and goes on with the connection as it is.
        case sendInfoInClear
        /// Sends INFO in clear text; ``infoSent()`` says what follows.
        case sendInfoThenNegotiate
        /// Waits for the client's first bytes, for a time.
        case waitForBytes(Duration)
        /// Puts TLS between socket and connection.
        case startHandshake
        /// Everything as without TLS; the bytes are protocol.
        case continueInClear
        case none
    }

    enum CompletionAction: Equatable, Sendable {
        /// INFO is still to be sent, inside TLS.
        case sendInfo
        case none
    }

    private enum State: Equatable {
        case idle
        /// Either a handshake begins before the time has passed, or INFO is sent in clear text.
        case awaitingHandshakeFirst
        /// INFO has been sent; the first byte tells whether the client wants TLS.
        case sniffing
        case handshaking
        case settled
    }

    private var state = State.idle
    /// `nil` if the server has no TLS.
    private let rules: Rules?
    /// The client got no INFO before the handshake (`tls_first` of `/connz`).
    private(set) var isHandshakeFirst = false
    private(set) var isSecured = false

    struct Rules: Equatable, Sendable {
        var handshakeFirst: TLSOptions.HandshakeFirst
        var allowNonTLS: Bool
        var timeout: Duration
    }

    init(rules: Rules?) { self.rules = rules }

    /// `isInProcess`: a client of the same process chooses for itself (nats-server server.go createClientEx).
    init(_ options: TLSOptions?, isInProcess: Bool = false) {
        self.init(
            rules: options.map { options in
                var rules = Rules(
                    handshakeFirst: options.handshakeFirst,
                    allowNonTLS: options.allowNonTLS || isInProcess,
                    timeout: options.timeout
                )
                if isInProcess, rules.handshakeFirst == .on {
                    rules.handshakeFirst = .fallback(after: .milliseconds(50))
                }
                return rules
            }
        )
    }

    /// There is nothing left to do here.
    init(isSecured: Bool) {
        self.init(rules: nil)
        self.isSecured = isSecured
    }

    /// Protocol may be read and written.
    var isSettled: Bool { self.state == .settled }

    /// The client connected.
    mutating func connected() -> Action {
        guard let rules = self.rules else {
            self.state = .settled
            return .sendInfoInClear
        }
        switch rules.handshakeFirst {
        case .off:
            return .sendInfoThenNegotiate
        case .on:
            self.isHandshakeFirst = true
            self.state = .handshaking
            return .startHandshake
        case .fallback(let delay):
            self.isHandshakeFirst = true
            self.state = .awaitingHandshakeFirst
            return .waitForBytes(delay)
        }
    }

    /// INFO has been written in clear text.
    mutating func infoSent() -> Action {
        guard let rules = self.rules, self.state == .idle || self.state == .awaitingHandshakeFirst else { return .none }
        self.isHandshakeFirst = false
        guard rules.allowNonTLS else {
            self.state = .handshaking
            return .startHandshake
        }
        self.state = .sniffing
        return .waitForBytes(rules.timeout)
    }

    /// Bytes arrived while nothing is settled.
    mutating func received(_ first: UInt8) -> Action {
        switch self.state {
        case .awaitingHandshakeFirst:
            // Whatever it is: without INFO only a handshake can come (an error tells what it is, if not).
            self.state = .handshaking
            return .startHandshake
        case .sniffing:
            guard first == 0x16 else {
                self.state = .settled
                return .continueInClear
            }
            self.state = .handshaking
            return .startHandshake
        case .idle, .handshaking, .settled:
            return .none
        }
    }

    /// The time of ``Action/waitForBytes(_:)`` has passed.
    mutating func waitedForBytes() -> Action {
        switch self.state {
        case .awaitingHandshakeFirst:
            // nats-server server.go createClientEx: INFO says then what it says to everybody else.
            self.isHandshakeFirst = false
            return .sendInfoThenNegotiate
        case .sniffing:
            self.state = .settled
            return .continueInClear
        case .idle, .handshaking, .settled:
            return .none
        }
    }

    /// Whether a handshake is under way, whose time is limited.
    var isHandshaking: Bool { self.state == .handshaking }

    /// The handshake is over.
    mutating func handshakeCompleted() -> CompletionAction {
        guard self.state == .handshaking else { return .none }
        self.state = .settled
        self.isSecured = true
        return self.isHandshakeFirst ? .sendInfo : .none
    }
}
