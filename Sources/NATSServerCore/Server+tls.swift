import Logging
import NIOCore

extension Server {
    /// What new connections are secured with; `nil` without TLS.
    package var tlsContext: TLSContext? { self.shared.tls }

    /// Loads certificates and keys, without using them yet.
    package static func loadTLS(_ options: TLSOptions?) throws(TLSContext.LoadError) -> TLSContext? {
        guard let options else { return nil }
        return try TLSContext(options)
    }

    /// Secures new connections with something else; those that are there keep theirs, unless their certificate is not
    /// among the pinned ones any more.
    package func useTLS(_ context: TLSContext?) async {
        let old = self.shared.replaceTLS(context)
        let pins = context?.options.pinnedCerts ?? []
        guard pins != old?.options.pinnedCerts ?? [] else { return }
        _ = await self.loops.answers { loop in loop.recheckPinnedCertificates(pins) }
    }

    /// Tells once a second of handshakes that were refused, until the event loop ends (nats-server server.go
    /// logRejectedTLSConns).
    func watchHandshakeRate(on eventLoop: any EventLoop) {
        guard self.shared.limitsHandshakes else { return }
        let shared = self.shared
        _ = eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            let rejected = shared.takeRejectedHandshakes()
            guard rejected > 0 else { return }
            shared.logger.warning("Rejected \(rejected) connections due to TLS rate limiting")
        }
    }

    /// The lines that follow the one about the listener (nats-server server.go AcceptLoop).
    func announceTLS() {
        guard let options = self.shared.tls?.options else { return }
        self.shared.logger.info("TLS \(options.isRequired ? "required" : "available") for client connections")
        if options.handshakeFirst == .on {
            self.shared.logger.warning(
                "Clients that are not using \"TLS Handshake First\" option will fail to connect"
            )
        }
    }
}

extension ServerLoop {
    fileprivate func recheckPinnedCertificates(_ pins: Set<String>) {
        for connection in Array(self.connections.values) { connection.recheckPinnedCertificate(pins) }
    }
}
