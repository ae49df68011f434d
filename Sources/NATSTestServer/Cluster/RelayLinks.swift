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
        /// Servers that are being started and whose ids are not known yet.
        var starting = 0
        /// Who dials and is not known yet.
        var unknown: [(id: String, promise: EventLoopPromise<Int?>)] = []
        /// What goes through, by who dialled whom.
        var passages: [ObjectIdentifier: (pair: Pair, passage: RelayPassage)] = [:]
    }

    private let state = NIOLockedValueBox(State())
    private let observer: (@Sendable (NATSTestCluster.Passing) -> Void)?

    /// - Parameter observer: Sees what servers send to each other, before it is lost or delayed.
    init(_ observer: (@Sendable (NATSTestCluster.Passing) -> Void)?) { self.observer = observer }

    /// Bytes have come on their way from one node to another.
    func observe(_ bytes: ByteBuffer, from: Int, to: Int, on passage: RelayPassage) {
        guard let observer = self.observer else { return }
        let isDialler = from == passage.dialler
        observer(
            .init(
                from: from,
                to: to,
                connection: .init(passage),
                isDialler: isDialler,
                bytes: Array(bytes.readableBytesView)
            )
        )
    }

    /// A server is about to start, or has told who it is.
    func setNode(_ node: Int, of serverID: String) {
        self.state.withLockedValue { $0.nodes[serverID] = node }
        self.answerUnknown()
    }

    /// A server will start whose id nobody knows before it says so.
    func willStart() { self.state.withLockedValue { $0.starting += 1 } }

    /// It has started, or failed to do so.
    func hasStarted() {
        self.state.withLockedValue { $0.starting -= 1 }
        self.answerUnknown()
    }

    /// The node of a server; `nil` if it is none of the cluster.
    ///
    /// Waits while it may be one that is being started.
    func node(of serverID: String, on loop: any EventLoop) -> EventLoopFuture<Int?> {
        let promise = loop.makePromise(of: Int?.self)
        self.state.withLockedValue { $0.unknown.append((serverID, promise)) }
        self.answerUnknown()
        return promise.futureResult
    }

    private func answerUnknown() {
        let answers = self.state.withLockedValue { state in
            let isFinal = state.starting == 0
            let answers = state.unknown.filter { isFinal || state.nodes[$0.id] != nil }
                .map { (promise: $0.promise, node: state.nodes[$0.id]) }
            state.unknown.removeAll { isFinal || state.nodes[$0.id] != nil }
            return answers
        }
        for answer in answers { answer.promise.succeed(answer.node) }
    }

    func set(_ fault: NATSTestCluster.Fault, from first: Int, to second: Int) {
        let (there, back) = (Pair(from: first, to: second), Pair(from: second, to: first))
        let ended = self.state.withLockedValue { state in
            // A connection that has lost something is of no use under another fault either.
            let hasLost = [state.faults[there], state.faults[back]].contains { $0 == .blackHole || $0 == .halfOpen }
            state.faults[there] = fault
            state.faults[back] = fault == .halfOpen ? nil : fault
            return fault == .cut || hasLost ? Self.between(first, second, state) : []
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

    /// Whether two nodes cannot reach each other.
    func isParted(_ first: Int, _ second: Int) -> Bool {
        [self.fault(from: first, to: second), self.fault(from: second, to: first)].contains { fault in
            switch fault {
            case .cut, .blackHole, .halfOpen: true
            case .delay, nil: false
            }
        }
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

    /// The connections of a node end from its side.
    func endAll(of node: Int) {
        let ended = self.state.withLockedValue { state in
            state.passages.values.filter { $0.pair.from == node || $0.pair.to == node }.map(\.passage)
        }
        for passage in ended { passage.end(from: node) }
    }

    private static func between(_ first: Int, _ second: Int, _ state: State) -> [RelayPassage] {
        let pairs = [Pair(from: first, to: second), Pair(from: second, to: first)]
        return state.passages.values.filter { pairs.contains($0.pair) }.map(\.passage)
    }
}
