import Foundation
import NATSServerConfig
import NATSTestSupport
import Testing

@Suite struct OracleTests {
    @Test(
        "each production of the grammar and each key gets the official verdict, digest and error lines",
        .enabled(if: TestDependencies.canRun(TestDependencies.officialServer(.current), "official nats-server"))
    )
    func officialVerdicts() async throws {
        let snippets = ConfigurationSnippet.all
        #expect(snippets.count >= 200)
        let directory = try TemporaryDirectory()
        for (index, snippet) in snippets.enumerated() { try snippet.write(number: index, to: directory.path) }
        let official = try await OfficialVerdicts.verdicts(count: snippets.count, in: directory)
        #expect(official.contains { $0.digest != nil })
        for (index, snippet) in snippets.enumerated() {
            let expected = official[index].reduced(snippet.comparison)
            let ours = ConfigurationVerdict.ours("s\(index).conf", in: directory.path).reduced(snippet.comparison)
            #expect(ours == expected, "snippet \(index):\n\(snippet.text(number: index))")
        }
    }

    @Test(
        "mutated configurations get the official verdict, digest and error lines",
        .enabled(if: TestDependencies.canRun(TestDependencies.officialServer(.current), "official nats-server"))
    )
    func mutations() async throws {
        let count = TestDependencies.number("NATS_ORACLE_MUTATIONS") ?? (TestDependencies.runsLongTests ? 20_000 : 300)
        let seed = UInt64(TestDependencies.number("NATS_FUZZ_SEED") ?? 20_260_101)
        var mutator = ConfigurationMutator(seed: seed)
        let texts = (0..<count).map { _ in mutator.next() }
        let directory = try TemporaryDirectory()
        for (index, text) in texts.enumerated() {
            try Data(text).write(to: URL(fileURLWithPath: "\(directory.path)/s\(index).conf"))
        }
        let official = try await OfficialVerdicts.verdicts(count: count, in: directory)
        for (index, text) in texts.enumerated() {
            let ours = ConfigurationVerdict.ours("s\(index).conf", in: directory.path)
            if let difference = ours.difference(from: official[index].reduced(.lines)) {
                Issue.record("seed \(seed), text \(index): \(difference)\n\(String(decoding: text, as: UTF8.self))")
            }
        }
    }
}
