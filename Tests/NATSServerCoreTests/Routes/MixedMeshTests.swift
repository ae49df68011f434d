import NATSTestSupport
import Testing

@testable import NATSServerCore

@Suite("Meshes of routes with official servers")
struct MixedMeshTests {
    enum Kind: CaseIterable {
        /// 2.15 with a pool of three and a connection for the system account.
        case new
        /// The same with `pool_size: -1`.
        case noPool
        /// 2.9.
        case old
    }

    /// Servers of which some are official, each started at a random time.
    private func mesh(_ seed: UInt64, _ kinds: [Kind?], _ routes: [[Int]], ours: Int) -> RouteSimulation {
        var simulation = RouteSimulation(seed: seed)
        // Servers beside each other, or half around the world.
        if seed % 5 == 0 { simulation.delays = 50_000_000...150_000_000 }
        for (kind, targets) in zip(kinds, routes) {
            _ = simulation.add(as: kind.map { .official(isOld: $0 == .old) } ?? .ours) { options in
                options.routes = targets.compactMap(RouteSimulation.address(of:))
                options.poolSize = kind == nil ? ours : kind == .new ? 3 : kind == .noPool ? -1 : 0
                options.accounts = ["$SYS"]
            }
        }
        let spread = seed % 2 == 0 ? 0.01 : 2
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
        "with an official server that dials too, one connection for each link is left",
        arguments: Kind.allCases,
        [-1, 1, 3]
    )
    func pairs(kind: Kind, ours: Int) {
        for seed in UInt64(0)..<150 {
            var simulation = self.mesh(seed, [nil, kind], [[1], [0]], ours: ours)
            simulation.run(seconds: 20)
            #expect(simulation.complaints().isEmpty, "seed \(seed): \(simulation.complaints())")
            simulation.counters = RouteSimulation.Counters()
            simulation.run(seconds: 60)
            #expect(simulation.counters.messages == 0, "seed \(seed): \(simulation.counters)")
        }
    }

    @Test("three servers, official or not, become a mesh whoever knows whom", arguments: 0..<20)
    func threes(block: UInt64) {
        for seed in block * 20..<block * 20 + 20 {
            var random = SeededGenerator(seed: seed)
            var kinds: [Kind?] = [nil, Kind.allCases.randomElement(using: &random), random.chance(50) ? nil : .new]
            kinds.shuffle(using: &random)
            let routes = random.pick([[], [0], [0]], [[], [0], [1]], [[1, 2], [0, 2], [0, 1]], [[1], [2], []])
            var simulation = self.mesh(seed, kinds, routes, ours: random.pick(1, 3))
            simulation.run(seconds: 30)
            #expect(simulation.complaints().isEmpty, "seed \(seed), \(kinds) \(routes): \(simulation.complaints())")
            // One that nobody has to be told of by somebody else.
            let node = routes[0].isEmpty ? 0 : 2
            simulation.stop(node, withGoodbye: random.chance(50))
            simulation.run(seconds: Double.random(in: 0...10, using: &random))
            simulation.start(node)
            simulation.run(seconds: 60)
            #expect(simulation.complaints().isEmpty, "seed \(seed), \(kinds) \(routes): \(simulation.complaints())")
            simulation.counters = RouteSimulation.Counters()
            simulation.run(seconds: 60)
            #expect(simulation.counters.messages == 0, "seed \(seed), \(kinds) \(routes): \(simulation.counters)")
        }
    }
}
