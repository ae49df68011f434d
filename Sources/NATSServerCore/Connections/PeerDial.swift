import NIOCore
import NIOPosix

/// Connecting to other servers.
enum PeerDial {
    /// Makes a socket to another server.
    ///
    /// - Parameters:
    ///   - address: The server's.
    ///   - time: How long that may take.
    ///   - loop: Where the socket lives.
    ///   - completion: Gets the channel, which reads nothing yet, on its event loop.
    static func connect(
        to address: RouteAddress,
        within time: TimeAmount,
        on loop: ServerLoop,
        _ completion: @escaping @Sendable (Result<any Channel, any Error>) -> Void
    ) {
        let bootstrap = ClientBootstrap(group: loop.eventLoop)
            .connectTimeout(time)
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
        connecting.whenComplete(completion)
    }

    /// Go's text for what `connect` failed with.
    static func describe(_ error: any Error, _ address: RouteAddress) -> String {
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
