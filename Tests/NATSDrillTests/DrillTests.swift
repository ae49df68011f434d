import NATSClient
import NATSTestSupport
import Testing

@testable import NATSDrill

/// The drill itself, with few clients; `make drill` is the whole of it.
@Suite("The drill", .timeLimit(.minutes(10)))
struct DrillTests {
    private static var programs: (official: DrillOptions.Program, ours: DrillOptions.Program) {
        get throws {
            let official = try #require(TestDependencies.officialServer(.current), "Scripts/install-test-dependencies")
            return (
                DrillOptions.Program("official", path: official),
                DrillOptions.Program("ours", path: try BuiltProgram.path("nats-server"))
            )
        }
    }

    private static let canRun = TestDependencies.canRun(
        TestDependencies.officialServer(.current),
        "official nats-server"
    )

    /// Nothing depends on how fast the machine is: a server goes when clients have left it, and these wait for answers as
    /// long as it takes.
    private func options(_ seed: UInt64) throws -> DrillOptions {
        let (official, ours) = try Self.programs
        var random = SeededGenerator(seed: seed)
        var options = DrillOptions(from: official, to: ours)
        options.clients = [.migrating: 5]
        for family in [DrillFamily.reconnecting, .python, .libnats] where random.chance(50) {
            options.clients[family] = 1
        }
        if TestDependencies.python == nil { options.clients[.python] = nil }
        if TestDependencies.program("libnats-drill") == nil { options.clients[.libnats] = nil }
        options.interval = .milliseconds(20)
        options.pause = .milliseconds(200)
        options.requestTimeout = .seconds(60)
        options.otherRequestTimeout = .seconds(1)
        options.gracePeriod = .seconds(600)
        options.lameDuckDuration = .seconds(700)
        options.endsServersThatWereLeft = true
        options.configure = { configuration in
            configuration.connectTimeout = .seconds(60)
            configuration.migrationDelay = .milliseconds(50)
            // Servers on a busy machine may forward a message late.
            configuration.migrationLead = .seconds(2)
            configuration.migrationOverlap = .seconds(4)
            configuration.migrationAnswerLimit = .seconds(60)
        }
        if !TestDependencies.runsLongTests {
            // All clients begin at A or B: these become ours in either order, and one of the three official again.
            let isBackwards = random.chance(50)
            options.steps = [
                .init(isBackwards ? .b : .a, ours), .init(isBackwards ? .a : .b, ours),
                .init(random.pick(.a, .b, .t), official),
            ]
        }
        return options
    }

    @Test(
        "servers become ours and official again, and clients of ours lose nothing, get nothing twice and are answered",
        .enabled(if: canRun),
        arguments: [UInt64.random(in: 0..<1000)]
    )
    func upgrade(seed: UInt64) async throws {
        let lines = Watched<[String]>([])
        var options = try self.options(seed)
        options.say = { line in lines.update { $0.append(line) } }
        let report = try await Drill.run(options)
        #expect(
            report.faults.isEmpty,
            "seed \(seed)\n\(lines.value.joined(separator: "\n"))\n\(report.tables)\(report.details)"
        )
        let isEmpty = report.isEmpty
        #expect(!isEmpty, "seed \(seed)")
        let reconnects = report.clients.filter { $0.family == .migrating }.reduce(0) { $0 + $1.reconnects }
        #expect(reconnects == 0, "seed \(seed)")
    }

    @Test("a server that does not start is a failure, and nothing is left behind", .enabled(if: canRun))
    func failure() async throws {
        let (official, _) = try Self.programs
        var options = DrillOptions(from: .init("true", path: "/bin/true"), to: official)
        options.clients = [.migrating: 2]
        await #expect(throws: DrillFailure.self) { try await Drill.run(options) }
    }
}
