import Logging
import NIOCore
import NIOSSL
import NIOTLS

/// Tells clients that speak HTTP to an HTTPS port what they did wrong, as Go's server does.
///
/// Stands between socket and TLS. Only the first bytes are looked at; the connection is closed after the answer.
final class PlainHTTPGuard: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    static let answer = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
    /// What Go takes for HTTP (net/http tlsRecordHeaderLooksLikeHTTP).
    private static let beginnings = ["GET /", "HEAD ", "POST ", "PUT /", "OPTIO"].map { Array($0.utf8) }

    /// What came so far, until it is clear what it is.
    private var seen: ByteBuffer? = ByteBuffer()
    private(set) var isRefused = false
    private let logger: Logger
    private let listener: String

    init(_ logger: Logger, of listener: String = "monitoring") {
        self.logger = logger
        self.listener = listener
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.isRefused else { return }
        guard var seen = self.seen.take() else {
            context.fireChannelRead(data)
            return
        }
        var bytes = self.unwrapInboundIn(data)
        seen.writeBuffer(&bytes)
        let view = seen.readableBytesView
        if Self.beginnings.contains(where: { view.starts(with: $0) }) {
            self.isRefused = true
            MonitoringHandshakeLog.log(
                "client sent an HTTP request to an HTTPS server",
                context,
                self.logger,
                self.listener
            )
            let answer = ByteBuffer(string: Self.answer)
            // Past TLS: this is the handler next to the socket.
            context.writeAndFlush(self.wrapOutboundOut(answer), promise: nil)
            context.close(promise: nil)
        } else if view.count < 5, Self.beginnings.contains(where: { $0.starts(with: view) }) {
            self.seen = seen
        } else {
            context.fireChannelRead(self.wrapInboundOut(seen))
        }
    }
}

/// Tells of handshakes on a port for HTTP that fail; stands behind TLS.
final class MonitoringHandshakeLog: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Sent outwards before a connection is closed because a time has passed.
    struct TimedOut {}

    private let logger: Logger
    /// What it has refused is told already.
    private let plainHTTP: PlainHTTPGuard
    private let listener: String
    private var isDone = false

    init(_ logger: Logger, _ plainHTTP: PlainHTTPGuard, of listener: String = "monitoring") {
        self.logger = logger
        self.plainHTTP = plainHTTP
        self.listener = listener
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent { self.isDone = true }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .handshakeFailed? = error as? NIOSSLError { self.failed(TLSHandshakeFailure(error), context) }
        context.fireErrorCaught(error)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is TimedOut else { return context.triggerUserOutboundEvent(event, promise: promise) }
        let local = context.localAddress.map(ClientConnection.describe) ?? ""
        let remote = context.remoteAddress.map(ClientConnection.describe) ?? ""
        self.failed(.timeout(local: local, remote: remote), context)
        promise?.succeed(())
    }

    private func failed(_ failure: TLSHandshakeFailure, _ context: ChannelHandlerContext) {
        guard !self.isDone, !self.plainHTTP.isRefused else { return }
        self.isDone = true
        Self.log(failure.text, context, self.logger, self.listener)
    }

    static func log(_ cause: String, _ context: ChannelHandlerContext, _ logger: Logger, _ listener: String) {
        let peer = context.remoteAddress.map(ClientConnection.describe) ?? ""
        logger.error("\(listener): TLS handshake error from \(peer): \(cause)")
    }
}
