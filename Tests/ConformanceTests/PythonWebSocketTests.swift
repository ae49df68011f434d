import NATSTestServer
import NATSTestSupport
import Testing

@Suite("nats-py over WebSocket", .enabled(if: TestDependencies.canRun(TestDependencies.python, "Python with nats-py")))
struct PythonWebSocketTests {
    @Test("everyday use of our server by nats-py over WebSocket", .timeLimit(.minutes(2)), arguments: [false, true])
    func session(secure: Bool) async throws {
        let python = try #require(TestDependencies.python)
        var options = NATSTestServer.Options()
        options.user = "derek"
        options.password = "T0pS3cr3t"
        options.webSocket = .init()
        let directory = try TemporaryDirectory()
        var arguments = ["derek", "T0pS3cr3t"]
        if secure {
            let authority = try TestAuthority()
            let own = try authority.server().write(to: directory, as: "server")
            options.webSocket?.tls = .init(certificate: .file(own.certificate), key: .file(own.key))
            arguments.append(try directory.write(authority.text, to: "ca.pem"))
        }
        try await NATSTestServer.withServer(options) { server in
            let url = try #require(server.webSocketURL)
            let script = TestDependencies.packageRoot + "/Scripts/nats-py-websocket"
            let session = try ChildProcess(python, [script, url] + arguments)
            #expect(await session.waitForExit(timeout: .seconds(90)) == .exited(0), "\(session.output)")
            let passed = session.output.split(separator: "\n").filter { $0.hasPrefix("passed: ") }
            #expect(passed.count == 6, "\(session.output)")
        }
    }
}
