import Logging
import NATSText
import NATSWire
import NIOCore
import NIOSSL

/// What a connection with TLS has beside the others.
struct ConnectionSecurity {
    let rules: TLSContext
    let handler: NIOSSLServerHandler
    let observer: TLSHandshakeObserver
    /// The client's, once it has been verified.
    var certificate: ClientCertificate?

    /// `1.3`; empty while unknown.
    var version: String { self.observer.hello.map { TLSNames.version($0.version) } ?? "" }
    /// Go's name; empty while unknown.
    var cipherSuite: String { self.observer.hello.map { TLSNames.cipherSuite($0.cipherSuite) } ?? "" }
}

/// From accept to the point where protocol may be spoken.
extension ClientConnection {
    /// Does what ``TLSNegotiation`` has decided.
    func negotiate(_ action: TLSNegotiation.Action) {
        guard self.phase == .open, let context = self.context else { return }
        switch action {
        case .sendInfoInClear, .continueInClear:
            self.negotiationDeadline = nil
            self.begin()
        case .sendInfoThenNegotiate:
            // At once: a handshake may be the next thing that is written.
            context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: self.firstInfo())), promise: nil)
            self.negotiate(self.negotiation.infoSent())
        case .waitForBytes(let time):
            self.setNegotiationTimer(.now() + TimeAmount(time))
            context.read()
        case .startHandshake:
            self.startHandshake(context)
        case .none:
            break
        }
    }

    private func setNegotiationTimer(_ deadline: NIODeadline) {
        self.negotiationDeadline = deadline
        self.loop.setTimer(.negotiation, for: self.id, at: deadline)
    }

    /// The first INFO of this connection.
    func firstInfo() -> [UInt8] {
        var info = self.makeInfo()
        // nats-server websocket.go createWSClient: even where clients without credentials are somebody.
        if self.webSocket == nil { info.authRequired = self.session.isAnnounced }
        info.nonce = self.session.nonce
        // nats-server server.go createClientEx: even if others need no TLS.
        if self.negotiation.isHandshakeFirst { info.tlsRequired = true }
        return info.encode()
    }

    /// Bytes came before it is settled what they are.
    func receivedWhileNegotiating(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        guard let first = bytes.readableBytesView.first else { return }
        let action = self.negotiation.received(first)
        self.negotiate(action)
        guard self.phase == .open else { return }
        switch action {
        case .startHandshake:
            // They come by a second time, decrypted.
            context.pipeline.syncOperations.fireChannelRead(NIOAny(bytes))
        case .continueInClear:
            bytes.withUnsafeReadableBytes { self.received($0) }
        case .sendInfoInClear, .sendInfoThenNegotiate, .waitForBytes, .none:
            break
        }
    }

    // MARK: Handshake

    private func startHandshake(_ context: ChannelHandlerContext) {
        guard let rules = self.tlsRules else {
            self.close(.tlsHandshakeFailure)
            return
        }
        guard self.shared.mayStartHandshake() else {
            self.fail("Connection throttling is active. Please try again later.", .maxConnectionsExceeded)
            return
        }
        self.logger.debug("\(self.label) - Starting TLS client connection handshake")
        let handler = rules.makeClientHandler()
        let observer = TLSHandshakeObserver()
        self.security = ConnectionSecurity(rules: rules, handler: handler, observer: observer)
        do {
            try context.pipeline.syncOperations.addHandlers([observer, handler], position: .before(self))
        } catch {
            self.handshakeFailed(TLSHandshakeFailure(error))
            return
        }
        guard self.phase == .open else { return }
        self.setNegotiationTimer(.now() + TimeAmount(rules.options.timeout))
        context.read()
    }

    /// The time for the handshake, or for the bytes that tell whether there will be one, has passed.
    func negotiationTimedOut(_ deadline: NIODeadline) {
        guard self.negotiationDeadline == deadline else { return }
        self.negotiationDeadline = nil
        guard self.negotiation.isHandshaking else {
            self.negotiate(self.negotiation.waitedForBytes())
            return
        }
        let local = self.context?.localAddress.map(Self.describe) ?? ""
        self.handshakeFailed(.timeout(local: local, remote: self.address))
        self.logger.debug("\(self.label) - TLS handshake timeout")
    }

    func handshakeFailed(_ failure: TLSHandshakeFailure) {
        guard self.phase == .open else { return }
        let text = failure.isVerification ? failure.text + self.refusedCertificate() : failure.text
        let line = "\(self.label) - TLS handshake error: \(text)"
        if failure.isProbe { self.logger.debug("\(line)") } else { self.logger.error("\(line)") }
        self.close(.tlsHandshakeFailure)
    }

    /// Why a certificate was not good enough, as far as it can be told, and which one it is.
    private func refusedCertificate() -> String {
        guard let peer = self.security?.handler.peerCertificate, let der = try? peer.toDERBytes(),
            let certificate = try? ClientCertificate(der: der)
        else { return "" }
        let now = WallClock.secondsSince1970()
        let isInTime = (Int(peer.notValidBefore)...max(Int(peer.notValidBefore), Int(peer.notValidAfter))).contains(now)
        let cause =
            isInTime ? "certificate signed by unknown authority" : "certificate has expired or is not yet valid"
        let subject = GoString.harmless(Array(certificate.subject.goDescription.utf8))
        return ": x509: \(cause) (\(subject) SHA-256: \(certificate.digest))"
    }

    func handshakeCompleted() {
        guard self.phase == .open, let security = self.security else { return }
        security.rules.wasUsed()
        let completion = self.negotiation.handshakeCompleted()
        self.negotiationDeadline = nil
        if let der = try? security.handler.peerCertificate?.toDERBytes() {
            self.security?.certificate = try? ClientCertificate(der: der)
        }
        guard self.isPinned(by: security.rules.options.pinnedCerts) else {
            self.handshakeFailed(.certificateNotPinned)
            return
        }
        if case .sendInfo = completion { self.outlet.append(self.firstInfo()) }
        self.begin()
        self.logger.debug("\(self.label) - TLS handshake complete")
        self.logger.debug(
            "\(self.label) - TLS version \(security.version), cipher suite \(security.cipherSuite)"
        )
    }

    /// Whether the client's key is one of those that are wanted (nats-server client.go matchesPinnedCert).
    func isPinned(by pins: Set<String>) -> Bool {
        guard !pins.isEmpty else { return true }
        guard let certificate = self.security?.certificate else {
            self.logger.debug("\(self.label) - Failed pinned cert test as client did not provide a certificate")
            return false
        }
        guard pins.contains(certificate.publicKeyDigest) else {
            self.logger.debug("\(self.label) - Failed pinned cert test for key id: \(certificate.publicKeyDigest)")
            return false
        }
        return true
    }

    /// The pinned certificates have changed (nats-server reload.go recheckPinnedCerts).
    func recheckPinnedCertificate(_ pins: Set<String>) {
        guard self.phase == .open, self.webSocket == nil, self.negotiation.isSettled, !self.isPinned(by: pins) else {
            return
        }
        self.close(.tlsHandshakeFailure)
    }

    // MARK: Errors

    /// Handles an error that concerns TLS.
    ///
    /// - Returns: `false` if it is one of the socket's.
    func securityFailed(_ error: any Error) -> Bool {
        guard self.security != nil else { return false }
        if self.negotiation.isHandshaking {
            self.handshakeFailed(TLSHandshakeFailure(error))
            return true
        }
        // An end without good-bye is an end like any other; that the input has ended is told next.
        return error as? NIOSSLError == .uncleanShutdown
    }

    /// Closes the socket.
    ///
    /// - Parameter saysGoodbye: Whether the client is told by TLS, if it has come to that.
    func closeChannel(saysGoodbye: Bool) {
        guard let context = self.context else { return }
        guard let security = self.security else {
            context.close(promise: nil)
            return
        }
        if saysGoodbye, self.negotiation.isSecured { context.close(mode: .output, promise: nil) }
        // Past NIOSSL, which would wait for the client's good-bye.
        if let below = try? context.pipeline.syncOperations.context(handler: security.handler) {
            below.close(promise: nil)
        } else {
            context.close(promise: nil)
        }
    }

    static func describe(_ address: SocketAddress) -> String {
        let ip = address.ipAddress ?? ""
        return ip.contains(":") ? "[\(ip)]:\(address.port ?? 0)" : "\(ip):\(address.port ?? 0)"
    }
}
