import Logging
import NIOCore
import NIOPosix

/// Connecting to other servers.
extension RouteService {
    /// nats-server const.go DEFAULT_ROUTE_DIAL.
    private static let dialTime: TimeAmount = .seconds(1)

    /// Dials; the book is told what comes of it.
    func dial(_ number: UInt64, _ address: RouteAddress, on loop: ServerLoop, id: UInt64) {
        let shared = loop.shared
        shared.logger.debug("Trying to connect to route on \(address)")
        let connection = RouteConnection(id: id, loop: loop, service: self, dialledHost: address.host)
        self.willDial(number, as: id)
        ClientBootstrap(group: loop.eventLoop)
            .connectTimeout(Self.dialTime)
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
            .connect(host: address.host, port: address.port)
            .whenComplete { result in
                guard case .failure(let error) = result else { return }
                connection.outlet.detach()
                self.dialFailed(id, DialFailure.describe(error, address))
            }
    }
}
