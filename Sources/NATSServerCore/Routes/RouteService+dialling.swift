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
                self.dialFailed(id, Self.describe(error, address))
            }
    }

    /// Go's text for what `connect` failed with.
    private static func describe(_ error: any Error, _ address: RouteAddress) -> String {
        let dial = "dial tcp \(address)"
        if error is ChannelError { return "\(dial): i/o timeout" }
        guard let failure = error as? NIOConnectionError else { return "\(dial): \(error)" }
        guard let attempt = failure.connectionErrors.last else {
            return "dial tcp: lookup \(address.host): no such host"
        }
        let target = HostPort.join(attempt.target.ipAddress ?? address.host, address.port)
        guard let code = (attempt.error as? IOError)?.errnoCode else { return "dial tcp \(target): i/o timeout" }
        let cause =
            switch code {
            case ECONNREFUSED: "connection refused"
            case ENETUNREACH: "network is unreachable"
            case EHOSTUNREACH: "no route to host"
            case ECONNRESET: "connection reset by peer"
            case ETIMEDOUT: "connection timed out"
            default: "error \(code)"
            }
        return "dial tcp \(target): connect: \(cause)"
    }
}
