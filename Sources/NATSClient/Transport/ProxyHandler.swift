import NIOCore

/// Talks to a proxy until that has become the way to the server; then it goes.
///
/// Until then no handler behind it sees anything, not even that the channel is active.
final class ProxyHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let proxy: NATSClientConfiguration.Proxy
    private let address: ServerAddress
    private var handshake: any ProxyHandshake
    private var bytes = ByteBuffer()
    private var isOver = false

    init(_ proxy: NATSClientConfiguration.Proxy, to address: ServerAddress) {
        self.proxy = proxy
        self.address = address
        self.handshake =
            switch proxy.kind {
            case .socks5:
                SOCKS5Handshake(host: address.host, port: address.port, login: proxy.login)
            case .httpConnect:
                HTTPConnectHandshake(target: address.hostAndPort, login: proxy.login)
            }
    }

    func channelActive(context: ChannelHandlerContext) {
        self.write(self.handshake.begin(), context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.isOver else {
            return context.fireChannelRead(data)
        }
        self.bytes.writeImmutableBuffer(self.unwrapInboundIn(data))
        while !self.isOver {
            switch self.handshake.received(&self.bytes) {
            case .incomplete:
                return
            case .send(let bytes):
                self.write(bytes, context)
            case .done:
                self.finish(context)
            case .fail(let text):
                self.fail(text, context)
            }
        }
    }

    private func finish(_ context: ChannelHandlerContext) {
        self.isOver = true
        let rest = self.bytes
        self.bytes = ByteBuffer()
        context.fireChannelActive()
        if rest.readableBytes > 0 {
            context.fireChannelRead(self.wrapInboundOut(rest))
        }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.fail("it closed the connection", context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if self.isOver {
            context.fireErrorCaught(error)
        } else {
            self.fail("the connection to it failed", cause: error, context)
        }
    }

    private func fail(_ text: String, cause: (any Error)? = nil, _ context: ChannelHandlerContext) {
        guard !self.isOver else {
            return
        }
        self.isOver = true
        self.bytes = ByteBuffer()
        context.fireErrorCaught(
            NATSError(
                .proxyFailed,
                "the proxy \(self.proxy) did not connect to \(self.address.url): \(text)",
                cause: cause
            )
        )
    }

    private func write(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    }
}
