import NATSAuth
import NATSTestServer
import NATSTestSupport
import Testing

/// The official Python client's ways to say who it is.
@Suite(
    "nats-py authentication",
    .serialized,
    .enabled(if: TestDependencies.canRun(TestDependencies.python, "Python with nats-py"))
)
struct PythonAuthenticationTests {
    private func run(_ server: RunningServer, _ arguments: String...) async throws -> [String] {
        let python = try #require(TestDependencies.python)
        let script = TestDependencies.packageRoot + "/Scripts/nats-py-authentication"
        let session = try ChildProcess(python, [script, server.url] + arguments)
        #expect(await session.waitForExit(timeout: .seconds(90)) == .exited(0), "\(session.output)")
        return session.output.split(separator: "\n").map(String.init)
    }

    @Test("password, hashed password and nkey", arguments: ServerUnderTest.available)
    func users(server: ServerUnderTest) async throws {
        let pair = try NKeyPair(kind: .user)
        let permissions = NATSTestServer.Permissions(publish: .init(deny: ["no"]))
        let hash = "$2a$11$3kIDaCxw.Glsl1.u5nKa6eUnNDLV5HV9tIuUp7EHhMt6Nm9myW1aS"
        let users = [
            NATSTestServer.User(name: "alice", password: "foo", permissions: permissions),
            NATSTestServer.User(name: "bob", password: hash, permissions: permissions),
            NATSTestServer.User(nkey: pair.publicKey.text, permissions: permissions),
        ]
        let works = ["connected", "received", "violation"]
        try await server.withServer(.init(users: users, authTimeout: .seconds(60))) { server in
            #expect(try await self.run(server, "password", "alice", "foo") == works)
            #expect(try await self.run(server, "password", "bob", "#IclkRPHUpsTmACWzmIGXr") == works)
            #expect(try await self.run(server, "nkey", pair.seed) == works)
            let wrong = [
                try await self.run(server, "password", "alice", "bar"),
                try await self.run(server, "password", "bob", hash),
                try await self.run(server, "nkey", try NKeyPair(kind: .user).seed),
                try await self.run(server, "token", "foo"),
            ]
            for output in wrong {
                #expect(output.count == 1)
                #expect(output.first?.hasPrefix("refused: ") == true)
                #expect(output.first?.lowercased().contains("authorization violation") == true)
            }
        }
    }

    @Test("token, plain and hashed", arguments: ServerUnderTest.available)
    func token(server: ServerUnderTest) async throws {
        for (configured, given) in [
            ("S3Cr3T0k3n!", "S3Cr3T0k3n!"),
            ("$2a$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG", "T0pS3cr3t"),
        ] {
            try await server.withServer(.init(token: configured, authTimeout: .seconds(60))) { server in
                let accepted = try await self.run(server, "token", given)
                #expect(accepted == ["connected", "received"])
                let refused = try await self.run(server, "token", "x")
                #expect(refused.first?.hasPrefix("refused: ") == true)
            }
        }
    }

    @Test("credentials files", .timeLimit(.minutes(5)), arguments: ServerUnderTest.available)
    func credentials(server: ServerUnderTest) async throws {
        var authority = try TestOperator()
        let revoked = try NKeyPair(kind: .user)
        let now = authority.now
        let account = try authority.addAccount("python") {
            $0.revocations.revoke(revoked.publicKey.text, upTo: now)
        }
        let directory = try TemporaryDirectory()
        func file(
            _ name: String,
            signedBy signer: NKeyPair? = nil,
            user: NKeyPair? = nil,
            expires: Int64 = 0
        ) throws
            -> String
        {
            let user = try user ?? NKeyPair(kind: .user)
            var claims = UserClaims(subject: user.publicKey.text, name: name)
            claims.registered.expires = expires
            claims.limits.permissions.publish.deny = ["no"]
            let jwt = try claims.encoded(signedBy: signer ?? account, at: now)
            let credentials = try CredentialsFile(jwt: jwt, keyPair: user)
            // Our own reader understands it too.
            let read = try CredentialsFile(Array(credentials.text.utf8))
            #expect(read.jwt == jwt && read.keyPair.seed == user.seed)
            return try directory.write(credentials.text, to: "\(name).creds")
        }
        let good = try file("good")
        let wrong = [
            try file("expired", expires: now - 10), try file("revoked", user: revoked),
            try file("stranger", signedBy: NKeyPair(kind: .account)),
        ]
        try await server.withServer(authority) { server in
            #expect(try await self.run(server, "creds", good) == ["connected", "received", "violation"])
            for name in wrong {
                let output = try await self.run(server, "creds", name)
                #expect(output.count == 1)
                #expect(output.first?.lowercased().contains("authorization violation") == true, "\(output)")
            }
        }
    }
}
