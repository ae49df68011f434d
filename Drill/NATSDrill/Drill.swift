import NATSTestSupport
import NIOConcurrencyHelpers

/// A rolling upgrade of a cluster under load: servers of one program are replaced by those of another, one by one.
package struct Drill: Sendable {
    private let options: DrillOptions
    private let nodes: [DrillNode]
    private let clock = DrillClock()

    private init(_ options: DrillOptions) throws {
        self.options = options
        self.nodes = try DrillNode.Name.allCases.map { try DrillNode($0) }
    }

    /// Does it; whatever happens, all servers and clients have ended when it returns.
    ///
    /// - Returns: How it went, also if messages were lost.
    /// - Throws: If it could not be done.
    package static func run(_ options: DrillOptions) async throws -> DrillReport {
        let drill = try Self(options)
        let members = NIOLockedValueBox<[any DrillMember]>([])
        let result: Result<DrillReport, any Error>
        do {
            result = .success(try await drill.run(members))
        } catch {
            result = .failure(error)
        }
        for member in members.withLockedValue({ $0 }) { await member.end() }
        for node in drill.nodes { await node.stop() }
        return try result.get()
    }

    private func run(_ box: NIOLockedValueBox<[any DrillMember]>) async throws -> DrillReport {
        for node in self.nodes { try await self.start(node, self.options.first) }
        let members = try await self.join(box)
        for member in members { member.startLoad() }
        self.note(
            "load: "
                + self.options.families.map { "\(self.options.clients[$0] ?? 0) \($0.rawValue)" }
                .joined(separator: ", ")
        )
        for step in self.options.steps {
            try await Task.sleep(for: self.options.pause)
            try await self.perform(step, members)
        }
        try await Task.sleep(for: self.options.pause)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for member in members { tasks.addTask { try await member.stopLoad() } }
            try await tasks.waitForAll()
        }
        self.note("end of the load")
        let records = try await self.settle(members)
        return DrillReport(records, timeline: self.clock.moments)
    }

    // MARK: Servers

    /// Starts a server; A and B know each other, T knows both, and clients know A and B.
    private func start(_ node: DrillNode, _ program: DrillOptions.Program) async throws {
        let routes = self.nodes.filter { $0.name != node.name && $0.name != .t }.map(\.routeURL)
        try await node.start(program, routes: routes, self.options)
        try await DrillMesh.with(self.nodes.filter(\.isRunning)) { try await $0.await() }
        self.note("\(node.name.rawValue): \(program.label) runs, with routes to all others")
    }

    private func perform(_ step: DrillOptions.Step, _ members: [any DrillMember]) async throws {
        guard let node = self.nodes.first(where: { $0.name == step.node }) else { return }
        let before = Self.moves(members)
        let leaving = members.compactMap { $0 as? OwnMember }.filter { $0.hasToLeave(node) }
        let moved = leaving.map { $0.record.moves }
        self.note("\(node.name.rawValue): lame duck mode")
        node.enterLameDuckMode()
        if self.options.endsServersThatWereLeft {
            try await eventually("migrating clients leave \(node.name.rawValue)", timeout: .seconds(300)) {
                zip(leaving, moved).allSatisfy { $0.record.moves > $1 }
            }
            node.interrupt()
        }
        try await node.awaitEnd(timeout: self.options.lameDuckDuration + .seconds(120))
        let after = Self.moves(members)
        self.note(
            "\(node.name.rawValue): ended; \(after.migrations - before.migrations) clients had migrated, "
                + "\(after.reconnects - before.reconnects) reconnected"
        )
        if let program = step.program { try await self.start(node, program) }
    }

    private static func moves(_ members: [any DrillMember]) -> (migrations: Int, reconnects: Int) {
        members.map(\.record).reduce((0, 0)) { ($0.0 + $1.migrations, $0.1 + $1.reconnects) }
    }

    // MARK: Clients

    /// Connects all clients, and waits until each server knows the subscriptions of each.
    private func join(_ box: NIOLockedValueBox<[any DrillMember]>) async throws -> [any DrillMember] {
        let servers = self.nodes.filter { $0.name != .t }.map(\.clientURL)
        for family in self.options.families {
            for number in 1...(self.options.clients[family] ?? 1) {
                let name = "\(family.rawValue)-\(number)"
                let member: any DrillMember =
                    switch family {
                    case .migrating, .reconnecting:
                        try await OwnMember(name: name, family: family, servers: servers, options: self.options)
                    case .python, .libnats:
                        try PeerMember(name: name, family: family, servers: servers, options: self.options)
                    }
                box.withLockedValue { $0.append(member) }
            }
        }
        let members = box.withLockedValue { $0 }
        try await DrillMesh.with(self.nodes) { mesh in
            try await mesh.probe { names in
                for member in members { try member.check() }
                return members.allSatisfy { names.isSubset(of: $0.record.plain.keys) }
            }
        }
        return members
    }

    /// Waits for what is still on its way.
    private func settle(_ members: [any DrillMember]) async throws -> [DrillRecord] {
        var arrivals = -1
        var lastChange = ContinuousClock.now
        while true {
            let records = members.map(\.record)
            let sum = records.reduce(0) { $0 + $1.arrivals }
            if sum != arrivals { (arrivals, lastChange) = (sum, .now) }
            // What is missing among others may be lost; what is missing among ours gets all the time that it may need.
            let isWhole = DrillReport(records, timeline: []).faults.isEmpty
            if .now - lastChange > (isWhole ? .seconds(1) : .seconds(20)) { return records }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func note(_ what: String) { self.options.say(self.clock.note(what)) }
}

/// The moments of a drill.
private final class DrillClock: Sendable {
    private struct State {
        let beginning = ContinuousClock.now
        var moments: [DrillReport.Moment] = []
    }

    private let state = NIOLockedValueBox(State())

    var moments: [DrillReport.Moment] { self.state.withLockedValue { $0.moments } }

    /// Keeps a moment, and returns its line.
    func note(_ what: String) -> String {
        self.state.withLockedValue { state in
            let time = (ContinuousClock.now - state.beginning).timeInterval
            state.moments.append(DrillReport.Moment(time: time, what: what))
            let tenths = Int((time * 10).rounded())
            let text = "\(tenths / 10).\(abs(tenths % 10))"
            return String(repeating: " ", count: max(0, 7 - text.count)) + text + " s  " + what
        }
    }
}
