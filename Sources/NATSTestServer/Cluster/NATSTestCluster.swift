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
/// Servers reach each other through relays of the cluster, which is how ``partition(_:_:_:)`` works for whatever server:
/// besides servers of this process there may be others that are programs, official ones for instance
/// (``addNode(program:port:configuration:)``).
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
        /// Sees what servers send to each other; on event loops, in the order of each connection.
        package var observer: (@Sendable (Passing) -> Void)?

        /// The defaults.
        public init() {}
    }

    private struct State {
        var nodes: [Node] = []
        var count = 0
        var hasEnded = false
    }

    let links: RelayLinks
    private let options: Options
    private let state = NIOLockedValueBox(State())

    private init(_ options: Options) {
        self.options = options
        self.links = RelayLinks(options.observer)
    }

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
        var options = self.options.server
        return try await self.addNode { place, routes, relay in
            options.serverName = Self.name(of: place)
            var cluster = NATSTestServer.Cluster(name: self.options.name, routes: routes)
            cluster.poolSize = self.options.poolSize
            cluster.advertise = "127.0.0.1:\(relay.port)"
            options.cluster = cluster
            change(&options)
            let server = try await NATSTestServer.start(options) { id in self.links.setNode(place, of: id) }
            relay.setTarget(port: server.clusterPort, node: place)
            let accounts = [options.systemAccount].compactMap { $0 } + (options.cluster?.accounts ?? [])
            return OwnMember(
                server: server,
                poolSize: max(0, options.cluster?.poolSize ?? 0),
                dedicatedAccounts: Set(accounts)
            )
        }
    }

    #if os(Linux) || os(macOS)
    /// Adds a server that is a program, an official `nats-server` for instance, which dials those that are there.
    ///
    /// It ends with the cluster, and also if this process does.
    ///
    /// - Parameters:
    ///   - path: Where the program is. Its command line and configuration have to be those of `nats-server`, 2.9 or later.
    ///   - port: Port for clients; 0 takes a free one, which a restarted server has again.
    ///   - configuration: Text for its configuration file, besides names, listeners and `cluster`. If `nil`, the same as
    ///     ``Options/server`` says.
    /// - Returns: The node; its server runs, and may not be connected to others yet.
    /// - Throws: ``NATSTestServerError`` if it cannot be started, with what it has printed.
    @discardableResult
    public func addNode(
        program path: String,
        port: Int = 0,
        configuration: String? = nil
    ) async throws -> Node {
        // Of its own one nothing is known.
        let dedicated = configuration == nil ? self.options.server.systemAccount : nil
        let configuration = try configuration ?? self.options.server.configurationText()
        return try await self.addNode { place, routes, relay in
            let setup = ProgramMember.Setup(
                path: path,
                name: Self.name(of: place),
                clusterName: self.options.name,
                routes: routes,
                poolSize: self.options.poolSize,
                dedicatedAccounts: Set([dedicated].compactMap { $0 }),
                configuration: configuration,
                place: place,
                relay: relay
            )
            return try await ProgramMember.start(setup, port: port)
        }
    }
    #endif

    private static func name(of place: Int) -> String { "node-\(place)" }

    private func addNode(
        _ start: (_ place: Int, _ routes: [String], RouteRelay) async throws -> any ClusterMember
    ) async throws -> Node {
        let routes = self.nodes.map(\.relay.url)
        let place = self.state.withLockedValue { state in
            state.count += 1
            return state.count
        }
        let relay = try await RouteRelay(links: self.links)
        let member: any ClusterMember
        do {
            member = try await start(place, routes, relay)
        } catch {
            await relay.close()
            throw error
        }
        let node = Node(place: place, name: Self.name(of: place), member: member, relay: relay)
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

    /// Waits until every server that runs has its routes to every other one that it can reach, and has noticed which ones
    /// have gone.
    ///
    /// - Parameter timeout: How long.
    /// - Throws: ``NATSTestServerError`` if that takes longer, or `CancellationError`.
    public func waitUntilConnected(timeout: Duration = .seconds(60)) async throws {
        let end = ContinuousClock.now + timeout
        while true {
            let nodes = self.nodes.filter(\.isRunning)
            let known = Set(nodes.map(\.member.serverID))
            var missing: [String] = []
            for node in nodes {
                let others = nodes.filter { $0 !== node }
                let reachable = others.filter { !self.links.isParted(node.place, $0.place) }
                // A program that does not answer may just be ending.
                let isConnected = try? await node.member.isConnected(to: reachable.map(\.member), known: known)
                // What is missing to others may be missing until they are reached again.
                let isComplete = reachable.count < others.count || node.member.isComplete
                if isConnected != true || !isComplete {
                    let counts = (try? await node.member.connections()) ?? [:]
                    let found = nodes.compactMap { other in
                        counts[other.member.serverID].map { "\(other.name): \($0)" }
                    }
                    let strangers = counts.keys.count { !known.contains($0) }
                    missing.append("\(node.name) (\(found.joined(separator: ", ")), gone: \(strangers))")
                }
            }
            if missing.isEmpty { return }
            guard ContinuousClock.now < end else {
                throw NATSTestServerError(
                    message: "after \(timeout) not connected with all: \(missing.joined(separator: ", "))"
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
