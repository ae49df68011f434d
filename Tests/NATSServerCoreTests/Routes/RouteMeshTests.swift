import NATSTestSupport
import Testing

@testable import NATSServerCore

@Suite("Meshes of routes")
struct RouteMeshTests {
    /// Servers with the given routes between them, each started at a random time within two seconds.
    private func mesh(
        _ seed: UInt64,
        _ routes: [[Int]],
        spread: Double = 2,
        _ change: (inout RouteBookOptions) -> Void = { _ in }
    ) -> RouteSimulation {
        var simulation = RouteSimulation(seed: seed)
        // Servers beside each other, or half around the world.
        if seed % 5 == 0 { simulation.delays = 50_000_000...150_000_000 }
        for targets in routes {
            _ = simulation.add { options in
                options.routes = targets.compactMap(RouteSimulation.address(of:))
                options.poolSize = 1
                change(&options)
            }
        }
        var times = routes.indices.map { (Double.random(in: 0...spread, using: &simulation.random), $0) }
        times.sort { $0.0 < $1.0 }
        var passed = 0.0
        for (time, node) in times {
            simulation.run(seconds: time - passed)
            passed = time
            simulation.start(node)
        }
        return simulation
    }

    @Test(
        "two servers that dial each other, at once or not, end up with one connection for each link",
        arguments: 0..<40
    )
    func crossDialling(block: UInt64) {
        for seed in block * 25..<block * 25 + 25 {
            var simulation = self.mesh(seed, [[1], [0]], spread: seed % 2 == 0 ? 0.01 : 2) { options in
                options.poolSize = [-1, 1, 3][Int(seed % 3)]
                options.accounts = seed % 5 == 0 ? [] : ["$SYS"]
            }
            simulation.run(seconds: 10)
            #expect(simulation.complaints().isEmpty, "seed \(seed): \(simulation.complaints())")
            #expect(simulation.counters.dials < 30, "seed \(seed): \(simulation.counters)")
            simulation.counters = RouteSimulation.Counters()
            simulation.run(seconds: 120)
            #expect(simulation.counters == RouteSimulation.Counters(), "seed \(seed)")
        }
    }

    @Test("three servers where any know any others become a mesh", arguments: 0..<40)
    func threeServers(block: UInt64) {
        for seed in block * 25..<block * 25 + 25 {
            var random = SeededGenerator(seed: seed)
            // A tree, so that everybody can be found, and some more; also entries that lead to the server itself.
            var routes = [[Int]](repeating: [], count: 3)
            for node in 1..<3 {
                let other = Int.random(in: 0..<node, using: &random)
                if random.chance(50) { routes[node].append(other) } else { routes[other].append(node) }
            }
            for node in 0..<3 where random.chance(40) { routes[node].append(Int.random(in: 0..<3, using: &random)) }
            var simulation = self.mesh(seed, routes, spread: seed % 3 == 0 ? 0.01 : 2) { options in
                options.poolSize = [-1, 1, 3][Int(seed % 3)]
                options.accounts = ["$SYS"]
            }
            simulation.run(seconds: 10)
            #expect(simulation.complaints().isEmpty, "seed \(seed), \(routes): \(simulation.complaints())")
            simulation.counters = RouteSimulation.Counters()
            simulation.run(seconds: 120)
            #expect(simulation.counters == RouteSimulation.Counters(), "seed \(seed)")
        }
    }

    enum Shape: CaseIterable {
        /// All know the first one.
        case star
        /// Each knows the one before it.
        case chain
        /// Each knows one of those before it.
        case tree
        /// All know all, themselves included.
        case full
        /// Two stars, whose seed servers know each other.
        case twoStars

        func routes(_ count: Int, _ random: inout SeededGenerator) -> [[Int]] {
            (0..<count).map { node in
                switch self {
                case .star: node == 0 ? [] : [0]
                case .chain: node == 0 ? [] : [node - 1]
                case .tree: node == 0 ? [] : [Int.random(in: 0..<node, using: &random)]
                case .full: Array(0..<count)
                case .twoStars: node < 2 ? [1 - node] : [node % 2]
                }
            }
        }
    }

    @Test("any number of servers becomes a mesh, however few know of each other", arguments: Shape.allCases, 0..<6)
    func meshes(shape: Shape, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let count = [4, 5, 7, 10, 15, 20][Int(seed)]
        let routes = shape.routes(count, &random)
        var simulation = self.mesh(seed, routes, spread: seed % 2 == 0 ? 0.02 : 5)
        simulation.run(seconds: 20)
        #expect(simulation.complaints().isEmpty, "\(count): \(simulation.complaints().prefix(5))")
        simulation.counters = RouteSimulation.Counters()
        simulation.run(seconds: 120)
        #expect(simulation.counters == RouteSimulation.Counters())
        for node in simulation.nodes { #expect(node.clientURLs.count == count - 1) }
    }

    @Test("after losses and restarts with other ids every pair is connected again", arguments: 0..<30)
    func restarts(block: UInt64) {
        for seed in block * 10..<block * 10 + 10 {
            var random = SeededGenerator(seed: seed)
            let count = Int.random(in: 2...5, using: &random)
            let shape = Shape.allCases.randomElement(using: &random) ?? .full
            // Whoever is restarted must be able to find the others, and be found.
            let routes = (0..<count).map { node in
                Array(Set(shape.routes(count, &random)[node] + [0, 1])).sorted()
            }
            var simulation = self.mesh(seed, routes) { options in
                options.poolSize = [0, 1, 2][Int(seed % 3)]
                options.accounts = seed % 2 == 0 ? ["$SYS"] : []
            }
            simulation.run(seconds: 10)
            for _ in 0..<5 {
                let node = Int.random(in: 0..<count, using: &random)
                simulation.stop(node, withGoodbye: random.chance(60))
                simulation.run(seconds: random.chance(50) ? 0.01 : Double.random(in: 0...8, using: &random))
                simulation.start(node)
                simulation.run(seconds: random.chance(50) ? 0.05 : Double.random(in: 0...8, using: &random))
            }
            simulation.run(seconds: 60)
            #expect(simulation.complaints().isEmpty, "seed \(seed), \(routes): \(simulation.complaints())")
            simulation.counters = RouteSimulation.Counters()
            simulation.run(seconds: 120)
            #expect(simulation.counters.messages == 0, "seed \(seed): \(simulation.counters)")
        }
    }

    @Test("servers that found each other by gossip find each other again when they were cut off", arguments: 0..<20)
    func partitions(seed: UInt64) {
        var simulation = self.mesh(seed, [[], [0], [0], [0]])
        simulation.run(seconds: 10)
        #expect(simulation.complaints().isEmpty)
        simulation.isolate(1, 2)
        simulation.isolate(3, 2)
        simulation.run(seconds: Double.random(in: 1...600, using: &simulation.random))
        simulation.heal()
        simulation.run(seconds: 45)
        #expect(simulation.complaints().isEmpty, "seed \(seed): \(simulation.complaints())")
    }

    @Test("clusters without a name take over a configured one, or the greatest of those made up", arguments: 0..<30)
    func dynamicNames(seed: UInt64) {
        var number = 0
        var simulation = self.mesh(seed, [[], [0], [1], [0, 2]], spread: seed % 2 == 0 ? 0.01 : 3) { options in
            options.cluster = "made-up-\(number)"
            options.isDynamic = seed % 3 == 0 || number != 2
            if !options.isDynamic { options.cluster = "configured" }
            number += 1
        }
        simulation.run(seconds: 30)
        #expect(simulation.complaints().isEmpty, "seed \(seed): \(simulation.complaints())")
        let name = seed % 3 == 0 ? "made-up-3" : "configured"
        #expect(simulation.nodes.allSatisfy { $0.book.options.cluster == name })
    }
}
