import NATSClient
import NATSTestServer
import NATSTestSupport
import Testing

/// Clusters inside a test: what they do to clients when servers come and go, and when they are parted.
@Suite("a cluster inside a test", .timeLimit(.minutes(2)))
struct ClusterTests {
    private static func connect(_ node: NATSTestCluster.Node) async throws -> NATSClient {
        try await NATSClient.connect(.init(servers: [node.clientURL]))
    }

    /// Waits until a message from one node comes to another one.
    static func expectMessages(
        from here: NATSTestCluster.Node,
        to there: NATSTestCluster.Node
    ) async throws {
        let subscriber = try await self.connect(there)
        let publisher = try await self.connect(here)
        let received = Watched(0)
        let task = Task {
            for try await _ in try await subscriber.subscribe("cluster.test") { received.update { $0 += 1 } }
        }
        try await eventually("a message of the other server") {
            try await publisher.publish("hi", to: "cluster.test")
            try await publisher.flush()
            return await received.wait(timeout: .milliseconds(20)) { $0 > 0 }
        }
        task.cancel()
        await subscriber.close()
        await publisher.close()
    }

    @Test("every server reaches every other one, also one that is added and one that is started again")
    func comeAndGo() async throws {
        try await NATSTestCluster.withCluster(size: 3) { cluster in
            let nodes = cluster.nodes
            for here in nodes {
                for there in nodes where here !== there { try await Self.expectMessages(from: here, to: there) }
            }
            let added = try await cluster.addNode()
            try await cluster.waitUntilConnected()
            try await Self.expectMessages(from: added, to: nodes[1])
            await nodes[0].stop()
            try await Self.expectMessages(from: nodes[1], to: added)
            try await nodes[0].restart()
            try await cluster.waitUntilConnected()
            try await Self.expectMessages(from: nodes[0], to: added)
            await nodes[2].kill()
            try await Self.expectMessages(from: nodes[0], to: nodes[1])
            try await nodes[2].restart()
            try await cluster.waitUntilConnected()
            try await Self.expectMessages(from: added, to: nodes[2])
        }
    }

    @Test(
        "nodes that are parted in whatever way find each other again when that ends",
        arguments: [
            NATSTestCluster.Fault.cut, .blackHole, .halfOpen, .delay(.milliseconds(20)),
        ]
    )
    func faults(fault: NATSTestCluster.Fault) async throws {
        var options = NATSTestCluster.Options()
        options.server.pingInterval = .milliseconds(200)
        try await NATSTestCluster.withCluster(size: 3, options) { cluster in
            let nodes = cluster.nodes
            cluster.partition(nodes[0], nodes[1], fault)
            // The third one has nothing to do with it.
            try await Self.expectMessages(from: nodes[0], to: nodes[2])
            try await Self.expectMessages(from: nodes[2], to: nodes[1])
            if case .delay = fault { try await Self.expectMessages(from: nodes[0], to: nodes[1]) }
            cluster.heal(nodes[0], nodes[1])
            try await cluster.waitUntilConnected()
            try await Self.expectMessages(from: nodes[0], to: nodes[1])
            try await Self.expectMessages(from: nodes[1], to: nodes[0])
        }
    }

    @Test("a client learns of servers that come, and leaves one that goes")
    func clients() async throws {
        try await NATSTestCluster.withCluster(size: 2) { cluster in
            let nodes = cluster.nodes
            let client = try await Self.connect(nodes[0])
            let added = try await cluster.addNode()
            try await eventually("all URLs") {
                client.serverInfo?.connectURLs.contains { $0.hasSuffix(":\(added.port)") } ?? false
            }
            await nodes[0].stop()
            try await eventually("another server") {
                client.isConnected && client.serverInfo?.name != "node-1"
            }
            await client.close()
        }
    }
}
