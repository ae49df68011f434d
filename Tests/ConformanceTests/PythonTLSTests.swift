import NATSTestServer
import NATSTestSupport
import Testing

/// The official Python client over TLS.
@Suite(
    "nats-py over TLS",
    .serialized,
    .timeLimit(.minutes(3)),
    .enabled(if: TestDependencies.canRun(TestDependencies.python, "Python with nats-py"))
)
struct PythonTLSTests {
    private func run(_ server: RunningServer, _ arguments: String...) async throws -> [String] {
        let python = try #require(TestDependencies.python)
        let script = TestDependencies.packageRoot + "/Scripts/nats-py-tls"
        let url = "tls://127.0.0.1:\(server.port)"
        let session = try ChildProcess(python, [script, url] + arguments)
        #expect(await session.waitForExit(timeout: .seconds(90)) == .exited(0), "\(session.output)")
        return session.output.split(separator: "\n").map(String.init)
    }

    @Test("with and without certificate, and the handshake first", arguments: ServerUnderTest.available)
    func connects(server: ServerUnderTest) async throws {
        let authority = try TestAuthority()
        let directory = try TemporaryDirectory()
        let authorityFile = try directory.write(authority.text, to: "ca.pem")
        let own = try authority.server().write(to: directory, as: "server")
        let client = try authority.client(emails: ["derek@nats.io"]).write(to: directory, as: "client")
        let stranger = try TestAuthority(name: "Another").client().write(to: directory, as: "stranger")
        let works = ["connected TLSv1.3", "received"]
        var tls = NATSTestServer.TLS(certificate: .file(own.certificate), key: .file(own.key))
        tls.authorities = .file(authorityFile)
        tls.timeout = .seconds(30)
        try await server.withServer(.init(tls: tls)) { server in
            let output = try await self.run(server, authorityFile)
            #expect(output == works)
        }
        tls.handshakeFirst = .on
        try await server.withServer(.init(tls: tls)) { server in
            let output = try await self.run(server, authorityFile, "first")
            #expect(output == works)
        }
        tls.handshakeFirst = .off
        tls.verifyAndMap = true
        let user = NATSTestServer.User(name: "derek@nats.io", password: "")
        try await server.withServer(.init(users: [user], authTimeout: .seconds(60), tls: tls)) { server in
            let accepted = try await self.run(server, authorityFile, client.certificate, client.key)
            #expect(accepted == works)
            let nobody = try await self.run(server, authorityFile)
            #expect(nobody.first == "refused")
            let refused = try await self.run(server, authorityFile, stranger.certificate, stranger.key)
            #expect(refused.first == "refused")
        }
    }
}
