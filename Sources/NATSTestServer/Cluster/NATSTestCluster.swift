import NATSServerCore
import NIOConcurrencyHelpers

/// Servers in one cluster inside a test, every two of which can be parted.
///
/// ```swift
/// try await NATSTestCluster.withCluster(size: 3) { cluster in
///     let client = try await NATSClient.connect(.init(servers: cluster.nodes.map(\.clientURL)))
///     await cluster.nodes[0].stop()
///     …
/// }
/// ```
///
/// Servers reach each other through relays of the cluster, which is how ``partition(_:_:_:)`` works for whatever server.
public final class NATSTestCluster: Sendable {
    /// What parts two nodes.
    public enum Fault: Sendable, Equatable {
        /// Connections between them end, and new ones do too.
        case cut
        /// Nothing that they send arrives, though connections stay open.
        case blackHole
        /// What the first one sends to the second one does not arrive; the other way nothing is changed.
        case halfOpen
        /// What they send arrives later by this.
        case delay(Duration)
    }

    /// What a cluster is like.
    public struct Options: Sendable {
        /// The cluster's name.
        public var name = "test"
        /// What all servers have in common; their ports, names and cluster are chosen for them.
        public var server = NATSTestServer.Options()
        /// Connections between two servers, besides those of accounts; 0 for a single one for everything.
        public var poolSize = 3

        /// The defaults.
        public init() {}
    }

    private struct State {
        var nodes: [Node] = []
        var count = 0
        var hasEnded = false
    }

    let links = RelayLinks()
    private let options: Options
    private let state = NIOLockedValueBox(State())

    private init(_ options: Options) { self.options = options }

    /// The nodes in the order in which they were added, those that do not run among them.
    public var nodes: [Node] { self.state.withLockedValue { $0.nodes } }

    /// Starts a cluster, runs `body`, and stops all servers however `body` ends.
    ///
    /// - Parameters:
    ///   - size: How many servers there are at first.
    ///   - options: What they are like.
    ///   - body: The work; every server has a route to every other one when it is called.
    /// - Returns: What `body` returns.
    /// - Throws: ``NATSTestServerError`` if a server cannot be started, or what `body` throws.
    public static func withCluster<R>(
        size: Int = 3,
        _ options: Options = Options(),
        _ body: (NATSTestCluster) async throws -> R
    ) async throws -> R {
        let cluster = NATSTestCluster(options)
        do {
            for _ in 0..<size { try await cluster.addNode() }
            try await cluster.waitUntilConnected()
            let result = try await body(cluster)
            await cluster.stop()
            return result
        } catch {
            await cluster.stop()
            throw error
        }
    }

    /// Adds a server, which dials those that are there.
    ///
    /// - Parameter change: What is different about it.
    /// - Returns: The node; its server runs, and may not be connected to others yet.
    /// - Throws: ``NATSTestServerError`` if it cannot be started.
    @discardableResult
    public func addNode(_ change: (inout NATSTestServer.Options) -> Void = { _ in }) async throws -> Node {
        let others = self.nodes
        let place = self.state.withLockedValue { state in
            state.count += 1
            return state.count
        }
        let relay = try await RouteRelay(links: self.links)
        var options = self.options.server
        options.serverName = "node-\(place)"
        var cluster = NATSTestServer.Cluster(name: self.options.name, routes: others.map(\.relay.url))
        cluster.poolSize = self.options.poolSize
        cluster.advertise = "127.0.0.1:\(relay.port)"
        options.cluster = cluster
        change(&options)
        let server: NATSTestServer
        do {
            server = try await NATSTestServer.start(options) { id in self.links.setNode(place, of: id) }
        } catch {
            await relay.close()
            throw error
        }
        let node = Node(place: place, server: server, relay: relay)
        relay.setTarget(port: server.clusterPort, node: place)
        let hasEnded = self.state.withLockedValue { state in
            state.nodes.append(node)
            return state.hasEnded
        }
        guard !hasEnded else {
            await self.stop()
            throw NATSTestServerError(message: "the cluster was stopped while a server was being added")
        }
        return node
    }

    /// Stops a node's server and forgets the node.
    public func removeNode(_ node: Node) async {
        self.state.withLockedValue { state in state.nodes.removeAll { $0 === node } }
        await node.end()
    }

    /// Parts two nodes, until ``heal(_:_:)``.
    ///
    /// - Parameters:
    ///   - first: One of them.
    ///   - second: The other.
    ///   - fault: How; another fault between them ends.
    public func partition(_ first: Node, _ second: Node, _ fault: Fault = .cut) {
        self.links.set(fault, from: first.place, to: second.place)
    }

    /// Ends what parts two nodes; connections that have lost something end with it.
    public func heal(_ first: Node, _ second: Node) { self.links.heal(first.place, second.place) }

    /// Ends everything that parts nodes.
    public func heal() { self.links.healAll() }

    /// Waits until every server that runs has its routes to every other one.
    ///
    /// - Parameter timeout: How long.
    /// - Throws: ``NATSTestServerError`` if that takes longer, or `CancellationError`.
    public func waitUntilConnected(timeout: Duration = .seconds(60)) async throws {
        let end = ContinuousClock.now + timeout
        while true {
            let servers = self.nodes.map(\.server.currentServer).filter { $0.boundPort > 0 }
            let missing = servers.filter { $0.routeCounts.remotes < servers.count - 1 || !$0.hasAllRoutes }
            if missing.isEmpty { return }
            guard ContinuousClock.now < end else {
                throw NATSTestServerError(
                    message:
                        "after \(timeout) not connected with all: \(missing.map(\.serverName).joined(separator: ", "))"
                )
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private func stop() async {
        let nodes = self.state.withLockedValue { state in
            state.hasEnded = true
            defer { state.nodes = [] }
            return state.nodes
        }
        await withTaskGroup(of: Void.self) { tasks in
            for node in nodes { tasks.addTask { await node.end() } }
        }
    }
}

extension NATSTestCluster {
    /// One server of a cluster.
    public final class Node: Sendable {
        let place: Int
        let relay: RouteRelay
        /// The server.
        public let server: NATSTestServer

        init(place: Int, server: NATSTestServer, relay: RouteRelay) {
            self.place = place
            self.server = server
            self.relay = relay
        }

        /// URL for clients.
        public var clientURL: String { self.server.clientURL }

        /// Stops the server as its operator would: what is queued is sent, others are told.
        public func stop() async { await self.server.stop() }

        /// Stops the server if it runs, and starts it again on the same ports.
        ///
        /// - Throws: As ``NATSTestServer/restart()``.
        public func restart() async throws { try await self.server.restart() }

        /// Ends the server as if its process had been killed: nobody is told anything, and what is queued is lost.
        public func kill() async {
            self.relay.cutAll()
            await self.server.kill()
        }

        /// Sends the clients away; returns when the server has ended.
        public func enterLameDuckMode() async { await self.server.enterLameDuckMode() }

        func end() async {
            await self.server.stop()
            await self.relay.close()
        }
    }
}
