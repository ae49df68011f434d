import Logging
import NIOCore
import NIOPosix

extension Server {
    /// The port where routes are accepted; 0 unless there is a cluster and the server runs.
    package var boundClusterPort: Int { self.runningListener == nil ? 0 : self.shared.routes?.port ?? 0 }

    /// Connections to other servers, and how many servers those are.
    package var routeCounts: (routes: Int, remotes: Int) { self.shared.routes?.counts ?? (0, 0) }

    /// Connections to each other server, by its id.
    package var routePeers: [String: Int] { self.shared.routes?.peers ?? [:] }

    /// Whether nothing is missing between this server and those that it is connected with.
    package var hasAllRoutes: Bool { self.shared.routes?.isComplete ?? true }

    /// The cluster's name; empty if there is none.
    package var clusterName: String { self.shared.routes?.clusterName ?? "" }

    /// Becomes one of a cluster, if one is configured: other servers are listened for and dialled (nats-server route.go
    /// startRouteAcceptLoop).
    func startRoutes(on group: MultiThreadedEventLoopGroup, _ loops: [ServerLoop]) async throws(ServerStartError) {
        guard let service = self.shared.routes else { return }
        let (shared, options) = (self.shared, service.options)
        shared.logger.info("Cluster name is \(service.clusterName)")
        if service.isDynamic {
            shared.logger.warning("Cluster name was dynamically generated, consider setting one")
        }
        do {
            service.use(try RouteTLS(options))
        } catch {
            throw ServerStartError(description: error.description)
        }
        let listener: any Channel
        do {
            guard (-1...65_535).contains(options.port) else {
                throw ServerStartError(description: "listen tcp: address \(options.port): invalid port")
            }
            listener = try await Self.bootstrap(group)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.closeOnExec()
                        guard let loop = loops.first(where: { $0.eventLoop === channel.eventLoop }) else { return }
                        let id = shared.nextClientID()
                        let connection = RouteConnection(
                            id: id,
                            loop: loop,
                            service: service,
                            dialledHost: nil
                        )
                        do {
                            try channel.pipeline.syncOperations.addHandler(connection)
                        } catch {
                            connection.outlet.detach()
                            throw error
                        }
                    }
                }
                .bind(host: options.host, port: max(0, options.port))
                .get()
        } catch {
            let cause =
                (error as? ServerStartError)?.description
                ?? Self.describe(error, host: options.host, port: max(0, options.port))
            throw ServerStartError(description: "Error listening on router port: \(options.port) - \(cause)")
        }
        let port = listener.localAddress?.port ?? 0
        shared.logger.info("Listening for route connections on \(HostPort.join(options.host, port))")
        service.start(listener, on: loops)
        // A shutdown may end the loops meanwhile.
        _ = try? await self.loops.result { listener.setOption(.autoRead, value: true) }
    }

    /// Goes on with another `cluster` block, but for its routes; ``apply(_:)`` has been called.
    ///
    /// Host, port, and whether there is a cluster at all, stay what they are (``ReloadPlan``).
    ///
    /// - Parameter tls: What new connections are secured with.
    package func reloadCluster(_ tls: RouteTLS?) {
        guard let service = self.shared.routes, let options = self.shared.options.cluster else { return }
        service.use(tls)
        service.reload(options)
    }

    /// Goes on with the configured routes of another `cluster` block.
    package func reloadRoutes() { self.shared.routes?.changeRoutes(to: self.shared.options.cluster?.routes ?? []) }

    /// What INFO tells clients and peers of the ways to this server.
    func setOwnURLs() {
        guard self.shared.routes != nil else { return }
        let options = self.shared.options
        var plain = LocalAddresses.connectURLs(host: options.host, port: self.boundPort)
        if let advertised = options.clientAdvertise, !advertised.isEmpty,
            let address = try? AdvertisedAddress(advertised, defaultPort: self.boundPort)
        {
            plain = [HostPort.join(address.host, address.port)]
        }
        var webSocket: [String] = []
        if let service = self.shared.webSocket {
            webSocket = LocalAddresses.connectURLs(host: service.options.host, port: service.port)
            if let advertised = service.options.advertise, !advertised.isEmpty,
                let address = try? AdvertisedAddress(advertised, defaultPort: service.port)
            {
                webSocket = [HostPort.join(address.host, address.port)]
            }
        }
        self.shared.setOwnURLs(plain, webSocket)
    }
}

extension ServerLoop {
    /// Tells the clients that understand it that the cluster has changed (nats-server server.go sendAsyncInfoToClients).
    func sendInfoToClients() {
        for connection in self.connections.values { connection.sendInfo() }
    }
}
