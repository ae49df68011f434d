import NIOCore
import NIOPosix

/// Opens a TCP connection with the settings that hot paths want.
enum TCPTransport {
    /// A read takes up to 256 KiB when a lot arrives; idle connections keep small buffers.
    private static let receiveAllocator = AdaptiveRecvByteBufferAllocator(
        minimum: 1024,
        initial: 4096,
        maximum: 262_144
    )

    static func connect(
        host: String,
        port: Int,
        configuration: NATSClientConfiguration,
        eventLoop: any EventLoop,
        initialize: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(configuration.connectTimeout.timeAmount)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: Self.receiveAllocator)
            .channelOption(.maxMessagesPerRead, value: 4)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try initialize(channel)
                }
            }
        if let address = try? SocketAddress(ipAddress: host, port: port) {
            // The URL names an address: nothing to look up, no order has a say in it.
            return bootstrap.connect(to: address)
        }
        let resolver = HostResolver(
            eventLoop: eventLoop,
            order: configuration.addressOrder,
            shuffles: configuration.randomizeServers
        )
        return bootstrap.resolver(resolver).connect(host: host, port: port)
    }

    /// Whether the other side has no listener there.
    static func isConnectionRefused(_ error: any Error) -> Bool {
        switch error {
        case let error as IOError:
            return error.errnoCode == ECONNREFUSED
        case let error as NIOConnectionError:
            let causes = error.connectionErrors.map(\.error)
            return !causes.isEmpty && causes.allSatisfy(Self.isConnectionRefused)
        default:
            return false
        }
    }

    /// What a failure to open the connection means.
    static func error(
        _ error: any Error,
        address: ServerAddress,
        proxy: NATSClientConfiguration.Proxy?
    ) -> NATSError {
        switch error {
        case let error as NATSError:
            error
        case let error where proxy != nil:
            NATSError(
                .proxyFailed,
                "cannot connect to the proxy \(proxy.map { "\($0)" } ?? "") on the way to \(address.url)",
                cause: error
            )
        case ChannelError.connectTimeout:
            NATSError(.timeout, "connecting to \(address.url) took too long", cause: error)
        default:
            NATSError(.connectionFailed, "cannot connect to \(address.url)", cause: error)
        }
    }
}

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Android)
import Android
#endif
