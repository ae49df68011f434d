import Logging
import NIOCore
import NIOSSL

/// What connections of leaf nodes are secured with.
package struct LeafTLS: Sendable {
    /// For those that are accepted; `nil` for clear text.
    var accepting: TLSContext?
    /// For each hub that is dialled; used if the hub asks for it, or the configuration.
    var dialling: [NIOSSLContext]
}

extension LeafConnection {
    func startServerHandshake(_ context: ChannelHandlerContext, _ tls: TLSContext) {
        self.isEncrypted = true
        self.logger.debug("\(self.label) - Starting TLS leafnode server handshake")
        self.setTimeout(.negotiation, in: TimeAmount(tls.options.timeout))
        self.add(tls.makeClientHandler(), context)
    }

    func startClientHandshake(_ context: ChannelHandlerContext) {
        guard let remote = self.remote, let contexts = self.service.tls?.dialling,
            contexts.indices.contains(remote.index)
        else { return self.close(.tlsHandshakeFailure) }
        self.isEncrypted = true
        self.logger.debug("\(self.label) - Starting TLS leafnode client handshake")
        self.setTimeout(.negotiation, in: TimeAmount(remote.options.tls?.timeout ?? .seconds(2)))
        let isAddress = (try? SocketAddress(ipAddress: self.dialledHost, port: 0)) != nil
        do {
            let name = isAddress ? remote.tlsName : self.dialledHost
            self.add(try NIOSSLClientHandler(context: contexts[remote.index], serverHostname: name), context)
        } catch {
            self.leafHandshakeFailed("\(error)")
        }
    }

    private func add(_ handler: some ChannelHandler, _ context: ChannelHandlerContext) {
        do {
            try context.pipeline.syncOperations.addHandler(handler, position: .first)
        } catch {
            self.leafHandshakeFailed("\(error)")
        }
    }

    func leafHandshakeCompleted() {
        guard self.phase == .open, self.isEncrypted, !self.isSecured else { return }
        // The beginning of a line in the clear is not that of an encrypted one.
        guard self.cut.isEmpty else {
            return self.leafHandshakeFailed("tls: first record does not look like a TLS handshake")
        }
        self.isSecured = true
        self.service.secured(self)
        self.clearTimeout()
        self.logger.debug("\(self.label) - TLS handshake complete")
        guard self.isSolicited else { return self.beginAccepted() }
        if self.nonce.isEmpty, let remote = self.remote {
            // INFO follows.
            self.setTimeout(.authentication, in: TimeAmount(remote.options.firstInfoTimeout))
        } else {
            self.sendConnect()
        }
        self.context?.read()
    }

    func leafHandshakeFailed(_ cause: String) {
        guard self.phase == .open else { return }
        self.logger.error("\(self.label) - TLS leafnode handshake error: \(cause)")
        self.close(.tlsHandshakeFailure)
    }
}
