import NATSServerConfig
import NATSTestSupport
import Testing

@Suite struct HostileConfigurationTests {
    @Test("a file that includes itself is refused") func includeCycle() {
        let failure = ConfigurationText.syntaxError("include a.conf", files: ["a.conf": "include a.conf"])
        #expect(failure?.contains("files include files more than 32 levels deep") == true)
    }

    @Test("files that include each other twice are refused before they fill the memory") func includeExplosion() {
        var files: [String: String] = [:]
        for number in 0..<30 {
            files["f\(number).conf"] = "include f\(number + 1).conf\ninclude f\(number + 1).conf\n"
        }
        files["f30.conf"] = "a: 1"
        let failure = ConfigurationText.syntaxError("include f0.conf", files: files)
        #expect(failure?.contains("more than 10000 files are included") == true)
    }

    @Test("variables that double each other are refused before they are written out") func variableExplosion() {
        var text = "v0: [a, a]\n"
        for number in 1..<64 { text += "v\(number): [$v\(number - 1), $v\(number - 1)]\n" }
        let failure = ConfigurationText.syntaxError(text + "server_tags: $v63")
        #expect(failure?.contains("too large") == true)
    }

    @Test("variables that nest each other are refused before the stack is full") func variableDepth() {
        var text = "v0: a\n"
        for number in 1..<100_000 { text += "v\(number): [$v\(number - 1)]\n" }
        #expect(ConfigurationText.syntaxError(text)?.contains("too large") == true)
    }

    @Test("deep nesting is refused", arguments: ["[", "{a ", "{", "[{a ["]) func depth(piece: String) {
        let text = "x: " + String(repeating: piece, count: 100_000)
        #expect(ConfigurationText.syntaxError(text) != nil)
    }

    @Test("many levels of braces around the file are only skipped") func fileBraces() {
        let text = String(repeating: "{", count: 100_000) + "port: 1" + String(repeating: "}", count: 100_000)
        #expect(ConfigurationText.syntaxError(text) == nil)
    }

    @Test("environment variables that refer to each other at length are refused") func environmentChain() {
        var environment = ["V0": "1"]
        for number in 1..<2000 { environment["V\(number)"] = "$V\(number - 1)" }
        let failure = ConfigurationText.syntaxError("port: $V1999", environment: environment)
        #expect(failure?.contains("nested too deep") == true)
    }

    @Test("a large flat file is read in time that grows with its size") func largeFile() throws {
        var text = "authorization { users: [\n"
        for number in 0..<20_000 {
            text += "{user: u\(number), password: p, permissions: {publish: \"a.\(number)\"}}\n"
        }
        let loaded = try ConfigurationText.load(text + "] }")
        #expect(loaded.errors.isEmpty)
        #expect(loaded.configuration.authorization?.users?.count == 20_000)
    }

    @Test("mutated configurations never trap, and are read again alike", arguments: 0..<4)
    func mutations(worker: Int) throws {
        let seconds = TestDependencies.runsLongTests ? 30 : 1
        let seed = UInt64(TestDependencies.number("NATS_FUZZ_SEED") ?? 20_260_101)
        var mutator = ConfigurationMutator(seed: seed &+ UInt64(worker) &* 1_000_003)
        let files = ["a.conf": "port: 1\ncluster { name: c }", "b.conf": "include a.conf\nx: [a, b]"]
        let deadline = ContinuousClock.now + .seconds(seconds)
        var count = 0
        repeat {
            let text = mutator.next()
            let first = try? ConfigurationText.load(text, environment: ConfigurationSnippet.environment, files: files)
            let second = try? ConfigurationText.load(text, environment: ConfigurationSnippet.environment, files: files)
            #expect(first?.report == second?.report, "seed \(seed), text \(text)")
            #expect(first?.canonicalBytes == second?.canonicalBytes, "seed \(seed), text \(text)")
            count += 1
        } while ContinuousClock.now < deadline
        #expect(count > 10)
    }
}
