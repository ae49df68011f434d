import Logging
import NIOCore
import NIOPosix

extension Server {
    /// The port where leaf nodes are accepted; 0 unless there is one and the server runs.
    package var boundLeafNodePort: Int { self.runningListener == nil ? 0 : self.shared.leafNodes?.port ?? 0 }

    /// Connections of leaf nodes, on either side.
    package var leafNodeCount: Int { self.shared.leafNodes?.count ?? 0 }

    /// Reads the certificates and keys of the `leafnodes` block again.
    ///
    /// - Returns: what ``useLeafNodeTLS(_:)`` takes.
    /// - Throws: If they cannot be used.
    package func loadLeafNodeTLS() throws(TLSContext.LoadError) -> LeafTLS? { try self.shared.leafNodes?.loadTLS() }

    /// Secures new connections to leaf nodes and hubs with something else.
    package func useLeafNodeTLS(_ tls: LeafTLS?) {
        if let tls { self.shared.leafNodes?.use(tls) }
    }

    /// Listens for leaf nodes, if they may come (nats-server leafnode.go startLeafNodeAcceptLoop).
    ///
    /// - Returns: the listener, which does not accept yet.
    func listenForLeafNodes(
        on group: MultiThreadedEventLoopGroup,
        _ loops: [ServerLoop]
    ) async throws(ServerStartError) -> (any Channel)? {
        guard let service = self.shared.leafNodes else { return nil }
        do {
            service.use(try service.loadTLS())
        } catch {
            throw ServerStartError(description: error.description)
        }
        let options = service.options
        guard options.port != 0 else { return nil }
        let shared = self.shared
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
                        let connection = LeafConnection(id: id, loop: loop, service: service, remote: nil)
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
            throw ServerStartError(description: "Error listening on leafnode port: \(options.port) - \(cause)")
        }
        let port = listener.localAddress?.port ?? 0
        shared.logger.info("Listening for leafnode connections on \(HostPort.join(options.host, port))")
        do throws(ServerStartError) {
            service.listens(listener, at: try self.leafNodeAddress(options, port: port))
        } catch {
            try? await listener.close()
            throw error
        }
        return listener
    }

    /// What leaf nodes are told as host and port (nats-server leafnode.go setLeafNodeInfoHostPortAndIP).
    private func leafNodeAddress(
        _ options: LeafNodesOptions,
        port: Int
    ) throws(ServerStartError) -> AdvertisedAddress {
        guard let advertised = options.advertise, !advertised.isEmpty else {
            let urls = LocalAddresses.connectURLs(host: options.host, port: port)
            let host = urls.first.flatMap { try? HostPort.split($0) }?.host ?? options.host
            return AdvertisedAddress(host: host, port: port)
        }
        do {
            let address = try AdvertisedAddress(advertised, defaultPort: port)
            let text = HostPort.join(address.host, address.port)
            self.shared.logger.info("Advertise address for leafnode is set to \(text)")
            return address
        } catch {
            throw ServerStartError(
                description: "Error setting leafnode INFO with LeafNode.Advertise value of \(advertised), err=\(error)"
            )
        }
    }
}
