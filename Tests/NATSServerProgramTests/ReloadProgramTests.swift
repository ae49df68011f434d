import Foundation
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

/// Reloads: what the log says, and what changes, on the official server and on ours.
@Suite struct ReloadProgramTests {
    private static let base = "host: 127.0.0.1\nport: -1\n"

    /// Configurations, each put in place of the one before.
    ///
    /// Every key of the official table that has an effect on a server
    /// of its own is changed and changed back.
    private static let steps: [String] = [
        "",
        "debug: true\ntrace: true\nlogtime: true\nlogtime_utc: true",
        """
        max_payload: 2000
        max_connections: 10
        ping_interval: "1m"
        ping_max: 3
        write_deadline: "3s"
        max_control_line: 1024
        max_traced_msg_len: 10
        client_advertise: "a:1"
        server_tags: [a, b]
        server_metadata: {a: b}
        no_fast_producer_stall: true
        connect_error_reports: 5
        reconnect_error_reports: 7
        """,
        "trace_verbose: true\ntrace_headers: true",
        "client_advertise: \"a:b:c\"",
        "ping_interval: 5\nmax_connections: 0",
        "max_connections: -5\nmax_payload: -1",
        "authorization { user: a, password: b, timeout: 3 }",
        "authorization { token: x }",
        "authorization { users: [ {user: a, password: b} ], timeout: \"1500ms\" }",
        "authorization { users: [ {nkey: UAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB63NN} ] }",
        "authorization { users: [ {user: a, password: b, permissions: {publish: \"x\"}} ] }",
        "",
        // What needs a restart.
        "port: 4444", "host: \"0.0.0.0\"", "server_name: foo", "max_subscriptions: 3", "max_pending: 67108863",
        "max_sub_tokens: 3", "max_closed_clients: 3", "lame_duck_duration: \"40s\"", "lame_duck_grace_period: \"5s\"",
        "write_timeout: close", "disable_sublist_cache: true", "no_header_support: true", "allow_non_tls: true",
        "log_size_limit: 4", "log_max_num: 3", "http: 8999", "https: 8999", "http_base_path: \"/x\"",
        "system_account: foo", "no_system_account: true", "proxy_protocol: true", "prof_port: 7",
        "feature_flags: {js_ack_fc_v2: true}", "no_auth_user: a\nauthorization { users: [ {user: a, password: x} ] }",
        // What is wrong.
        "max_pending: 100", "max_payload: 2MB\nmax_pending: 1MB",
        "lame_duck_duration: \"30s\"\nlame_duck_grace_period: \"31s\"",
        "no_auth_user: x", "foo: bar", "debug: 7", "{", "lame_duck_duration: 4",
        "tls { cert_file: \"/no/x\", key_file: \"/no/y\" }",
        "",
    ]

    @Test(
        "each change and each refusal is told in the official words",
        .enabled(if: Program.available.contains(.official))
    )
    func table() async throws {
        let official = try await self.lines(.official, Self.steps)
        let ours = try await self.lines(.ours, Self.steps)
        for (index, step) in Self.steps.enumerated() {
            #expect(ours[index] == official[index], "\(step)")
            #expect(ours[index].count > 1)
        }
    }

    /// The log lines of each reload.
    private func lines(_ program: Program, _ steps: [String]) async throws -> [[String]] {
        let directory = try TemporaryDirectory()
        let file = try directory.write(Self.base, to: "server.conf")
        let run = try ProgramRun(program, ["-T=false", "-c", file])
        try await run.waitForLog("Server is ready")
        let port = try #require(run.port)
        var result: [[String]] = []
        for step in steps {
            try directory.write(Self.base + step + "\n", to: "server.conf")
            let text = try await self.reload(run).replacingOccurrences(of: directory.path, with: "DIR")
            result.append(
                text.split(separator: "\n").map { line in
                    line.replacingOccurrences(of: "[\(run.processID)] ", with: "")
                        .replacingOccurrences(of: "=\(port)", with: "=PORT")
                }
            )
        }
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
        return result
    }

    /// Reloads and returns what was logged on stderr meanwhile.
    private func reload(_ run: ProgramRun) async throws -> String {
        let before = run.errors.utf8.count
        run.signal(SIGHUP)
        var text = ""
        try await eventually("reload") {
            text = String(decoding: run.errors.utf8.dropFirst(before), as: UTF8.self)
            let isOver = text.contains("Reloaded server configuration") || text.contains("Failed to reload")
            return isOver && text.hasSuffix("\n")
        }
        return text
    }

    @Test("flags given at the start win over the new file too", arguments: Program.available)
    func flagsWin(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("host: 127.0.0.1\n", to: "server.conf")
        let run = try ProgramRun(
            program,
            ["-T=false", "-p", "-1", "-D=false", "--user", "u", "--pass", "p", "-c", file]
        )
        try await run.waitForLog("Server is ready")
        try directory.write(
            "host: 127.0.0.1\ndebug: true\nport: 7777\nauthorization {user: x, password: y}\n",
            to: "server.conf"
        )
        let text = try await self.reload(run)
        #expect(text.contains("[INF] Reloaded server configuration (sha256:"))
        #expect(!text.contains("debug") && !text.contains("username"))
        let connection = try RawConnection.connect(port: try #require(run.port), answersPings: true)
        try await connection.readInfo()
        await connection.send("CONNECT {\"verbose\":false,\"user\":\"u\",\"pass\":\"p\"}\r\nPING\r\n")
        _ = try await connection.read(until: "PONG\r\n")
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
    }

    @Test("a failed reload changes nothing", arguments: Program.available)
    func allOrNothing(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(Self.base + "max_payload: 100\n", to: "server.conf")
        let run = try ProgramRun(program, ["-T=false", "-c", file])
        try await run.waitForLog("Server is ready")
        let port = try #require(run.port)
        try directory.write(Self.base + "max_payload: 200\ndebug: true\nmax_closed_clients: 1\n", to: "server.conf")
        let text = try await self.reload(run)
        #expect(text.contains("config reload not supported for MaxClosedClients: old=10000, new=1\n"))
        #expect(!text.contains("Reloaded"))
        let info = try await RawConnection.connect(port: port, answersPings: true).readInfo()
        #expect(info.contains("\"max_payload\":100,"))
        #expect(!run.errors.contains("[DBG]"))
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
    }

    @Test(
        "too many clients for a lower max_connections are sent away, and the log counts them",
        arguments: Program.available
    )
    func maxConnections(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(Self.base, to: "server.conf")
        let run = try ProgramRun(program, ["-T=false", "-c", file])
        try await run.waitForLog("Server is ready")
        let port = try #require(run.port)
        var clients: [RawConnection] = []
        for _ in 0..<4 {
            let client = try RawConnection.connect(port: port, answersPings: true)
            try await client.readInfo()
            await client.send("CONNECT {\"verbose\":false}\r\nPING\r\n")
            _ = try await client.read(until: "PONG\r\n")
            clients.append(client)
        }
        try directory.write(Self.base + "max_connections: 1\n", to: "server.conf")
        let text = try await self.reload(run)
        #expect(text.contains("[INF] Closed 3 connections to fall within max_connections\n"))
        // Once, however many there are.
        try await run.waitForLog(" - maximum connections exceeded - Account:$G\n")
        #expect(text.contains("[INF] Reloaded: max_connections = 1\n"))
        var answers = [String](repeating: "", count: clients.count)
        try await eventually("three are gone") {
            for (index, client) in clients.enumerated() {
                answers[index] += String(decoding: client.takeAll(), as: UTF8.self)
            }
            return answers.count { $0.contains("-ERR 'maximum connections exceeded'\r\n") } == 3
        }
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
    }

    @Test("the log moves to another file and its levels change", arguments: Program.available)
    func logMoves(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let base = "host: 127.0.0.1\nport: -1\nlogtime: false\n"
        let file = try directory.write(base + "log_file: \"\(directory.path)/one\"\n", to: "server.conf")
        let run = try ProgramRun(program, ["-c", file])
        try await eventually("ready") { directory.read("one").contains("Server is ready") }
        try directory.write(base + "log_file: \"\(directory.path)/two\"\ndebug: true\n", to: "server.conf")
        run.signal(SIGHUP)
        try await eventually("reload") { directory.read("two").contains("Reloaded server configuration") }
        #expect(directory.read("one").hasSuffix("[INF] Reloaded: log_file = \(directory.path)/two\n"))
        #expect(directory.read("one").contains("[INF] Reloaded: debug = true\n"))
        // Back to stderr.
        try directory.write(base, to: "server.conf")
        run.signal(SIGHUP)
        try await run.waitForLog("Reloaded server configuration")
        #expect(directory.read("two").hasSuffix("[INF] Reloaded: log_file = \n"))
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
        #expect(run.errors.hasSuffix("[INF] Server Exiting..\n"))
    }

    @Test("pid file and ports file follow the configuration", arguments: Program.available)
    func files(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(Self.base, to: "server.conf")
        let run = try ProgramRun(program, ["-T=false", "-c", file])
        try await run.waitForLog("Server is ready")
        let port = try #require(run.port)
        let folder = directory.path + "/ports"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let wanted = "pid_file: \"\(directory.path)/pid\"\nports_file_dir: \"\(folder)\"\n"
        try directory.write(Self.base + wanted, to: "server.conf")
        let text = try await self.reload(run)
        #expect(text.contains("[INF] Reloaded: pid_file = \(directory.path)/pid\n"))
        #expect(text.contains("[INF] Reloaded: ports_file_dir = \(folder)\n"))
        #expect(directory.read("pid") == "\(run.processID)")
        try await eventually("ports file") {
            guard let name = directory.names(in: "ports").first else { return false }
            return directory.read("ports/" + name) == "{\"nats\":[\"nats://127.0.0.1:\(port)\"]}"
        }
        #expect(directory.names(in: "ports").first?.hasSuffix("_\(run.processID).ports") == true)
        // Taken away again.
        try directory.write(Self.base, to: "server.conf")
        _ = try await self.reload(run)
        #expect(directory.names(in: "ports").isEmpty)
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
    }

    @Test("what is not supported yet is refused at a reload too, and nothing changes")
    func unsupported() async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(Self.base, to: "server.conf")
        let run = try ProgramRun(.ours, ["-T=false", "-c", file])
        try await run.waitForLog("Server is ready")
        try directory.write(Self.base + "jetstream: true\ndebug: true\n", to: "server.conf")
        let text = try await self.reload(run)
        #expect(
            text.hasSuffix("[ERR] Failed to reload server configuration: not supported yet: jetstream (\(file):3:1)\n")
        )
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
    }

    @Test("a hundred reloads with clients connected: nobody is disturbed", arguments: Program.available)
    func manyReloads(program: Program) async throws {
        /// Other users each time, so that every client is checked again; the password of those connected stays.
        func configuration(_ round: Int) -> String {
            let users = "{user: derek, password: T0pS3cr3t}, {user: \"u\(round)\", password: x}"
            return Self.base + "max_payload: \(1000 + round)\ndebug: \(round % 2 == 0)\n"
                + "authorization { timeout: 30, users: [\(users)] }\n"
        }
        let directory = try TemporaryDirectory()
        let file = try directory.write(configuration(0), to: "server.conf")
        let run = try ProgramRun(program, ["-T=false", "-c", file])
        try await run.waitForLog("Server is ready")
        let port = try #require(run.port)
        let clients = TestDependencies.runsLongTests ? 1000 : 50
        var connections: [RawConnection] = []
        for index in 0..<clients {
            let connection = try RawConnection.connect(port: port, answersPings: true)
            try await connection.readInfo()
            await connection.send("CONNECT {\"verbose\":false,\"user\":\"derek\",\"pass\":\"T0pS3cr3t\"}\r\n")
            await connection.send("SUB s.\(index) 1\r\nPING\r\n")
            _ = try await connection.read(until: "PONG\r\n")
            connections.append(connection)
        }
        func expectMessage(_ index: Int, _ payload: String) async throws {
            let text = "PUB s.\(index) \(payload.utf8.count)\r\n\(payload)\r\nPING\r\n"
            await connections[index].send(text)
            let answer = String(decoding: try await connections[index].read(until: "PONG\r\n"), as: UTF8.self)
            #expect(answer == "MSG s.\(index) 1 \(payload.utf8.count)\r\n\(payload)\r\nPONG\r\n")
        }
        let before = ResidentMemory.of(processID: run.processID)
        var warm = 0
        for round in 1...100 {
            try directory.write(configuration(round), to: "server.conf")
            let text = try await self.reload(run)
            #expect(text.contains("Reloaded: max_payload = \(1000 + round)\n"))
            #expect(text.contains("Reloaded: authorization users\n"))
            try await expectMessage(round % clients, "\(round)")
            if round == 20 { warm = ResidentMemory.of(processID: run.processID) }
        }
        let after = ResidentMemory.of(processID: run.processID)
        if TestDependencies.runsLongTests {
            let sizes = [before, warm, after].map { "\($0 >> 10) KiB" }.joined(separator: ", ")
            FileHandle.standardError.write(
                Data("\(program), \(clients) clients; before, after 20 and 100 reloads: \(sizes)\n".utf8)
            )
        }
        if warm > 0, ResidentMemory.isMeaningful {
            // Eighty more reloads leave nothing behind.
            #expect(after < warm + (8 << 20))
        }
        for index in connections.indices {
            try await expectMessage(index, "hi")
        }
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
    }
}
