import NATSClient
import NATSTestServer
import NATSTestSupport
import Testing

/// Clusters with official servers among their members.
@Suite("a cluster with programs in it", .timeLimit(.minutes(3)))
struct MixedClusterTests {
    private static let versions = OfficialServer.Version.allCases.filter {
        TestDependencies.canRun(TestDependencies.officialServer($0), "official nats-server \($0.rawValue)")
    }

    private static func path(_ version: OfficialServer.Version) throws -> String {
        try #require(TestDependencies.officialServer(version))
    }

    @Test("one that is stopped, killed and restarted has the same port and is found again", arguments: versions)
    func comesAndGoes(version: OfficialServer.Version) async throws {
        let path = try Self.path(version)
        let port = try ReservedPort()
        try await NATSTestCluster.withCluster(size: 2) { cluster in
            let program = try await cluster.addNode(program: path, port: port.port)
            #expect(program.server == nil && program.name == "node-3" && program.port == port.port)
            try await cluster.waitUntilConnected()
            let ours = cluster.nodes[0]
            try await ClusterTests.expectMessages(from: ours, to: program)
            try await ClusterTests.expectMessages(from: program, to: ours)
            await program.stop()
            #expect(!program.isRunning && program.output.contains("Server Exiting"))
            try await cluster.waitUntilConnected()
            try await program.restart()
            try await cluster.waitUntilConnected()
            try await ClusterTests.expectMessages(from: ours, to: program)
            await program.kill()
            #expect(!program.isRunning && !program.output.contains("Server Exiting"))
            try await cluster.waitUntilConnected()
            try await program.restart()
            // Also without having been stopped before.
            try await program.restart()
            try await cluster.waitUntilConnected()
            #expect(program.port == port.port)
            try await ClusterTests.expectMessages(from: program, to: cluster.nodes[1])
            try await cluster.nodes[0].restart()
            try await cluster.waitUntilConnected()
            try await ClusterTests.expectMessages(from: program, to: cluster.nodes[0])
            await cluster.removeNode(program)
            #expect(!program.isRunning && cluster.nodes.count == 2)
        }
    }

    @Test(
        "parted from one of ours in whatever way it is found again when that ends",
        arguments: versions,
        [NATSTestCluster.Fault.cut, .blackHole, .halfOpen, .delay(.milliseconds(20))]
    )
    func faults(version: OfficialServer.Version, fault: NATSTestCluster.Fault) async throws {
        let path = try Self.path(version)
        var options = NATSTestCluster.Options()
        options.server.pingInterval = .milliseconds(200)
        try await NATSTestCluster.withCluster(size: 2, options) { cluster in
            let program = try await cluster.addNode(program: path)
            try await cluster.waitUntilConnected()
            let nodes = cluster.nodes
            cluster.partition(nodes[0], program, fault)
            try await ClusterTests.expectMessages(from: nodes[0], to: nodes[1])
            try await ClusterTests.expectMessages(from: nodes[1], to: program)
            if case .delay = fault { try await ClusterTests.expectMessages(from: nodes[0], to: program) }
            cluster.heal(nodes[0], program)
            try await cluster.waitUntilConnected()
            try await ClusterTests.expectMessages(from: nodes[0], to: program)
            try await ClusterTests.expectMessages(from: program, to: nodes[0])
        }
    }

    @Test("there may be official servers only, which are parted and healed alike")
    func officialOnly() async throws {
        try await NATSTestCluster.withCluster(size: 0) { cluster in
            for version in Self.versions { try await cluster.addNode(program: try Self.path(version)) }
            for version in Self.versions { try await cluster.addNode(program: try Self.path(version)) }
            let nodes = cluster.nodes
            guard nodes.count > 1 else { return }
            try await cluster.waitUntilConnected()
            cluster.partition(nodes[0], nodes[1])
            cluster.heal()
            try await cluster.waitUntilConnected()
            try await ClusterTests.expectMessages(from: nodes[0], to: nodes[1])
        }
    }

    @Test("clients leave one that goes into lame duck mode, be it official or ours", arguments: versions)
    func lameDuck(version: OfficialServer.Version) async throws {
        let path = try Self.path(version)
        var options = NATSTestCluster.Options()
        options.server.lameDuckGracePeriod = .milliseconds(100)
        try await NATSTestCluster.withCluster(size: 1, options) { cluster in
            let program = try await cluster.addNode(program: path)
            try await cluster.waitUntilConnected()
            for (here, there) in [(program, cluster.nodes[0]), (cluster.nodes[0], program)] {
                let client = try await NATSClient.connect(.init(servers: [here.clientURL]))
                async let end: Void = here.enterLameDuckMode()
                try await eventually("the other server") {
                    client.isConnected && client.serverInfo?.name == there.name
                }
                await end
                #expect(!here.isRunning)
                await client.close()
                try await here.restart()
                try await cluster.waitUntilConnected()
            }
        }
    }

    @Test("what all servers have in common holds for programs too, and so does a configuration of their own")
    func configuration() async throws {
        guard let path = try Self.versions.first.map(Self.path) else { return }
        var options = NATSTestCluster.Options()
        options.server.user = "joe"
        options.server.password = "a \"secret\" \\"
        try await NATSTestCluster.withCluster(size: 1, options) { cluster in
            let program = try await cluster.addNode(program: path)
            await #expect(throws: NATSError.self) {
                try await NATSClient.connect(.init(servers: [program.clientURL]))
            }
            let login = "joe:a%20%22secret%22%20%5C@"
            let url = program.clientURL.replacing("nats://", with: "nats://\(login)")
            let client = try await NATSClient.connect(.init(servers: [url]))
            await client.close()
            let other = try await cluster.addNode(program: path, configuration: "max_payload: 1000\n")
            let open = try await NATSClient.connect(.init(servers: [other.clientURL]))
            #expect(open.serverInfo?.maxPayload == 1000)
            await open.close()
            var texts = NATSTestServer.Options()
            texts.tls = .init(certificate: .text("a"), key: .text("b"))
            #expect(throws: NATSTestServerError.self) { try texts.configurationText() }
        }
    }

    @Test("a program that is no server, or ends, is an error that says what it has printed")
    func failures() async throws {
        try await NATSTestCluster.withCluster(size: 0) { cluster in
            let noServer = await #expect(throws: NATSTestServerError.self) {
                try await cluster.addNode(program: "/bin/echo")
            }
            #expect(noServer?.message.contains("/bin/echo is no nats-server") ?? false)
            let missing = await #expect(throws: NATSTestServerError.self) {
                try await cluster.addNode(program: "/nowhere/nats-server")
            }
            #expect(missing?.message.contains("/nowhere/nats-server") ?? false)
            guard let path = try Self.versions.first.map(Self.path) else { return }
            let refused = await #expect(throws: NATSTestServerError.self) {
                try await cluster.addNode(program: path, configuration: "no_such_key: 1\n")
            }
            #expect(refused?.message.contains("unknown field \"no_such_key\"") ?? false)
            #expect(cluster.nodes.isEmpty)
        }
    }
}
