import Foundation
import NATSAuth
import NATSServerConfig
import NATSServerCore
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

    @Test(
        "options that do not go together stop a start with the official words",
        .enabled(if: TestDependencies.canRun(TestDependencies.officialServer(.current), "official nats-server")),
        arguments: ConflictingOptions.texts
    )
    func conflicts(text: String) async throws { try await self.compareConflict(text) }

    @Test(
        "what does not go with operators stops a start with the official words",
        .enabled(if: TestDependencies.canRun(TestDependencies.officialServer(.current), "official nats-server"))
    )
    func operatorConflicts() async throws {
        for text in try ConflictingOptions.operatorTexts() { try await self.compareConflict(text) }
    }

    private func compareConflict(_ text: String) async throws {
        let server = try TestDependencies.officialServer(.current).orThrow("official nats-server")
        let directory = try TemporaryDirectory()
        let text = text.replacing("./jwts", with: "\(directory.path)/jwts")
        let file = try directory.write(text, to: "server.conf")
        let official = try ChildProcess(server, ["-a", "127.0.0.1", "-p", "-1", "-sd", directory.path, "-c", file])
        guard await official.waitForExit() == .exited(1) else {
            await official.stop()
            throw TestFailure("the official server starts with \(text)")
        }
        let loaded = try ConfigurationText.load(text)
        #expect(loaded.errors.isEmpty)
        let failure = try #require(loaded.configuration.startFailure)
        let lines = official.output.split(separator: "\n").map(String.init)
        #expect(
            lines.contains("nats-server: \(failure)") || lines.contains { $0.hasSuffix("[FTL] \(failure)") },
            "\(lines)"
        )
    }
}

/// Configurations that pass `-t` and stop a start.
enum ConflictingOptions {
    static let texts: [String] =
        [
            "lame_duck_duration: \"30s\"\nlame_duck_grace_period: \"31s\"",
            "lame_duck_duration: \"90s\"\nlame_duck_grace_period: \"1m30s\"",
            "max_payload: 100mib\nmax_pending: 10mib",
            "default_sentinel: a",
            "no_auth_user: x",
            "no_auth_user: x\nauthorization { user: x, password: y }",
            "no_auth_user: x\nauthorization { users: [{user: a}] }",
            "no_auth_user: x\naccounts { A { users: [{user: a}] } }",
            "system_account: x",
            "gateway { port: 7222 }",
            "gateway { name: g }",
            "gateway { name: g, port: -1, gateways: [{url: \"nats://a:1\"}] }",
            "gateway { name: g, port: -1, gateways: [{name: a}] }",
            "gateway { name: g, port: -1 }\ncluster { name: c }",
            "cluster { port: -1, name: c, accounts: [A], pool_size: -1 }",
            "mqtt { port: -1 }",
            "mqtt { port: -1 }\ncluster { port: -1 }",
            "mqtt { port: -1, ack_wait: \"-1s\" }\nserver_name: a\njetstream: true",
            "mqtt { port: -1, js_api_timeout: \"-1s\" }\nserver_name: a\njetstream: true",
            "mqtt { port: -1, authorization { user: a } }\nauthorization { users: [{user: a}] }\njetstream: true",
            "mqtt { port: -1, authorization { token: a } }\nauthorization { users: [{user: a}] }\njetstream: true",
            "mqtt { port: -1, no_auth_user: b }\nauthorization { users: [{user: a}] }\njetstream: true",
            "websocket { port: -1 }",
            "websocket { port: -1, no_tls: true, allowed_origins: [\"ftp://a\"] }",
            "websocket { port: -1, no_tls: true, allowed_origins: [\"http:///a\"] }",
            "websocket { port: -1, no_tls: true, no_auth_user: a }",
            "websocket { port: -1, no_tls: true, authorization { user: a } }\nauthorization { users: [{user: a}] }",
            "websocket { port: -1, no_tls: true, authorization { token: a } }\nauthorization { users: [{user: a}] }",
            "websocket { port: -1, no_tls: true, jwt_cookie: a }",
            "websocket { port: -1, no_tls: true, headers { Host: a } }",
            "websocket { port: -1, no_tls: true, headers { \"Sec-WebSocket-Key\": a } }",
        ] + Self.origins.map { "websocket { port: -1, no_tls: true, allowed_origins: [\"\($0)\"] }" }

    /// Origins that are none, as texts of the configuration language.
    private static let origins = [
        "http://a.com#f", "http://a:1#f", "http://a:b:1", "http://a:1:2", "HTTPS://a:1:2", "http://a:b", "http://a:-1",
        "http://a:80 ",
        "http://a:8%30", "http://u:p@a:1:2", "http:/a", "http:a", "http:", "http://", "http:////a", "http://?x", "/a",
        "/a:b:c", "//a:1", "a", "null", "", "*", ":a", "1http://a", "h_ttp://a", " http://a", "ftp://a:b:1",
        "ftp://a:b",
        "http://a b", "http://a^b", "http://a|b", "http://a\\\\b", "http://a\\x01", "http://a/\\x7f", "http://a%20b",
        "http://a%41", "http://a%zz", "http://a%e", "http://a%", "http://a/%zz", "http://a/%z", "http://u p@a",
        "http://u:p^@a", "http://ü@a", "http://u%zz@a", "http://a[b", "http://a]b:80", "http://[::1", "http://x@[::1",
        "http://[::1]x", "http://[::1]:x", "http://::1", "http://[::1]]", "http://[a]", "http://[]", "http://[1.2.3.4]",
        "http://[1.2.3.4.5]", "http://[1:2]", "http://[1:2:3:4:5:6:7:8:9]", "http://[1::2::3]", "http://[12345::]",
        "http://[::g]", "http://[:1]", "http://[1:]", "http://[::1.2.3]", "http://[::1.2.3.256]", "http://[::1.2.3.04]",
        "http://[1:2:3:4:5:6:7:1.2.3.4]", "http://[1:2:3:1.2.3.4]", "http://[1:2:3:4:5:6:7::8]",
        "http://[1:2:3:4:5:6:7:8::]", "http://[%3a%3a1]", "http://[::1%2]", "http://[::1%25]", "http://[fe80::1%en0]",
    ]

    /// The same with operators.
    static func operatorTexts() throws -> [String] {
        let (keys, other) = (try NKeyPair(kind: .operator), try NKeyPair(kind: .operator))
        let account = try NKeyPair(kind: .account)
        func jwt(_ change: (inout OperatorClaims) -> Void = { _ in }) throws -> String {
            var claims = OperatorClaims(subject: keys.publicKey.text, name: "o")
            change(&claims)
            return try claims.encoded(signedBy: keys, at: 1)
        }
        func user(_ change: (inout UserClaims) -> Void = { _ in }) throws -> String {
            var claims = UserClaims(subject: try NKeyPair(kind: .user).publicKey.text)
            change(&claims)
            return try claims.encoded(signedBy: account, at: 1)
        }
        let plain = try jwt()
        let memory = "resolver: MEM"
        let named = try jwt { $0.systemAccount = account.publicKey.text }
        return try [
            "operators: [\(plain), \(plain)]",
            "operator: \(plain)\n\(memory)\naccounts { A {} }",
            "operator: \(plain)\n\(memory)\nauthorization { users: [{user: a, password: b}] }",
            "operator: \(plain)\n\(memory)\ntrusted_keys: \(other.publicKey)",
            "operator: \(named)\n\(memory)\nsystem_account: \(NKeyPair(kind: .account).publicKey)",
            "operator: \(plain)\nresolver { type: full, dir: \"./jwts\" }",
            "operators: [\(plain), \(named)]\nresolver { type: cache, dir: \"./jwts\" }",
            "operator: \(jwt { $0.assertServerVersion = "3.0.0" })\n\(memory)",
            "operator: \(jwt { $0.assertServerVersion = "2.99.0" })\n\(memory)",
            "operator: \(jwt { $0.assertServerVersion = "2.15.2" })\n\(memory)",
            "operator: \(jwt { $0.assertServerVersion = "2.15" })\n\(memory)",
            "operator: \(jwt { $0.assertServerVersion = "a.b.c" })\n\(memory)",
            "operator: \(jwt { $0.signingKeys = ["x"] })\n\(memory)",
            "operator: \(plain)\n\(memory)\nresolver_pinned_accounts: [x]",
            "operator: \(plain)\n\(memory)\ndefault_sentinel: x",
            "operator: \(plain)\n\(memory)\ndefault_sentinel: \(user())",
            "operators: [\(plain), \(plain)]\ndefault_sentinel: \(user { $0.limits.bearerToken = true })",
            "operator: \(plain)\n\(memory)\nno_auth_user: x",
        ]
    }
}
