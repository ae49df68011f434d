import NATSAuth
import NATSTestSupport
import Testing

/// Odd accounts, odd resolvers and odd users; the same of the official server and ours.
@Suite("odd claims", .serialized)
struct OperatorOddTests {
    @Test(
        "accounts that import from themselves and in circles",
        .timeLimit(.minutes(2)),
        arguments: ServerUnderTest.available
    )
    func circles(_ server: ServerUnderTest) async throws {
        var authority = try TestOperator()
        let keys = try (0..<12).map { _ in try NKeyPair(kind: .account) }
        func add(_ index: Int, from other: Int?) throws {
            var claims = AccountClaims(subject: keys[index].publicKey.text, name: "\(index)")
            claims.exports = [ExportClaim(.stream, "x.>"), ExportClaim(.service, "s.\(index)")]
            if let other {
                let from = keys[other].publicKey.text
                claims.imports = [
                    ImportClaim(.stream, "x.>", from: from), ImportClaim(.service, "s.\(other)", from: from),
                ]
            }
            try authority.add(claims)
        }
        try add(0, from: 0)
        try add(1, from: 2)
        try add(2, from: 1)
        // A chain whose end is nowhere.
        for index in 3..<11 { try add(index, from: index + 1) }
        try await ConfiguredServer.with(server, authority.configurationText()) { running in
            for index in 0..<11 {
                let user = try await Tenant(of: keys[index], authority).connect(to: running)
                await user.send("SUB x.a 1\r\nPUB x.a 1\r\nx\r\n")
                try await user.expect("MSG x.a 1 1\r\nx\r\n")
                // The account's own, and what it imports of itself.
                if index == 0 { try await user.expect("MSG x.a 1 1\r\nx\r\n") }
                try await user.expectNothing()
                user.close()
            }
            #expect(
                try await Tenant(of: keys[11], authority).attempt(running).answer == "-ERR 'Authorization Violation'"
            )
        }
    }

    @Test("files that are no JWTs, or others'", .timeLimit(.minutes(2)), arguments: ServerUnderTest.available)
    func files(_ server: ServerUnderTest) async throws {
        let authority = try TestOperator()
        let directory = try TemporaryDirectory()
        let text = """
            operator: \(try authority.claims.encoded(signedBy: authority.keys, at: authority.now))
            authorization { timeout: 60 }
            resolver: { type: full, dir: "\(directory.path)" }
            resolver_preload: { \(authority.accounts.map { "\($0.key): \($0.value)" }.joined()) }

            """
        let names = ["junk", "empty", "another's", "good", "large"]
        let keys = try names.map { _ in try NKeyPair(kind: .account) }
        func jwt(_ index: Int, _ change: (inout AccountClaims) -> Void = { _ in }) throws -> String {
            var claims = AccountClaims(subject: keys[index].publicKey.text)
            change(&claims)
            return try claims.encoded(signedBy: authority.keys, at: authority.now)
        }
        let contents = [
            "eyJ.x.y", "", try jwt(3), try jwt(3),
            try jwt(4) { $0.info.description = String(repeating: "x", count: 9000) },
        ]
        try await ConfiguredServer.with(server, text) { running in
            for (pair, content) in zip(keys, contents) {
                _ = try directory.write(content, to: "\(pair.publicKey.text).jwt")
            }
            var answers: [String] = []
            for pair in keys { answers.append(try await Tenant(of: pair, authority).attempt(running).answer) }
            let refused = "-ERR 'Authorization Violation'"
            #expect(answers == [refused, refused, refused, "PONG", refused])
        }
    }

    @Test(
        "trusted keys, pinned accounts and the sentinel",
        .timeLimit(.minutes(2)),
        arguments: ServerUnderTest.available
    )
    func keys(_ server: ServerUnderTest) async throws {
        var authority = try TestOperator()
        let account = try authority.addAccount("one")
        let other = try authority.addAccount("other")
        let sentinel = try Tenant(of: account, authority) { $0.limits.bearerToken = true }
        let preload = authority.accounts.map { "\($0.key): \($0.value)" }.joined(separator: "\n")
        let trusting = """
            trusted_keys: [\(authority.keys.publicKey)]
            resolver: MEMORY
            resolver_preload: {
            \(preload)
            }

            """
        let refused = "-ERR 'Authorization Violation'"
        try await ConfiguredServer.with(server, trusting) { running in
            #expect(try await Tenant(of: account, authority).attempt(running).answer == "PONG")
            let stranger = try Tenant(of: NKeyPair(kind: .account), authority)
            #expect(try await stranger.attempt(running).answer == refused)
        }
        let text =
            try authority.configurationText()
            + "default_sentinel: \(sentinel.jwt)\nresolver_pinned_accounts: [\(account.publicKey)]\n"
        try await ConfiguredServer.with(server, text) { running in
            #expect(try await Tenant(of: account, authority).attempt(running).answer == "PONG")
            #expect(try await Tenant(of: other, authority).attempt(running).answer == refused)
            #expect(try await Tenant(of: authority.systemKeys, authority).attempt(running).answer == "PONG")
            let nobody = try await running.connect("")
            await nobody.send("SUB a 1\r\nPUB a 1\r\nx\r\n")
            try await nobody.expect("MSG a 1 1\r\nx\r\n")
        }
    }

    @Test("without a JWT nobody comes", .timeLimit(.minutes(2)), arguments: ServerUnderTest.available)
    func nobody(_ server: ServerUnderTest) async throws {
        let authority = try TestOperator()
        try await ConfiguredServer.with(server, authority.configurationText()) { running in
            for members in [
                "", ",\"user\":\"a\",\"pass\":\"b\"", ",\"jwt\":\"x\"",
                ",\"jwt\":\"\(authority.accounts.values.first ?? "")\"",
            ] {
                let peer = try RawConnection.connect(port: running.port, answersPings: true)
                let info = try await peer.readInfo()
                #expect(info.contains("\"auth_required\":true") && info.contains("\"nonce\":\""))
                await peer.send("CONNECT {\"verbose\":false\(members)}\r\n")
                try await peer.expect("-ERR 'Authorization Violation'\r\n", thenEndWithin: .seconds(30))
            }
            let silent = try RawConnection.connect(port: running.port, answersPings: true)
            try await silent.readInfo()
            await silent.send("PING\r\n")
            try await silent.expect("-ERR 'Authorization Violation'\r\n", thenEndWithin: .seconds(30))
        }
    }
}
