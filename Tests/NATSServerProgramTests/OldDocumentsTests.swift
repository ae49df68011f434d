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

/// What the old documents (gnatsd 0.6.4 to nats-server 2.10) show of the program, by their sections; on both servers.
@Suite struct OldDocumentsProgramTests {
    /// Starts, waits until it is ready, and ends it.
    private func starts(_ program: Program, _ arguments: [String], file: String? = nil) async throws -> String {
        let directory = try TemporaryDirectory()
        var arguments = arguments
        if let file { arguments += ["-c", try directory.write(file, to: "server.conf")] }
        let run = try ProgramRun(program, arguments)
        try await run.waitForLog("Server is ready")
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
        return run.errors
    }

    @Test(
        "§1: flags of the old documents start a server",
        arguments: Program.available,
        [
            ["-a", "127.0.0.1", "-p", "-1"], ["--addr", "127.0.0.1", "--port", "-1"],
            ["-net", "127.0.0.1", "-p", "-1", "-n", "one"],
            ["-DV", "-a", "127.0.0.1", "-p", "-1", "-user", "foo", "-pass", "bar"],
            ["-DV", "-a", "127.0.0.1", "-p", "-1", "-auth", "S3Cr3T0k3n!"],
            // Today a token besides a user is accepted.
            ["-a", "127.0.0.1", "-p", "-1", "--user", "foo", "--pass", "bar", "--auth", "t"],
            ["-D", "-V", "-a", "127.0.0.1", "-p", "-1"], ["-a", "127.0.0.1", "-p", "-1", "-T=false", "-VV"],
            ["-a", "127.0.0.1", "-p", "-1", "-DVV", "--client_advertise", "localhost:4222"],
        ]
    )
    func section1Flags(program: Program, arguments: [String]) async throws {
        let log = try await self.starts(program, arguments)
        #expect(log.contains("[INF]   Version:  2.15.1\n"))
        #expect(log.contains("[INF] Listening for client connections on 127.0.0.1:"))
        #expect(!log.contains("S3Cr3T0k3n!"))
    }

    @Test("§1: each line has pid, date, time and label", arguments: Program.available)
    func section1Lines(program: Program) async throws {
        let log = try await self.starts(program, ["-a", "127.0.0.1", "-p", "-1"])
        for line in log.split(separator: "\n") {
            #expect(line.contains(#/^\[\d+\] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} \[(INF|WRN)\] /#), "\(line)")
        }
    }

    @Test("§1: -config reads a file, and flags win over it", arguments: Program.available)
    func section1Config(program: Program) async throws {
        let log = try await self.starts(
            program,
            ["-D", "-p", "-1"],
            file: "net: 127.0.0.1\nport: 4242\ndebug: false\n"
        )
        #expect(log.contains("[INF] Using configuration file: "))
        #expect(log.contains("[DBG] "))
        #expect(!log.contains(":4242"))
    }

    @Test("§1: -s takes no address today, and -r no scheme syslog", arguments: Program.available)
    func section1Syslog(program: Program) async throws {
        let first = try ProgramRun(program, ["-a", "127.0.0.1", "-p", "-1", "-s", "udp://127.0.0.1:514"])
        #expect(await first.exitCode() == 1)
        #expect(first.errors == "nats-server: unrecognized command: \"udp://127.0.0.1:514\"\n")
        let second = try ProgramRun(program, ["-a", "127.0.0.1", "-p", "-1", "-r", "syslog://127.0.0.1:514"])
        #expect(await second.exitCode() == 1)
        #expect(second.errors.hasSuffix(" error invalid network type: \"syslog\"\n"))
    }

    @Test(
        "§6: configurations of the old documents start a server",
        arguments: Program.available,
        [
            "port: -1\nnet: localhost\n", "port: -1, host: 127.0.0.1", "listen: \"127.0.0.1:-1\"",
            "# a comment\nport = -1 // another\nhost 127.0.0.1;\n",
            "port: -1\nnet: 127.0.0.1\ndebug: false\ntrace: false\nlogtime: false\n",
            "port: -1\nnet: 127.0.0.1\nmax_connections: 100\nmax_control_line: 512\nmax_payload: 65536\n",
            "port: -1\nnet: 127.0.0.1\nmax_conn: 100\nwrite_deadline: \"2s\"\n",
            "port: -1\nnet: 127.0.0.1\nwrite_deadline:2s\n",
            "port: -1\nnet: 127.0.0.1\nping_interval: 120\nwrite_deadline: 2\n",
            "{ \"port\": -1, \"net\": \"127.0.0.1\" }",
        ]
    )
    func section6Configurations(program: Program, file: String) async throws {
        let log = try await self.starts(program, [], file: file)
        #expect(log.contains("Listening for client connections on "))
    }

    @Test("§6: seconds as plain numbers are warned about and accepted", arguments: Program.available)
    func section6Seconds(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("port: -1\nnet: 127.0.0.1\nping_interval: 120\nwrite_deadline: 2\n", to: "c")
        let run = try ProgramRun(program, ["-c", file])
        try await run.waitForLog("Server is ready")
        let use = "invalid use of field"
        #expect(
            run.errors.contains(
                "\(file):3:1: \(use) \"ping_interval\": ping_interval should be converted to a duration\n"
            )
        )
        #expect(
            run.errors.contains(
                "\(file):4:1: \(use) \"write_deadline\": write_deadline should be converted to a duration\n"
            )
        )
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
        let test = try ProgramRun(program, ["-t", "-c", file])
        #expect(await test.exitCode() == 1)
    }

    @Test("§6: max_pending_size and a user outside of authorization are unknown today", arguments: Program.available)
    func section6Unknown(program: Program) async throws {
        for (line, key) in [("max_pending_size: 10000000", "max_pending_size"), ("user: a", "user")] {
            let directory = try TemporaryDirectory()
            let file = try directory.write("port: -1\n\(line)\n", to: "c")
            for arguments in [["-c", file], ["-t", "-c", file]] {
                let run = try ProgramRun(program, arguments)
                #expect(await run.exitCode() == 1)
                #expect(run.errors == "nats-server: \(file):2:1: unknown field \"\(key)\"\n\n")
            }
        }
    }

    @Test("§6: variables come from the environment", arguments: Program.available)
    func section6Environment(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("port: $OLD_DOCUMENTS_PORT\nnet: 127.0.0.1\n", to: "c")
        let run = try ProgramRun(program, ["-c", file], before: "OLD_DOCUMENTS_PORT=-1; export OLD_DOCUMENTS_PORT")
        try await run.waitForLog("Server is ready")
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
        let unset = try ProgramRun(program, ["-c", file])
        #expect(await unset.exitCode() == 1)
        #expect(
            unset.errors
                == "nats-server: variable reference for 'OLD_DOCUMENTS_PORT' on line 1 can not be found\n"
        )
    }

    @Test("§6: log_file, pid_file and logtime do what they say", arguments: Program.available)
    func section6Files(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(
            """
            port: -1
            net: 127.0.0.1
            logtime: false
            log_file: "\(directory.path)/log"
            pid_file: "\(directory.path)/pid"
            """,
            to: "c"
        )
        let run = try ProgramRun(program, ["-c", file])
        try await eventually("ready") { directory.read("log").contains("Server is ready\n") }
        #expect(directory.read("pid") == "\(run.processID)")
        #expect(directory.read("log").hasPrefix("[\(run.processID)] [INF] Starting nats-server\n"))
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
        #expect(run.errors == "")
    }

    @Test(
        "§7: after logrotate's kill -SIGUSR1 $(cat pidfile) the server goes on in a new file",
        arguments: Program.available
    )
    func section7Logrotate(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let run = try ProgramRun(
            program,
            ["-a", "127.0.0.1", "-p", "-1", "-l", directory.path + "/log", "-P", directory.path + "/pid"]
        )
        try await eventually("ready") { directory.read("log").contains("Server is ready") }
        try directory.rename("log", to: "log.1")
        let kill = try ChildProcess("/bin/sh", ["-c", "kill -USR1 \"$(cat \(directory.path)/pid)\""])
        #expect(await kill.waitForExit() == .exited(0))
        try await eventually("the new file") { directory.read("log").hasSuffix("[INF] File log re-opened\n") }
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
        #expect(directory.read("log").hasSuffix("[INF] Server Exiting..\n"))
        #expect(directory.read("log.1").hasSuffix("[INF] Trapped \"user defined signal 1\" signal\n"))
    }

    @Test("§7: UNSUB in a trace is what was received, DELSUB the removal", arguments: Program.available)
    func section7Trace(program: Program) async throws {
        let run = try ProgramRun(program, ["-a", "127.0.0.1", "-p", "-1", "-T=false", "-V"])
        try await run.waitForLog("Server is ready")
        let connection = try RawConnection.connect(port: try #require(run.port), answersPings: true)
        try await connection.readInfo()
        await connection.send("CONNECT {\"verbose\":false}\r\nSUB a 1\r\nUNSUB 1 1\r\nPING\r\n")
        _ = try await connection.read(until: "PONG\r\n")
        try await run.waitForLog("->> [PONG]\n")
        #expect(run.errors.contains("<<- [UNSUB 1 1]\n"))
        #expect(!run.errors.contains("DELSUB"))
        await connection.send("PUB a 0\r\n\r\nPING\r\n")
        _ = try await connection.read(until: "PONG\r\n")
        try await run.waitForLog("<-> [DELSUB 1]\n")
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
    }
}
