import NIOConcurrencyHelpers
import NIOCore

/// What lies between every two nodes of a cluster.
final class RelayLinks: Sendable {
    private struct Pair: Hashable {
        let from: Int
        let to: Int
    }

    private struct State {
        /// By direction.
        var faults: [Pair: NATSTestCluster.Fault] = [:]
        /// The nodes of servers, by their ids; a restarted server has another one.
        var nodes: [String: Int] = [:]
        /// What goes through, by who dialled whom.
        var passages: [ObjectIdentifier: (pair: Pair, passage: RelayPassage)] = [:]
    }

    private let state = NIOLockedValueBox(State())

    /// A server is about to start.
    func setNode(_ node: Int, of serverID: String) { self.state.withLockedValue { $0.nodes[serverID] = node } }

    func node(of serverID: String) -> Int? { self.state.withLockedValue { $0.nodes[serverID] } }

    func set(_ fault: NATSTestCluster.Fault, from first: Int, to second: Int) {
        let ended = self.state.withLockedValue { state in
            state.faults[Pair(from: first, to: second)] = fault
            state.faults[Pair(from: second, to: first)] = fault == .halfOpen ? nil : fault
            return fault == .cut ? Self.between(first, second, state) : []
        }
        for passage in ended { passage.close() }
    }

    func heal(_ first: Int, _ second: Int) {
        let ended = self.state.withLockedValue { state in
            let faults = [
                state.faults.removeValue(forKey: Pair(from: first, to: second)),
                state.faults.removeValue(forKey: Pair(from: second, to: first)),
            ]
            let hasLost = faults.contains { $0 == .blackHole || $0 == .halfOpen }
            return hasLost ? Self.between(first, second, state) : []
        }
        for passage in ended { passage.close() }
    }

    func healAll() {
        let pairs = self.state.withLockedValue { Array($0.faults.keys) }
        for pair in pairs { self.heal(pair.from, pair.to) }
    }

    /// What happens to bytes on their way from one node to another.
    func fault(from: Int, to: Int) -> NATSTestCluster.Fault? {
        self.state.withLockedValue { $0.faults[Pair(from: from, to: to)] }
    }

    /// A connection is relayed from now on.
    ///
    /// - Returns: `false` if there may be none.
    func add(_ passage: RelayPassage) -> Bool {
        self.state.withLockedValue { state in
            let pair = Pair(from: passage.dialler, to: passage.acceptor)
            guard state.faults[pair] != .cut else { return false }
            state.passages[ObjectIdentifier(passage)] = (pair, passage)
            return true
        }
    }

    func remove(_ passage: RelayPassage) {
        self.state.withLockedValue { _ = $0.passages.removeValue(forKey: ObjectIdentifier(passage)) }
    }

    /// Ends all connections of a node.
    func cutAll(of node: Int) {
        let ended = self.state.withLockedValue { state in
            state.passages.values.filter { $0.pair.from == node || $0.pair.to == node }.map(\.passage)
        }
        for passage in ended { passage.close() }
    }

    private static func between(_ first: Int, _ second: Int, _ state: State) -> [RelayPassage] {
        let pairs = [Pair(from: first, to: second), Pair(from: second, to: first)]
        return state.passages.values.filter { pairs.contains($0.pair) }.map(\.passage)
    }
}
