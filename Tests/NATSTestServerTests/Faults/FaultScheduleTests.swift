import NATSTestServer
import NATSTestSupport
import Testing

/// Random faults, and what clients see once they are over.
///
/// `NATS_FAULT_SEED=n` runs one seed of each kind.
@Suite("clusters after random faults", .timeLimit(.minutes(60)))
struct FaultScheduleTests {
    /// Some in the tests of every day, `long` of them in the long ones.
    private static func seeds(_ few: Int, long: Int) -> [UInt64] {
        if let seed = TestDependencies.number("NATS_FAULT_SEED") { return [UInt64(seed)] }
        return (0..<(TestDependencies.runsLongTests ? long : few)).map(UInt64.init)
    }

    @Test(
        "five servers find each other, and each message arrives once at each subscriber and once in each queue group",
        arguments: Self.seeds(4, long: 200)
    )
    func ours(seed: UInt64) async throws {
        try await FaultRun(seed: seed, programs: Array(repeating: nil, count: 5)).run()
    }

    @Test(
        "so do servers of which some are official",
        .enabled(if: TestDependencies.canRun(TestDependencies.officialServer(.current), "official nats-server")),
        arguments: Self.seeds(2, long: 50)
    )
    func mixed(seed: UInt64) async throws {
        let program = try #require(TestDependencies.officialServer(.current))
        var random = SeededGenerator(seed: seed)
        let official = 1 + Int.random(in: 0..<3, using: &random)
        var programs = (0..<5).map { $0 < official ? program : nil }
        programs.shuffle(using: &random)
        try await FaultRun(seed: seed, programs: programs).run()
    }
}
