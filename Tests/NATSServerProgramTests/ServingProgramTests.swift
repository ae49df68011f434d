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

/// The program while it serves: its log, its files, its signals.
@Suite struct ServingProgramTests {
    private static let loopback = ["-a", "127.0.0.1", "-p", "-1"]

    /// Starts, waits until it is ready, sends a signal, waits for exit 0, and returns the comparable log.
    private func log(_ program: Program, _ arguments: [String], signal: CInt) async throws -> [String] {
        let run = try ProgramRun(program, Self.loopback + arguments)
        try await run.waitForLog("Server is ready")
        let port = try #require(run.port)
        run.signal(signal)
        #expect(await run.exitCode() == 0)
        #expect(run.output == "")
        return LogComparison.lines(run.errors, pid: run.processID, port: port)
    }

    @Test(
        "the log from start to end is the official one, line by line",
        .enabled(if: Program.available.contains(.official)),
        arguments: [
            [], ["-D"], ["-V"], ["-DV"], ["-T=false"], ["-T=false", "-D"], ["-n", "name"], ["-m", "-1"],
            ["-DV", "-m", "-1", "--client_advertise", "h:1"], ["-logtime_utc"],
            ["--user", "a", "--pass", "b"],
            ["-pass", "b"], ["--auth", "t"], ["--user", "a", "--pass", "b", "--auth", "t"], ["-a", "::1"],
        ]
    )
    func sameLog(arguments: [String]) async throws {
        for signal in [SIGTERM, SIGINT] {
            let official = try await self.log(.official, arguments, signal: signal)
            let ours = try await self.log(.ours, arguments, signal: signal)
            #expect(ours == official)
            #expect(ours.last?.hasSuffix("[INF] Server Exiting..") == true)
        }
    }

    @Test("the log names the compatible version, and our own release at debug level only")
    func versions() async throws {
        for (arguments, tellsRelease) in [(["-D"], true), (["-V"], false)] {
            let run = try ProgramRun(.ours, Self.loopback + ["-T=false"] + arguments)
            try await run.waitForLog("Server is ready")
            #expect(run.errors.contains("[INF]   Version:  2.15.1\n"))
            #expect(run.errors.contains("[DBG]   swift-nats: ") == tellsRelease)
            run.signal(SIGTERM)
            #expect(await run.exitCode() == 0)
        }
    }

    @Test("the pid file has the number alone and belongs to its owner", arguments: Program.available)
    func pidFile(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let run = try ProgramRun(program, Self.loopback + ["-P", directory.path + "/pid"])
        try await run.waitForLog("Server is ready")
        #expect(directory.read("pid") == "\(run.processID)")
        #expect(try self.permissions(directory.path + "/pid") == 0o600)
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
        #expect(directory.read("pid") == "\(run.processID)")
    }

    @Test("the log file is appended to, is not for others, and holds everything", arguments: Program.available)
    func logFile(program: Program) async throws {
        let directory = try TemporaryDirectory()
        try directory.write("before\n", to: "log")
        let run = try ProgramRun(
            program,
            Self.loopback + ["--log", directory.path + "/log", "-P", directory.path + "/pid"]
        )
        try await eventually("ready") { directory.read("log").contains("Server is ready") }
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
        #expect(run.errors == "")
        let log = directory.read("log")
        #expect(log.hasPrefix("before\n[\(run.processID)] "))
        #expect(log.hasSuffix("[INF] Server Exiting..\n"))

        let fresh = try ProgramRun(program, Self.loopback + ["--log", directory.path + "/fresh"], before: "umask 0")
        try await eventually("ready") { directory.read("fresh").contains("Server is ready") }
        #expect(try self.permissions(directory.path + "/fresh") == 0o640)
        fresh.signal(SIGTERM)
        #expect(await fresh.exitCode() == 0)
    }

    @Test("SIGUSR1 opens the log file again by its name", arguments: Program.available)
    func reopen(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let run = try ProgramRun(program, Self.loopback + ["-l", directory.path + "/log", "-T=false"])
        try await eventually("ready") { directory.read("log").contains("Server is ready") }
        try directory.rename("log", to: "log.1")
        run.signal(SIGUSR1)
        try await eventually("reopened") { directory.read("log").contains("re-opened\n") }
        #expect(directory.read("log") == "[\(run.processID)] [INF] File log re-opened\n")
        let trapped = "[\(run.processID)] [INF] Trapped \"user defined signal 1\" signal\n"
        #expect(directory.read("log.1").hasSuffix(trapped))
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
    }

    @Test("signals that need a file say so and change nothing", arguments: Program.available)
    func otherSignals(program: Program) async throws {
        let run = try ProgramRun(program, Self.loopback + ["-T=false"])
        try await run.waitForLog("Server is ready\n")
        run.signal(SIGUSR1)
        try await run.waitForLog("[INF] File log re-open ignored, not a file logger\n")
        run.signal(SIGHUP)
        try await run.waitForLog(
            """
            [INF] Trapped "hangup" signal
            [\(run.processID)] [ERR] Failed to reload server configuration: \
            can only reload config when a file is provided using -c or --config

            """
        )
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
    }

    @Test("a port in use ends the start with the official text", arguments: Program.available)
    func portInUse(program: Program) async throws {
        let first = try ProgramRun(program, Self.loopback)
        try await first.waitForLog("Server is ready")
        let port = try #require(first.port)
        let second = try ProgramRun(program, ["-a", "127.0.0.1", "-p", "\(port)"])
        #expect(await second.exitCode() == 1)
        let text = #"127.0.0.1:\#(port), "listen tcp 127.0.0.1:\#(port): bind: address already in use""#
        #expect(second.errors.hasSuffix("[FTL] Error listening on port: \(text)\n"))
        first.signal(SIGTERM)
        #expect(await first.exitCode() == 0)
    }

    @Test(
        "what cannot be listened on ends the start with the official text",
        arguments: Program.available,
        [
            (["-a", "127.0.0.1", "-p", "70000"], #"127.0.0.1:70000, "listen tcp: address 70000: invalid port""#),
            (["-a", "127.0.0.1", "-p", "-5"], #"127.0.0.1:-5, "listen tcp: address -5: invalid port""#),
            (["-a", "::1", "-p", "70000"], #"[::1]:70000, "listen tcp: address 70000: invalid port""#),
            (
                ["-a", "192.0.2.1", "-p", "-1"],
                #"192.0.2.1:0, "listen tcp 192.0.2.1:0: bind: cannot assign requested address""#
            ),
        ]
    )
    func cannotListen(program: Program, sample: (arguments: [String], text: String)) async throws {
        let run = try ProgramRun(program, sample.arguments)
        #expect(await run.exitCode() == 1)
        #expect(run.errors.hasSuffix("[FTL] Error listening on port: \(sample.text)\n"))
    }

    @Test(
        "monitoring that cannot be started ends the start with the official text",
        arguments: Program.available,
        [
            (["-ms", "-1"], "TLS cert and key required for HTTPS"),
            (["-m", "22012", "-ms", "22013"], "can't specify both HTTP (22012) and HTTPs (22013) ports"),
        ]
    )
    func cannotMonitor(program: Program, sample: (arguments: [String], text: String)) async throws {
        let run = try ProgramRun(program, Self.loopback + sample.arguments)
        #expect(await run.exitCode() == 1)
        #expect(run.errors.hasSuffix("[FTL] Can't start monitoring: \(sample.text)\n"))
        #expect(!run.errors.contains("Listening"))
    }

    @Test("an unknown host ends the start", arguments: Program.available)
    func unknownHost(program: Program) async throws {
        let run = try ProgramRun(program, ["-a", "300.1.1.1", "-p", "-1"])
        #expect(await run.exitCode() == 1)
        #expect(
            run.errors.hasSuffix(
                "[FTL] Error listening on port: 300.1.1.1:0, \"listen tcp: lookup 300.1.1.1: no such host\"\n"
            )
        )
    }

    @Test("a pid file that cannot be written ends the start before anything listens", arguments: Program.available)
    func pidFileFailure(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/no/pid"
        let run = try ProgramRun(program, Self.loopback + ["-P", path])
        #expect(await run.exitCode() == 1)
        #expect(run.errors.hasSuffix("[FTL] Could not write pidfile: open \(path): no such file or directory\n"))
        #expect(!run.errors.contains("Listening"))
    }

    @Test("a log file that cannot be opened is told on stderr in its own format", arguments: Program.available)
    func logFileFailure(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/no/log"
        let run = try ProgramRun(program, Self.loopback + ["-l", path])
        #expect(await run.exitCode() == 1)
        let line = run.errors
        #expect(
            line.dropFirst("2026/11/20 22:02:33".count)
                == " error opening file: open \(path): no such file or directory\n"
        )
        #expect(line.prefix(19).map { $0.isNumber ? "0" : $0 } == Array("0000/00/00 00:00:00"))
    }

    @Test("the soft limit of open files is raised, and a low hard one is told")
    func fileLimit() async throws {
        let run = try ProgramRun(.ours, Self.loopback, before: "ulimit -Sn 128; ulimit -Hn 512")
        try await run.waitForLog("Server is ready")
        #expect(run.errors.contains("[WRN] Open file limit of 512 is too low for max_connections of 65536\n"))
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
    }

    @Test("a second signal during the shutdown does no harm")
    func twoSignals() async throws {
        let run = try ProgramRun(.ours, Self.loopback)
        try await run.waitForLog("Server is ready")
        run.signal(SIGTERM)
        run.signal(SIGINT)
        #expect(await run.exitCode() == 0)
        #expect(run.errors.components(separatedBy: "Server Exiting..\n").count == 2)
    }

    @Test("SIGINT works although the shell started the program with it ignored", arguments: Program.available)
    func ignoredInterrupt(program: Program) async throws {
        let run = try ProgramRun(program, Self.loopback, before: "trap '' INT")
        try await run.waitForLog("Server is ready")
        run.signal(SIGINT)
        #expect(await run.exitCode() == 0)
        #expect(run.errors.contains("Trapped \"interrupt\" signal\n"))
    }

    @Test("a client is served, and the trace shows it", arguments: Program.available)
    func service(program: Program) async throws {
        // A password alone asks nobody for it, so no time-out can end the session on a slow machine.
        let run = try ProgramRun(program, Self.loopback + ["-V", "--pass", "geheim"])
        try await run.waitForLog("Server is ready")
        let port = try #require(run.port)
        let connection = try RawConnection.connect(port: port)
        _ = try await connection.readLine()
        await connection.send(#"CONNECT {"verbose":false,"user":"u","pass":"geheim"}"# + "\r\nPING\r\n")
        // On a slow machine the server's own first PING comes before.
        while try await connection.readLine() != "PONG" {}
        try await run.waitForLog("->> [PONG]")
        #expect(run.errors.contains(#"<<- [CONNECT {"verbose":false,"user":"u","pass":"[REDACTED]"}]"#))
        #expect(!run.errors.contains("geheim"))
        #expect(!run.errors.contains("[DBG]"))
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
    }

    private func permissions(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? NSNumber).intValue
    }
}
