import NATSTestSupport
import Testing

@testable import nats_server

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Lame duck mode by SIGUSR2, on the official server and on ours.
@Suite struct LameDuckProgramTests {
    private func start(_ program: Program, grace: String = "1ms") async throws -> (ProgramRun, Int, TemporaryDirectory)
    {
        let directory = try TemporaryDirectory()
        let file = try directory.write(
            "host: 127.0.0.1\nport: -1\nlame_duck_grace_period: \"\(grace)\"\nlame_duck_duration: \"30s\"\n",
            to: "server.conf"
        )
        let run = try ProgramRun(program, ["-T=false", "-c", file])
        try await run.waitForLog("Server is ready")
        return (run, try #require(run.port), directory)
    }

    private func connect(_ port: Int) async throws -> RawConnection {
        let connection = try RawConnection.connect(port: port, answersPings: true)
        try await connection.readInfo()
        await connection.send("CONNECT {\"verbose\":false,\"protocol\":1}\r\nPING\r\n")
        _ = try await connection.read(until: "PONG\r\n")
        try await connection.readInfo()
        return connection
    }

    private func infoLines(_ run: ProgramRun) -> [String] {
        run.errors.split(separator: "\n").map { String($0).replacing("[\(run.processID)] ", with: "") }
    }

    @Test("clients are told, then closed, and the program ends well", arguments: Program.available)
    func course(program: Program) async throws {
        let (run, port, directory) = try await self.start(program)
        let clients = [try await self.connect(port), try await self.connect(port)]
        run.signal(SIGUSR2)
        for client in clients {
            #expect(try await client.readInfo().contains(#""ldm":true"#))
            #expect(try await client.readToEnd().isEmpty)
        }
        #expect(await run.exitCode() == 0)
        #expect(
            Array(self.infoLines(run).suffix(5)) == [
                #"[INF] Trapped "user defined signal 2" signal"#,
                "[INF] Entering lame duck mode, stop accepting new clients", "[INF] Closing existing clients",
                "[INF] Initiating Shutdown...", "[INF] Server Exiting..",
            ]
        )
        _ = directory
    }

    @Test("without clients the program ends at once", arguments: Program.available)
    func noClients(program: Program) async throws {
        let (run, _, directory) = try await self.start(program, grace: "29s")
        run.signal(SIGUSR2)
        #expect(await run.exitCode() == 0)
        #expect(!run.errors.contains("Closing existing clients"))
        _ = directory
    }

    @Test("SIGTERM is ignored meanwhile, SIGINT is not, and nobody new gets in", arguments: Program.available)
    func signals(program: Program) async throws {
        let (run, port, directory) = try await self.start(program, grace: "29s")
        let client = try await self.connect(port)
        run.signal(SIGUSR2)
        #expect(try await client.readInfo().contains(#""ldm":true"#))
        #expect(throws: (any Error).self) { try RawConnection.connect(port: port, answersPings: true) }
        run.signal(SIGTERM)
        try await run.waitForLog(#"Trapped "terminated" signal"#)
        await client.send("PING\r\n")
        try await client.expect("PONG\r\n")
        run.signal(SIGINT)
        #expect(await run.exitCode() == 0)
        #expect(!run.errors.contains("Closing existing clients"))
        #expect(run.errors.hasSuffix("[INF] Server Exiting..\n"))
        _ = directory
    }
}
