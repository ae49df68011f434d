import Foundation
import NATSTestSupport
import Testing

/// What the system account can do to the program.
@Suite("the program and the system account", .timeLimit(.minutes(2)))
struct SystemProgramTests {
    private static func configuration(_ more: String) -> String {
        """
        listen: "127.0.0.1:-1"
        server_name: program
        authorization { timeout: 60 }
        accounts { SYS { users: [{user: sys, password: sys}] }, A { users: [{user: a, password: a}] } }
        system_account: SYS
        \(more)

        """
    }

    /// The answer to a request, without what is told of the server.
    private func ask(_ connection: RawConnection, _ subject: String) async throws -> String {
        await connection.send("PUB \(subject) answer 0\r\n\r\n")
        let size = try await connection.readLine().split(separator: " ").last.flatMap { Int($0) } ?? 0
        let text = String(decoding: try await connection.read(count: size + 2).dropLast(2), as: UTF8.self)
        guard let end = text.range(of: "Z\"}") else { return text }
        return String(text[end.upperBound...])
    }

    private func connect(_ port: Int, _ user: String) async throws -> RawConnection {
        let connection = try RawConnection.connect(port: port, answersPings: true)
        try await connection.readInfo()
        await connection.send("CONNECT {\"verbose\":false,\"user\":\"\(user)\",\"pass\":\"\(user)\"}\r\nPING\r\n")
        try await connection.expect("PONG\r\n")
        return connection
    }

    @Test("the system account loads the configuration again, and is told why it cannot", arguments: Program.available)
    func reload(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(Self.configuration(""), to: "server.conf")
        let run = try ProgramRun(program, ["-T=false", "-c", file])
        try await run.waitForLog("Server is ready")
        let port = try #require(run.port)
        let system = try await self.connect(port, "sys")
        await system.send("SUB answer 1\r\n")
        await system.send("PUB $SYS.REQ.SERVER.PING.IDZ answer 0\r\n\r\n")
        let size = try await system.readLine().split(separator: " ").last.flatMap { Int($0) } ?? 0
        let identity = String(decoding: try await system.read(count: size + 2), as: UTF8.self)
        let id = try #require(identity.components(separatedBy: "\"id\":\"").last?.prefix(56))
        let subject = "$SYS.REQ.SERVER.\(id).RELOAD"

        try directory.write(Self.configuration("max_payload: 1000"), to: "server.conf")
        #expect(try await self.ask(system, subject) == "}")
        try await run.waitForLog("[INF] Reloaded: max_payload = 1000\n")

        try directory.write(Self.configuration("max_payload: 1000\nmax_pending: 5000"), to: "server.conf")
        #expect(
            try await self.ask(system, subject) == """
                ,"error":{"code":500,"description":"config reload not supported for MaxPending: old=67108864, new=5000"}}
                """
        )
        // Nobody has been disturbed, and nothing is in the log.
        #expect(!run.errors.contains("Failed to reload"))
        _ = try await self.connect(port, "a")
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
    }

    @Test("the system account can be given its own name, and no other", arguments: Program.available)
    func otherName(program: Program) async throws {
        let base = "listen: \"127.0.0.1:-1\"\nauthorization { timeout: 60 }\n"
        let accounts = "accounts { \"$SYS\" { users: [{user: sys, password: sys}] } }\n"
        let directory = try TemporaryDirectory()
        let file = try directory.write(base + accounts, to: "server.conf")
        let run = try ProgramRun(program, ["-T=false", "-c", file])
        try await run.waitForLog("Server is ready")
        let system = try await self.connect(try #require(run.port), "sys")
        try directory.write(base + accounts + "system_account: \"$SYS\"\n", to: "server.conf")
        run.signal(SIGHUP)
        try await run.waitForLog("Reloaded server configuration")
        try directory.write(
            base + "accounts { S { users: [{user: s, password: s}] } }\nsystem_account: S",
            to: "server.conf"
        )
        run.signal(SIGHUP)
        try await run.waitForLog(
            "[ERR] Failed to reload server configuration: config reload not supported for SystemAccount: old=$SYS, new=S\n"
        )
        await system.send("PING\r\n")
        try await system.expect("PONG\r\n")
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
    }

    @Test("requests in the middle of reloads by signal are answered one after the other")
    func reloadsAtOnce() async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(Self.configuration(""), to: "server.conf")
        let run = try ProgramRun(.ours, ["-T=false", "-c", file])
        try await run.waitForLog("Server is ready")
        let system = try await self.connect(try #require(run.port), "sys")
        await system.send("SUB answer 1\r\n")
        await system.send("PUB $SYS.REQ.SERVER.PING.IDZ answer 0\r\n\r\n")
        let size = try await system.readLine().split(separator: " ").last.flatMap { Int($0) } ?? 0
        let identity = String(decoding: try await system.read(count: size + 2), as: UTF8.self)
        let id = try #require(identity.components(separatedBy: "\"id\":\"").last?.prefix(56))
        for _ in 0..<20 {
            run.signal(SIGHUP)
            #expect(try await self.ask(system, "$SYS.REQ.SERVER.\(id).RELOAD") == "}")
        }
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
    }
}
