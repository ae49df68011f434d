import NIOCore
import NIOPosix

extension LeafService {
    /// Makes the socket to a hub.
    ///
    /// - Parameters:
    ///   - connection: What handles it.
    ///   - dial: What is dialled.
    ///   - loop: Where it lives.
    ///   - failed: Called on any thread if there will be none.
    func connect(
        _ connection: LeafConnection,
        to dial: LeafDial,
        on loop: ServerLoop,
        failed: @escaping @Sendable (any Error) -> Void
    ) {
        ClientBootstrap(group: loop.eventLoop)
            .connectTimeout(TimeAmount(dial.options.dialTimeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.autoRead, value: false)
            .channelOption(.maxMessagesPerRead, value: 4)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.recvAllocator, value: Server.receiveAllocator)
            .channelOption(.writeBufferWaterMark, value: Server.writeBufferWaterMark)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.closeOnExec()
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
            .connect(host: dial.url.address.host, port: dial.url.address.port)
            .whenComplete { result in
                guard case .failure(let error) = result else { return }
                connection.outlet.detach()
                failed(error)
            }
    }
}
