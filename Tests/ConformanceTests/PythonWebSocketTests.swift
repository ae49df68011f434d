import NATSTestServer
import NATSTestSupport
import Testing

@Suite("nats-py over WebSocket", .enabled(if: TestDependencies.canRun(TestDependencies.python, "Python with nats-py")))
struct PythonWebSocketTests {
    @Test("everyday use of our server by nats-py over WebSocket", .timeLimit(.minutes(2)))
    func session() async throws {
        let python = try #require(TestDependencies.python)
        var options = NATSTestServer.Options()
        options.user = "derek"
        options.password = "T0pS3cr3t"
        options.webSocket = .init()
        try await NATSTestServer.withServer(options) { server in
            let url = try #require(server.webSocketURL)
            let session = try ChildProcess(
                python,
                [
                    TestDependencies.packageRoot + "/Scripts/nats-py-websocket", url,
                    "derek", "T0pS3cr3t",
                ]
            )
            #expect(await session.waitForExit(timeout: .seconds(90)) == .exited(0), "\(session.output)")
            let passed = session.output.split(separator: "\n").filter { $0.hasPrefix("passed: ") }
            #expect(passed.count == 6, "\(session.output)")
        }
    }
}
