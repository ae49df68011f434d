import NIOCore

/// Stands between socket and TLS: refuses what is no TLS at all, and reads the ServerHello on its way out.
///
/// NIOSSL does not tell the cipher suite. After the handshake the observer only passes bytes on.
final class TLSHandshakeObserver: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The client speaks something else.
    struct NotTLS: Error {}

    private enum Input {
        case unseen
        case accepted
        case refused
    }

    /// No ServerHello is longer.
    private static let maximum = 20 << 10
    private static let alert: UInt8 = 0x15
    private static let handshake: UInt8 = 0x16

    private(set) var hello: TLSServerHello?
    private var seen: ByteBuffer? = ByteBuffer()
    private var input = Input.unseen

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .unseen = self.input, let first = self.unwrapInboundIn(data).readableBytesView.first {
            // Go's crypto/tls: such a client gets no alert, of which it would understand nothing.
            self.input = first == Self.handshake || first == Self.alert ? .accepted : .refused
            if case .refused = self.input { context.fireErrorCaught(NotTLS()) }
        }
        if case .refused = self.input { return }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if var seen = self.seen.take() {
            var bytes = self.unwrapOutboundIn(data)
            seen.writeBuffer(&bytes)
            switch TLSServerHello.find(in: seen) {
            case .found(let hello): self.hello = hello
            case .needsMore: if seen.readableBytes < Self.maximum { self.seen = seen }
            case .notThere: break
            }
        }
        context.write(data, promise: promise)
    }
}
