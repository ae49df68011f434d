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
        let official = try await OfficialVerdicts.verdicts(on: snippets, in: directory)
        #expect(official.contains { $0.digest != nil })
        for (index, snippet) in snippets.enumerated() {
            let expected = official[index].reduced(snippet.comparison)
            let ours = ConfigurationVerdict.ours("s\(index).conf", in: directory.path).reduced(snippet.comparison)
            #expect(ours == expected, "snippet \(index):\n\(snippet.text(number: index))")
        }
    }
}
