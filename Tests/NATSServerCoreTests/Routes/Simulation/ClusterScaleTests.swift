import NATSTestServer
import NATSTestSupport
import Testing

@testable import NATSServerCore

/// What clusters cost as they grow; `make simulate` prints a line for each size.
@Suite("the cost of a full mesh", .timeLimit(.minutes(30)))
struct ClusterScaleTests {
    /// One line of the table.
    private static func line(_ count: Int) throws -> String {
        var scale = ClusterScale(count)
        let started = scale.start()
        let start = try #require(started)
        #expect(scale.simulation.complaints().isEmpty)
        let (connections, keys, ledger) = (scale.connections, scale.knownKeys, scale.ledgerBytes)
        // Four to each other server; and all that the others want.
        #expect(connections == 4 * (count - 1))
        #expect(keys == 160 * (count - 1))
        let rest = scale.rest()
        #expect(rest.messages == 2 * rest.keepAlives)
        scale.simulation.keepsAlive = false
        let subscribed = scale.subscribe()
        let subscribe = try #require(subscribed)
        #expect(subscribe.counters.messages == count - 1)
        let restarted = scale.restart()
        let restart = try #require(restarted)
        let joined = scale.join()
        let join = try #require(joined)
        #expect(scale.simulation.complaints().isEmpty)
        func seconds(_ cost: ClusterScale.Cost) -> String {
            let hundredths = Int((cost.seconds * 100).rounded())
            return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
        }
        let fields = [
            "\(count)", "\(count * connections / 2)", "\(connections)",
            "\(start.handshakes)", "\(start.counters.gossip)", "\(start.interest)", seconds(start),
            "\(join.handshakes)", "\(join.interest)", seconds(join),
            "\(restart.handshakes)", "\(restart.interest)", seconds(restart),
            "\(rest.messages)", "\(keys)", "\(ledger)",
        ]
        return "| \(fields.joined(separator: " | ")) |"
    }

    @Test("from 3 to 100 servers everybody gets to know everything")
    func growth() throws {
        let counts = TestDependencies.runsLongTests ? [3, 5, 10, 20, 30, 50, 75, 100] : [3, 5, 10]
        for count in counts {
            let line = try Self.line(count)
            if TestDependencies.runsLongTests { print(line) }
        }
    }

    @Test("three real servers send each other what three simulated ones do, message by message", arguments: 0..<3)
    func reality(round: Int) async throws {
        let passing = PassingLines()
        var options = NATSTestCluster.Options()
        options.observer = passing.observe
        try await NATSTestCluster.withCluster(size: 1, options) { cluster in
            let seedNode = cluster.nodes[0]
            var clients: [RawConnection] = []
            /// Half of a server's subscriptions are there before the others come, half come later.
            func subscribe(_ node: NATSTestCluster.Node, _ half: Int) async throws {
                let client = try RawConnection.connect(port: node.port, answersPings: true)
                let subjects = (0..<20).map { "SUB \(node.name).\(half).\($0) \($0)\r\n" }
                await client.send("CONNECT {\"verbose\":false}\r\n\(subjects.joined())PING\r\n")
                _ = try await client.read(until: "PONG\r\n")
                clients.append(client)
            }
            try await subscribe(seedNode, 0)
            for _ in 0..<2 {
                // The others know the first one only.
                let node = try await cluster.addNode { options in
                    let first = options.cluster?.routes.prefix(1) ?? []
                    options.cluster?.routes = Array(first)
                }
                try await subscribe(node, 0)
                try await cluster.waitUntilConnected()
            }
            for node in cluster.nodes { try await subscribe(node, 1) }

            let systemKeys = try await passing.systemKeys()
            // Which of several messages comes first is chance, here and there, and gossip depends on it.
            let simulated = try (0..<64).map { try Self.threeServers(seed: $0, systemKeys: systemKeys) }
            do {
                try await eventually("as many messages as simulated") {
                    simulated.contains { $0.counts == passing.counts }
                }
            } catch {
                Issue.record("simulated: \(Set(simulated.map { "\($0.counts)" }))\nreal: \(passing.counts)")
            }
            // Who has dialled the first connection of a pair asks whether it may open more; the rest is by the clock.
            #expect(passing.pings >= simulated[0].pings)
            for client in clients { client.close() }
        }
    }
    /// What three servers send each other that come one after the other and know the first one only.
    private static func threeServers(
        seed: UInt64,
        systemKeys: Int
    ) throws -> (counts: PassingLines.Counts, pings: Int) {
        var simulation = RouteSimulation(seed: seed)
        for place in 0..<3 {
            let added = simulation.add { options in
                options.routes = place == 0 ? [] : [0].compactMap(RouteSimulation.address(of:))
                options.accounts = ["$SYS"]
            }
            let node = try #require(added)
            simulation.subscribe((0..<systemKeys).map { "$SYS.\($0)" }, in: "$SYS", at: node)
            simulation.subscribe((0..<20).map { "\(place).0.\($0)" }, in: "$G", at: node)
        }
        for place in 0..<3 {
            simulation.start(place)
            let seconds = simulation.runUntilConverged()
            #expect(seconds != nil)
        }
        for place in 0..<3 { simulation.subscribe((0..<20).map { "\(place).1.\($0)" }, in: "$G", at: place) }
        simulation.run(seconds: 20)
        #expect(simulation.complaints().isEmpty)
        let counters = simulation.counters
        let counts = PassingLines.Counts(
            connects: counters.connects,
            infos: counters.infos,
            gossip: counters.gossip,
            interest: counters.interest,
            noInterest: counters.noInterest
        )
        return (counts, counters.pings)
    }
}
