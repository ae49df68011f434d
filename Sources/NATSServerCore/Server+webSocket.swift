import Logging
import NIOCore
import NIOPosix

extension Server {
    /// The port of the WebSocket listener; 0 unless there is one and the server runs.
    package var boundWebSocketPort: Int { self.runningListener == nil ? 0 : self.shared.webSocket?.port ?? 0 }

    /// Secures new WebSocket connections with something else; whether they are secured at all does not change.
    package func useWebSocketTLS(_ context: TLSContext?) {
        guard let service = self.shared.webSocket, (service.tls == nil) == (context == nil) else { return }
        service.use(context)
    }

    /// Listens for WebSocket clients, if they are wanted; nobody is accepted yet (nats-server websocket.go
    /// startWebsocketServer).
    func startWebSocket(on group: MultiThreadedEventLoopGroup, _ loops: [ServerLoop]) async throws(ServerStartError) {
        guard let service = self.shared.webSocket else { return }
        let shared = self.shared
        let (host, port) = (service.options.host, service.options.port)
        do {
            guard (-1...65_535).contains(port) else {
                throw ServerStartError(description: "listen tcp: address \(port): invalid port")
            }
            let listener = try await Self.bootstrap(group)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.closeOnExec()
                        guard let loop = loops.first(where: { $0.eventLoop === channel.eventLoop }) else { return }
                        let security = try service.tls?.addWebSocketHandlers(to: channel, logger: shared.logger)
                        let handler = WebSocketRequestHandler(loop: loop, service: service, security: security)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                }
                .bind(host: host, port: max(0, port))
                .get()
            service.started(listener)
        } catch {
            let cause =
                (error as? ServerStartError)?.description ?? Self.describe(error, host: host, port: max(0, port))
            throw ServerStartError(description: "Unable to listen for websocket connections: \(cause)")
        }
        let scheme = service.tls == nil ? "ws" : "wss"
        shared.logger.info("Listening for websocket clients on \(scheme)://\(host):\(service.port)")
        if service.tls == nil {
            shared.logger.warning("Websocket not configured with TLS. DO NOT USE IN PRODUCTION!")
        }
        // Other servers will tell their clients; until then it only has to be one.
        if let advertised = service.options.advertise, !advertised.isEmpty {
            do {
                _ = try AdvertisedAddress(advertised, defaultPort: service.port)
            } catch {
                throw ServerStartError(description: "Unable to get websocket connect URLs: \(error)")
            }
        }
    }
}
