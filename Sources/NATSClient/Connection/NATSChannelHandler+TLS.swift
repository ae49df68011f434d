import Logging
import NATSWire
import NIOCore

extension NATSChannelHandler {
    /// Whether the connection is secured.
    var isSecure: Bool {
        self.machine.isSecure
    }

    /// Reads what the handshake needs, then begins it.
    func startTLS() {
        guard let eventLoop = self.context?.eventLoop else {
            return
        }
        let handler = NIOLoopBound(self, eventLoop: eventLoop)
        SecureContext.make(self.tls, eventLoop: eventLoop).whenComplete { result in
            switch result {
            case .success(.success(let secureContext)):
                handler.value.startTLS(secureContext)
            case .success(.failure(let error)):
                handler.value.fail(error)
            case .failure(let error):
                handler.value.fail(NATSError(.tls, "the TLS configuration was not read", cause: error))
            }
        }
    }

    private func startTLS(_ secureContext: SecureContext) {
        guard self.failure == nil, self.machine.isSecuring, let context = self.context else {
            return
        }
        if self.tls.skipsVerification {
            // Never silent: without a logger of the client's, where the program logs.
            let logger = self.core.logger ?? Logger(label: "nats.client")
            logger.warning(
                "the certificate of the NATS server is not verified: anybody can pose as it",
                metadata: ["nats.server": "\(self.address.url)"]
            )
        }
        let name = self.tls.serverName ?? self.address.tlsName ?? self.address.host
        do {
            try ServerIdentityHandler.add(
                self.address,
                secureContext,
                expecting: ServerIdentity(name),
                to: context.pipeline.syncOperations,
                before: (self.webSocket as (any ChannelHandler)?) ?? self.trace ?? self
            )
        } catch {
            self.fail(NATSError(.tls, "TLS with \(self.address.url) cannot begin", cause: error))
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ServerIdentityHandler.IsSecured {
            guard self.cut.readableBytes == 0 else {
                // What came in clear must not become the beginning of what comes inside TLS.
                return self.failInClear()
            }
            switch self.machine.secured() {
            case .sendConnectAndPing(let info):
                self.introduce(info)
            case .awaitInfo, .ignore:
                break
            }
        }
        context.fireUserInboundEventTriggered(event)
    }
}
