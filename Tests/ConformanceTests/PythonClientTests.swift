import NATSTestSupport
import Testing

/// Clients that we did not write must find nothing odd about our server.
@Suite("nats-py", .enabled(if: TestDependencies.canRun(TestDependencies.python, "Python with nats-py")))
struct PythonClientTests {
    @Test("everyday use of a server by nats-py, with a restart in the middle", arguments: ServerUnderTest.available)
    func session(server: ServerUnderTest) async throws {
        let python = try #require(TestDependencies.python)
        let open = try await server.start()
        let closed = try await server.start(.init(user: "derek", password: "T0pS3cr3t", authTimeout: .seconds(60)))
        let session = try ChildProcess(
            python,
            [
                TestDependencies.packageRoot + "/Scripts/nats-py-session", open.url,
                "nats://derek:T0pS3cr3t@127.0.0.1:\(closed.port)",
            ]
        )
        try await eventually("the session to ask for a restart, printed \(session.output)", timeout: .seconds(90)) {
            !session.isRunning || session.output.contains("restart the server")
        }
        let port = open.port
        await open.stop()
        let restarted = try await server.start(.init(port: port))
        #expect(await session.waitForExit(timeout: .seconds(90)) == .exited(0), "\(session.output)")
        let passed = session.output.split(separator: "\n").filter { $0.hasPrefix("passed: ") }
        #expect(passed.count == 13, "\(session.output)")
        await restarted.stop()
        await closed.stop()
    }
}
