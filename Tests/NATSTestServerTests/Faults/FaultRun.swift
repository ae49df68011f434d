import NATSTestServer
import NATSTestSupport

/// A cluster to which a ``FaultSchedule`` happens.
struct FaultRun {
    /// A schedule did not end well.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Far beyond what any schedule takes.
    private static let patience: Duration = .seconds(240)

    let schedule: FaultSchedule
    /// For each node the path of a program, or `nil` for a server of this process.
    let programs: [String?]
    private let progress = Watched("start")
    /// What servers of this process have said, one log for each.
    private let logs: [CollectedLog]

    init(seed: UInt64, programs: [String?]) {
        self.schedule = FaultSchedule(seed: seed, nodes: programs.count)
        self.programs = programs
        self.logs = programs.map { _ in CollectedLog() }
    }

    /// Runs it in a task of its own, so that one that hangs fails as others do.
    func run() async throws {
        let outcome = Watched<Result<Void, Failure>?>(nil)
        let task = Task {
            do {
                try await self.perform()
                outcome.update { $0 = .success(()) }
            } catch {
                let text = "at \"\(self.progress.value)\": \(error)"
                outcome.update { $0 = .failure(Failure(description: "\(text)\n\(self.schedule)\n\(self.programs)")) }
            }
        }
        guard await outcome.wait(timeout: Self.patience, until: { $0 != nil }), let result = outcome.value else {
            task.cancel()
            throw Failure(description: "hangs at \"\(self.progress.value)\"\n\(self.schedule)\n\(self.programs)")
        }
        try result.get()
    }

    private func perform() async throws {
        var random = SeededGenerator(seed: self.schedule.seed ^ 0x5eed)
        var options = NATSTestCluster.Options()
        // Some notice by themselves whom they have lost, others only when it heals.
        if random.chance(50) { options.server.pingInterval = .seconds(1) }
        options.poolSize = random.pick(3, 3, 3, 1, 0)
        options.server.eventLoopCount = random.pick(1, 2)
        // Ports that nobody takes while a server is down.
        var ports: [ReservedPort] = []
        for _ in 0..<self.programs.count * 2 { ports.append(try ReservedPort()) }
        try await NATSTestCluster.withCluster(size: 0, options) { cluster in
            for (place, program) in self.programs.enumerated() {
                if let program {
                    try await cluster.addNode(program: program, port: ports[place].port)
                } else {
                    try await cluster.addNode { options in
                        options.port = ports[place].port
                        options.logger = self.logs[place].logger
                        options.cluster?.port = ports[self.programs.count + place].port
                    }
                }
            }
            let nodes = cluster.nodes
            do {
                try await cluster.waitUntilConnected()
                var crowd: [RawConnection] = []
                for step in self.schedule.steps {
                    self.progress.update { $0 = "\(step)" }
                    try await self.perform(step, cluster, nodes, &crowd, &random)
                }
                for connection in crowd { connection.close() }
                try await self.conclude(cluster, nodes, &random)
            } catch {
                let outputs = nodes.enumerated().map { place, node in
                    let lines = self.programs[place] == nil ? self.logs[place].lines : [node.output]
                    return
                        "\(node.name):\n\(lines.filter { !$0.contains("Ping Timer") }.suffix(300).joined(separator: "\n"))"
                }
                throw Failure(description: "\(error)\n\(outputs.joined(separator: "\n\n"))")
            }
        }
    }

    private func perform(
        _ step: FaultSchedule.Step,
        _ cluster: NATSTestCluster,
        _ nodes: [NATSTestCluster.Node],
        _ crowd: inout [RawConnection],
        _ random: inout SeededGenerator
    ) async throws {
        switch step {
        case .kill(let place): await nodes[place].kill()
        case .stop(let place): await nodes[place].stop()
        case .restart(let places): try await self.restart(places.map { nodes[$0] })
        case .part(let first, let second, let fault): cluster.partition(nodes[first], nodes[second], fault)
        case .heal(let first, let second): cluster.heal(nodes[first], nodes[second])
        case .pass(let time): try await Task.sleep(for: time)
        case .settle: try await cluster.waitUntilConnected()
        case .silence:
            for connection in crowd { connection.close() }
            crowd = []
        case .traffic:
            for node in nodes where node.isRunning {
                let connection = try await Audience.connect(node)
                let subjects = (0..<5).map { "SUB ghost.\(Int.random(in: 0..<9, using: &random)) \($0)\r\n" }
                let group = "SUB ghost.> ghosts 9\r\n"
                let messages = (0..<9).map { "PUB ghost.\($0) 2\r\nhi\r\n" }
                await connection.send(subjects.joined() + group + messages.joined() + "PING\r\n")
                _ = try await connection.read(until: "PONG\r\n")
                crowd.append(connection)
            }
        }
    }

    private func restart(_ nodes: [NATSTestCluster.Node]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for node in nodes { tasks.addTask { try await node.restart() } }
            try await tasks.waitForAll()
        }
    }

    /// Everything is healed, and then everything arrives.
    private func conclude(
        _ cluster: NATSTestCluster,
        _ nodes: [NATSTestCluster.Node],
        _ random: inout SeededGenerator
    ) async throws {
        self.progress.update { $0 = "heal" }
        if random.chance(50) {
            cluster.heal()
            try await self.restart(nodes.filter { !$0.isRunning })
        } else {
            try await self.restart(nodes.filter { !$0.isRunning })
            cluster.heal()
        }
        try await cluster.waitUntilConnected()
        self.progress.update { $0 = "interest" }
        let audience = try await Audience(nodes, &random)
        defer { audience.close() }
        try await audience.waitUntilKnown(nodes)
        self.progress.update { $0 = "messages" }
        try await audience.checkDelivery()
        self.progress.update { $0 = "nobody" }
        for number in 0..<9 { try await audience.waitUntilNobody("ghost.\(number)") }
    }
}
