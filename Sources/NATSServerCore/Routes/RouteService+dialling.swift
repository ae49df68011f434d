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
        self.willDial(number, as: id)
        let bootstrap = ClientBootstrap(group: loop.eventLoop)
            .connectTimeout(Self.dialTime)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.autoRead, value: false)
            .channelOption(.maxMessagesPerRead, value: 4)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.recvAllocator, value: Server.receiveAllocator)
            .channelOption(.writeBufferWaterMark, value: Server.writeBufferWaterMark)
            // One for each address of the host.
            .channelInitializer { channel in channel.eventLoop.makeCompletedFuture { try channel.closeOnExec() } }
        // An address does not wait behind names that somebody has to look up.
        let literal = try? SocketAddress(ipAddress: address.host, port: address.port)
        let connecting =
            literal.map { bootstrap.connect(to: $0) } ?? bootstrap.connect(host: address.host, port: address.port)
        connecting.whenComplete { result in
            switch result {
            case .success(let channel): self.connected(channel, to: address, on: loop, id: id)
            case .failure(let error): self.dialFailed(id, Self.describe(error, address))
            }
        }
    }

    /// On the channel's loop, which is the connection's.
    private func connected(_ channel: any Channel, to address: RouteAddress, on loop: ServerLoop, id: UInt64) {
        let connection = RouteConnection(id: id, loop: loop, service: self, dialledHost: address.host)
        do {
            guard !loop.shared.isEnding else { throw ChannelError.ioOnClosedChannel }
            try channel.pipeline.syncOperations.addHandler(connection)
        } catch {
            connection.outlet.detach()
            channel.close(promise: nil)
            self.dialFailed(id, "\(error)")
        }
    }

    /// Go's text for what `connect` failed with.
    private static func describe(_ error: any Error, _ address: RouteAddress) -> String {
        let dial = "dial tcp \(address)"
        if error is ChannelError { return "\(dial): i/o timeout" }
        // Where an address was dialled, not a name.
        if let failure = error as? IOError { return "\(dial): connect: \(self.cause(of: failure.errnoCode))" }
        guard let failure = error as? NIOConnectionError else { return "\(dial): \(error)" }
        guard let attempt = failure.connectionErrors.last else {
            return "dial tcp: lookup \(address.host): no such host"
        }
        let target = HostPort.join(attempt.target.ipAddress ?? address.host, address.port)
        guard let code = (attempt.error as? IOError)?.errnoCode else { return "dial tcp \(target): i/o timeout" }
        return "dial tcp \(target): connect: \(self.cause(of: code))"
    }

    private static func cause(of code: CInt) -> String {
        switch code {
        case ECONNREFUSED: "connection refused"
        case ENETUNREACH: "network is unreachable"
        case EHOSTUNREACH: "no route to host"
        case ECONNRESET: "connection reset by peer"
        case ETIMEDOUT: "connection timed out"
        default: "error \(code)"
        }
    }
}
