import NATSTop
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Asks a monitoring port for pages, over one connection that stays open.
final class MonitoringClient: Sendable {
    let target: Target
    private let eventLoop: any EventLoop
    private let timeout: TimeAmount
    private let secureContext: NIOSSLContext?
    private let lookUps: LookUpPool
    /// Idle, unless a request is on its way.
    private let channel = NIOLockedValueBox<(any Channel)?>(nil)

    init(
        target: Target,
        eventLoop: any EventLoop,
        timeout: Duration,
        secureContext: NIOSSLContext?,
        lookUps: LookUpPool
    ) {
        self.target = target
        self.eventLoop = eventLoop
        self.timeout = TimeAmount(timeout)
        self.secureContext = secureContext
        self.lookUps = lookUps
    }

    deinit {
        self.channel.withLockedValue { $0.take() }?.close(promise: nil)
    }

    /// Asks for a page.
    ///
    /// - Parameters:
    ///   - request: The page.
    ///   - limit: A page of more bytes is ``FetchError/tooLarge``.
    /// - Returns: The answer, of whatever status.
    /// - Throws: `FetchError`.
    func fetch(_ request: Request, limit: Int = FetchError.maximumBodyBytes) async throws(FetchError) -> Answer {
        let deadline = NIODeadline.now() + self.timeout
        if let channel = self.channel.withLockedValue({ $0.take() }), channel.isActive {
            do throws(FetchError) {
                return try await self.exchange(request, on: channel, until: deadline, limit)
            } catch FetchError.closed {
                // The server may end a connection that is idle; a new one tells more.
            }
        }
        let channel: any Channel
        do {
            channel = try await self.connect()
        } catch {
            throw FetchError(error)
        }
        return try await self.exchange(request, on: channel, until: deadline, limit)
    }

    private func exchange(
        _ request: Request,
        on channel: any Channel,
        until deadline: NIODeadline,
        _ limit: Int
    ) async throws(FetchError) -> Answer {
        let promise = channel.eventLoop.makePromise(of: Answer.self)
        let timer = channel.eventLoop.scheduleTask(deadline: deadline) {
            promise.fail(FetchError.timedOut)
            channel.close(promise: nil)
        }
        let exchange = Exchange(
            host: self.target.address,
            path: self.target.path(of: request),
            maximumBodyBytes: limit,
            promise: promise
        )
        channel.writeAndFlush(exchange).whenFailure { promise.fail(FetchError($0)) }
        do {
            let answer = try await promise.futureResult.get()
            timer.cancel()
            if answer.staysOpen {
                self.channel.withLockedValue { $0 = channel }
            } else {
                channel.close(promise: nil)
            }
            return answer
        } catch {
            timer.cancel()
            channel.close(promise: nil)
            throw FetchError(error)
        }
    }

    private func connect() async throws -> any Channel {
        let secureContext = self.secureContext
        let host = self.target.host
        let address = try? SocketAddress(ipAddress: host, port: self.target.port)
        let bootstrap = ClientBootstrap(group: self.eventLoop)
            .connectTimeout(self.timeout)
            .resolver(PooledResolver(self.lookUps, eventLoop: self.eventLoop))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let secureContext {
                        // Addresses cannot be names in TLS; certificates are checked against them all the same.
                        let name = address == nil ? host : nil
                        try pipeline.addHandler(NIOSSLClientHandler(context: secureContext, serverHostname: name))
                    }
                    try pipeline.addHandler(ClientPortDetector())
                    try pipeline.addHTTPClientHandlers(leftOverBytesStrategy: .fireError)
                    try pipeline.addHandler(ExchangeHandler())
                }
            }
        if let address { return try await bootstrap.connect(to: address).get() }
        return try await bootstrap.connect(host: host, port: self.target.port).get()
    }
}
