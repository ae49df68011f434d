import NATSAuth
import NATSTestServer
import NATSTestSupport
import Testing

@Suite(
    "nats-py over WebSocket",
    .enabled(if: TestDependencies.canRun(TestDependencies.python, "Python with nats-py")),
    .timeLimit(.minutes(4))
)
struct PythonWebSocketTests {
    /// Options of a server with WebSocket, and the file of the authority that a client has to trust.
    private static func options(
        secure: Bool,
        in directory: TemporaryDirectory
    ) throws -> (options: NATSTestServer.Options, authority: String?) {
        var options = NATSTestServer.Options()
        options.authTimeout = .seconds(60)
        var webSocket = NATSTestServer.WebSocket()
        var file: String?
        if secure {
            let authority = try TestAuthority()
            let own = try authority.server().write(to: directory, as: "server")
            webSocket.tls = .init(certificate: .file(own.certificate), key: .file(own.key))
            file = try directory.write(authority.text, to: "ca.pem")
        }
        options.webSocket = webSocket
        return (options, file)
    }

    @Test("everyday use of our server", arguments: [false, true])
    func session(secure: Bool) async throws {
        let python = try #require(TestDependencies.python)
        let directory = try TemporaryDirectory()
        var (options, authority) = try Self.options(secure: secure, in: directory)
        options.user = "derek"
        options.password = "T0pS3cr3t"
        try await NATSTestServer.withServer(options) { server in
            let url = try #require(server.webSocketURL)
            let script = TestDependencies.packageRoot + "/Scripts/nats-py-websocket"
            let session = try ChildProcess(
                python,
                [script, url, "derek", "T0pS3cr3t"] + (authority.map { [$0] } ?? [])
            )
            #expect(await session.waitForExit(timeout: .seconds(90)) == .exited(0), "\(session.output)")
            let passed = session.output.split(separator: "\n").filter { $0.hasPrefix("passed: ") }
            #expect(passed.count == 6, "\(session.output)")
        }
    }

    private func run(_ server: NATSTestServer, _ authority: String?, _ arguments: String...) async throws -> [String] {
        let python = try #require(TestDependencies.python)
        let script = TestDependencies.packageRoot + "/Scripts/nats-py-authentication"
        let url = try #require(server.webSocketURL)
        let environment = authority.map { ["NATS_CA": $0] } ?? [:]
        let session = try ChildProcess(python, [script, url] + arguments, environment: environment)
        #expect(await session.waitForExit(timeout: .seconds(90)) == .exited(0), "\(session.output)")
        return session.output.split(separator: "\n").map(String.init)
    }

    @Test("users with passwords and nkeys", arguments: [false, true])
    func users(secure: Bool) async throws {
        let pair = try NKeyPair(kind: .user)
        let permissions = NATSTestServer.Permissions(publish: .init(deny: ["no"]))
        let directory = try TemporaryDirectory()
        var (options, authority) = try Self.options(secure: secure, in: directory)
        options.users = [
            NATSTestServer.User(name: "alice", password: "foo", permissions: permissions),
            NATSTestServer.User(nkey: pair.publicKey.text, permissions: permissions),
        ]
        try await NATSTestServer.withServer(options) { server in
            let works = ["connected", "received", "violation"]
            #expect(try await self.run(server, authority, "password", "alice", "foo") == works)
            #expect(try await self.run(server, authority, "nkey", pair.seed) == works)
            let wrong = [
                try await self.run(server, authority, "password", "alice", "bar"),
                try await self.run(server, authority, "nkey", try NKeyPair(kind: .user).seed),
            ]
            for output in wrong {
                // aiohttp may have something to say about the connection after that.
                #expect(output.first?.hasPrefix("refused: ") == true, "\(output)")
                #expect(output.first?.lowercased().contains("authorization violation") == true, "\(output)")
            }
        }
    }

    @Test("a credentials file", arguments: [false, true])
    func credentials(secure: Bool) async throws {
        let permissions = NATSTestServer.Permissions(publish: .init(deny: ["no"]))
        let tenants = try NATSTestServer.Operator(accounts: [
            .init(name: "web", users: [.init(name: "alice", permissions: permissions)])
        ])
        let strangers = try NATSTestServer.Operator(accounts: [.init(name: "web", users: [.init(name: "alice")])])
        let directory = try TemporaryDirectory()
        var (options, authority) = try Self.options(secure: secure, in: directory)
        options.operator = tenants
        let good = try directory.write(try tenants.credentials(of: "alice").file, to: "good.creds")
        let wrong = try directory.write(try strangers.credentials(of: "alice").file, to: "wrong.creds")
        try await NATSTestServer.withServer(options) { server in
            let accepted = try await self.run(server, authority, "creds", good)
            #expect(accepted == ["connected", "received", "violation"])
            let refused = try await self.run(server, authority, "creds", wrong)
            #expect(refused.first?.lowercased().contains("authorization violation") == true, "\(refused)")
        }
    }

    @Test("a token", arguments: [false, true])
    func token(secure: Bool) async throws {
        let directory = try TemporaryDirectory()
        var (options, authority) = try Self.options(secure: secure, in: directory)
        options.token = "S3Cr3T0k3n!"
        try await NATSTestServer.withServer(options) { server in
            let accepted = try await self.run(server, authority, "token", "S3Cr3T0k3n!")
            #expect(accepted == ["connected", "received"])
            let refused = try await self.run(server, authority, "token", "x")
            #expect(refused.first?.hasPrefix("refused: ") == true)
        }
    }
}
