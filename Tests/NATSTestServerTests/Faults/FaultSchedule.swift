import NATSTestServer
import NATSTestSupport

/// What happens to a cluster, from a seed: the same each time.
struct FaultSchedule: CustomStringConvertible {
    enum Step: CustomStringConvertible {
        case kill(Int)
        case stop(Int)
        /// Started again, all at once, whether they run or not.
        case restart([Int])
        case part(Int, Int, NATSTestCluster.Fault)
        case heal(Int, Int)
        /// Clients come, subscribe and publish.
        case traffic
        /// Clients go.
        case silence
        /// Nothing happens for a while, so that servers do what they do by the clock.
        case pass(Duration)
        /// Whoever can reach each other has to be connected.
        case settle

        var description: String {
            switch self {
            case .kill(let node): "kill \(node)"
            case .stop(let node): "stop \(node)"
            case .restart(let nodes): "restart \(nodes)"
            case .part(let first, let second, let fault): "part \(first)–\(second) \(fault)"
            case .heal(let first, let second): "heal \(first)–\(second)"
            case .traffic: "traffic"
            case .silence: "silence"
            case .pass(let time): "\(time)"
            case .settle: "settle"
            }
        }
    }

    let seed: UInt64
    private(set) var steps: [Step] = []

    var description: String { "seed \(self.seed): \(self.steps.map(\.description).joined(separator: ", "))" }

    /// - Parameters:
    ///   - seed: From which everything follows.
    ///   - count: Servers, all of which run at first.
    init(seed: UInt64, nodes count: Int) {
        self.seed = seed
        var random = SeededGenerator(seed: seed)
        var running = Set(0..<count)
        var parted: [(Int, Int)] = []
        for _ in 0..<Int.random(in: 6...14, using: &random) {
            switch Int.random(in: 0..<100, using: &random) {
            case ..<20:
                guard running.count > 1, let node = running.sorted().randomElement(using: &random) else { continue }
                running.remove(node)
                self.steps.append(random.chance(70) ? .kill(node) : .stop(node))
            case ..<40:
                // Some that are down, seldom one that runs.
                var nodes = (0..<count).filter { !running.contains($0) && random.chance(70) }
                if random.chance(30), let node = running.sorted().randomElement(using: &random) { nodes.append(node) }
                guard !nodes.isEmpty else { continue }
                running.formUnion(nodes)
                self.steps.append(.restart(nodes))
            case ..<60:
                let first = Int.random(in: 0..<count, using: &random)
                let second = (first + Int.random(in: 1..<count, using: &random)) % count
                let delay = Duration.milliseconds(Int.random(in: 1...300, using: &random))
                parted.append((first, second))
                self.steps.append(
                    .part(first, second, random.pick(.cut, .cut, .blackHole, .halfOpen, .delay(delay)))
                )
            case ..<72:
                guard let pair = parted.randomElement(using: &random) else { continue }
                parted.removeAll { $0 == pair }
                self.steps.append(.heal(pair.0, pair.1))
            case ..<82: self.steps.append(.traffic)
            case ..<85: self.steps.append(.silence)
            case ..<95: self.steps.append(.pass(.milliseconds(Int.random(in: 1...1500, using: &random))))
            default: self.steps.append(.settle)
            }
        }
    }
}
