import Logging
import NIOCore
import NIOSSL
import NIOTLS

/// What routes are secured with: both sides show a certificate.
package struct RouteTLS: Sendable {
    let accepting: TLSContext
    let dialling: NIOSSLContext
    /// The name that is asked for where only an address is known: that of the first configured route that has one
    /// (nats-server route.go updateRouteTLSName).
    let name: String?

    /// Reads certificates and keys.
    ///
    /// - Parameter cluster: The block.
    /// - Throws: If they cannot be used.
    package init?(_ cluster: ClusterOptions?) throws(TLSContext.LoadError) {
        guard let cluster, let block = cluster.tls else { return nil }
        self.accepting = try TLSContext(block)
        self.dialling = try TLSContext.client(block, isInsecure: cluster.isInsecure)
        let hosts = cluster.routes.map(\.address.host)
        self.name = hosts.first { (try? SocketAddress(ipAddress: $0, port: 0)) == nil }
    }
}

extension RouteConnection {
    /// Puts TLS between the socket and this handler; both sides begin with it at once (nats-server route.go createRoute).
    func startHandshake(_ context: ChannelHandlerContext, _ tls: RouteTLS) {
        self.isEncrypted = true
        self.logger.debug("\(self.label) - Starting TLS route \(self.isSolicited ? "client" : "server") handshake")
        self.loop.setTimer(.negotiation, for: self.id, at: .now() + TimeAmount(tls.accepting.options.timeout))
        do {
            let handler: any ChannelHandler =
                self.isSolicited
                ? try NIOSSLClientHandler(context: tls.dialling, serverHostname: self.serverName(tls))
                : tls.accepting.makeClientHandler()
            try context.pipeline.syncOperations.addHandler(handler, position: .first)
        } catch {
            self.handshakeFailed("\(error)")
        }
    }

    /// A name for the certificate; `nil` where the address has to be in it.
    private func serverName(_ tls: RouteTLS) -> String? {
        let isAddress = (try? SocketAddress(ipAddress: self.dialledHost, port: 0)) != nil
        return isAddress ? tls.name : self.dialledHost
    }

    func routeHandshakeCompleted() {
        guard self.phase == .open, self.isEncrypted, !self.isSecured else { return }
        self.isSecured = true
        self.logger.debug("\(self.label) - TLS handshake complete")
        self.begin()
    }

    func handshakeTimedOut() {
        guard self.isEncrypted, !self.isSecured else { return }
        self.handshakeFailed("i/o timeout")
    }

    func routeHandshakeFailed(_ cause: String) {
        guard self.phase == .open else { return }
        self.logger.error("\(self.label) - TLS route handshake error: \(cause)")
        self.close(.tlsHandshakeFailure)
    }
}
