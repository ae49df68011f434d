import Logging
import NATSText
import NATSWire
import NIOCore
import NIOSSL

/// What is different for a client that came by WebSocket.
extension ClientConnection {
    /// INFO as this connection is to see it (nats-server client.go generateClientInfoJSON).
    func makeInfo() -> ServerInfo {
        var info = self.shared.makeInfo(clientID: self.id, clientIP: self.context?.remoteAddress?.ipAddress ?? "")
        // nats-server server.go createClientEx, client.go processPing: within a process nobody has to use TLS.
        if self.isInProcess, info.tlsRequired, !self.negotiation.isHandshakeFirst {
            info.tlsRequired = false
            info.tlsAvailable = true
        }
        guard let service = self.webSocket?.service else {
            info.webSocketConnectURLs = []
            return info
        }
        info.host = service.options.host
        info.port = service.port
        info.authRequired = self.session.requiresCredentials
        info.tlsRequired = self.security != nil
        info.tlsAvailable = self.security != nil
        info.connectURLs = info.webSocketConnectURLs
        info.webSocketConnectURLs = []
        return info
    }

    /// Looks at what the TLS handshake, which is over, has brought.
    ///
    /// - Returns: `false` if the client's key is none of those that are wanted.
    func takeOverSecurity() -> Bool {
        guard let security = self.security else { return true }
        security.rules.wasUsed()
        if let der = try? security.handler.peerCertificate?.toDERBytes() {
            self.security?.certificate = try? ClientCertificate(der: der)
        }
        return self.isPinned(by: security.rules.options.pinnedCerts)
    }

    /// The client breaks the rules of WebSocket: it is cut off (nats-server client.go readLoop).
    func webSocketFailed(_ text: String) {
        guard self.phase == .open else { return }
        self.logInputError(text)
        self.close(.readError)
    }

    /// What a small write costs beside its bytes.
    private static let controlOverhead = 256

    /// Writes frames that are no data; they wait for the client like everything else, and count.
    func writeControl(_ frames: ByteBuffer) {
        guard self.phase == .open, let webSocket = self.webSocket, let context = self.context else { return }
        let bytes = frames.readableBytes + Self.controlOverhead
        let pending = self.backlog.change(by: bytes)
        if pending > self.backlog.maximum, self.outstandingWrites > 0 {
            self.logger.notice("\(self.label) - Slow Consumer Detected: MaxPending of \(self.backlog.maximum) Exceeded")
            self.loop.totals.slowConsumers += 1
            self.router.totals.slowConsumers += 1
            self.close(.slowConsumerPendingBytes)
            return
        }
        self.writeGathered(context)
        if self.outstandingWrites == 0 { self.lastProgress = .now() }
        self.outstandingWrites += 1
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { result in
            self.written([], bytes, succeeded: (try? result.get()) != nil)
        }
        webSocket.writeFrames(frames, promise: promise)
        if self.outstandingWrites > 0 { self.loop.watch(self) }
    }
}

extension WebSocketHandler {
    /// What stands before the socket's address in the log: the client's own, if a proxy tells it.
    var addressPrefix: String {
        let address = self.agreement.forwardedAddress
        guard !address.isEmpty else { return "" }
        return address.contains(":") ? "[\(address)]/" : "\(address)/"
    }

    func pingInterval(_ settings: LoopSettings) -> TimeAmount {
        self.service.options.pingInterval.flatMap { $0 > .zero ? TimeAmount($0) : nil } ?? settings.pingInterval
    }
}

extension Optional where Wrapped == WebSocketHandler {
    /// The rules for credentials that hold here.
    func authenticator(_ server: Authenticator) -> Authenticator {
        self?.service.authenticator(server) ?? server
    }
}

extension ClosedReason {
    /// What the same is called on a WebSocket connection, where protocol errors show as errors of the reader: no word of
    /// them reaches the client (nats-server client.go readLoop).
    var ofWebSocket: ClosedReason { self == .protocolViolation ? .readError : self }
}

extension ConnectPayload {
    /// Takes from cookies what CONNECT does not say (nats-server client.go processConnect).
    mutating func complete(with cookies: WebSocketCookies) {
        if self.jwt.isEmpty { self.jwt = cookies.jwt }
        if self.user.isEmpty { self.user = cookies.user }
        if self.password.isEmpty { self.password = cookies.password }
        if self.authToken.isEmpty { self.authToken = cookies.token }
    }
}
