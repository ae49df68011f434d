import NIOCore
import NIOSSL
import NIOTLS

/// Stands behind the handler that makes TLS with the server, until that is done, and looks whose certificate it got.
///
/// Only then do the handlers behind it learn that they may speak. Both this and what ``add(_:_:expecting:to:before:)`` puts in
/// front go afterwards: the way of the messages is no longer for them.
final class ServerIdentityHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// The event by which the handlers behind learn it.
    struct IsSecured {}

    /// Keeps to itself what a dialer's own handlers tell about the TLS that they make, with somebody else.
    private final class Front: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = ByteBuffer

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if !(event is TLSUserEvent) {
                context.fireUserInboundEventTriggered(event)
            }
        }
    }

    private let address: ServerAddress
    private let tls: NIOSSLClientHandler
    private let front = Front()
    /// Nil if the user wants no certificate's names looked at.
    private let identity: ServerIdentity?
    private var isRefused = false

    private init(_ address: ServerAddress, _ tls: NIOSSLClientHandler, _ identity: ServerIdentity?) {
        self.address = address
        self.tls = tls
        self.identity = identity
    }

    /// Begins TLS with a server, inside whatever the pipeline has in front.
    static func add(
        _ address: ServerAddress,
        _ secureContext: SecureContext,
        expecting identity: ServerIdentity,
        to pipeline: ChannelPipeline.SynchronousOperations,
        before inside: any ChannelHandler
    ) throws {
        let tls = try NIOSSLClientHandler(context: secureContext.context, serverHostname: identity.serverName)
        let handler = ServerIdentityHandler(address, tls, secureContext.checksIdentity ? identity : nil)
        try pipeline.addHandler(handler, position: .before(inside))
        try pipeline.addHandler(handler.front, position: .before(handler))
        // Begins at once.
        try pipeline.addHandler(tls, position: .before(handler))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let tlsEvent = event as? TLSUserEvent, case .handshakeCompleted = tlsEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        if let identity = self.identity, self.tls.peerCertificate.map(identity.matches) != true {
            self.isRefused = true
            let text = "the certificate of the server \(self.address.url) is not for \(identity)"
            return context.fireErrorCaught(NATSError(.tls, text))
        }
        context.fireUserInboundEventTriggered(IsSecured())
        context.pipeline.syncOperations.removeHandler(self.front, promise: nil)
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !self.isRefused {
            context.fireChannelRead(data)
        }
    }
}
