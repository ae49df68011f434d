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

/// Where the log goes and what it looks like there, on the official server and on ours.
@Suite struct LogTargetProgramTests {
    @Test(
        "a log file with a size limit is rotated alike: names, lines, line ends, purging",
        .enabled(if: Program.available.contains(.official))
    )
    func rotation() async throws {
        var results: [[String]] = []
        for program in [Program.official, .ours] {
            let directory = try TemporaryDirectory()
            for name in ["log.2020.01.02.03.04.05.000000006", "log.2021.01.02.03.04.05.000000006", "log.keep"] {
                try directory.write("", to: name)
            }
            let file = try directory.write(
                """
                host: 127.0.0.1
                port: -1
                logtime: false
                log_file: "\(directory.path)/log"
                log_size_limit: 3000
                log_max_num: 2
                server_name: "\(String(repeating: "n", count: 3000))"
                """,
                to: "conf"
            )
            let run = try ProgramRun(program, ["-c", file])
            try await eventually("ready") { directory.read("log").contains("Server is ready\n") }
            run.signal(SIGTERM)
            #expect(await run.exitCode() == 0)
            // The line with the long name fills the file; what comes later is in the next one.
            let names = directory.names.filter { $0 != "conf" }.sorted()
            let backup = names.first { RotatingFile.isStamp($0.dropFirst(4)) } ?? ""
            let log = directory.read("log")
                .replacingOccurrences(of: "[\(run.processID)] ", with: "")
                .replacingOccurrences(of: backup, with: "BACKUP")
                .replacingOccurrences(of: directory.path, with: "DIR")
            // Up to where ids and ports follow.
            let lines = log.utf8.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
                .filter { line in !["ID:", "Listening", "sha256"].contains { line.contains($0) } }
            // The official server's shutdown has a line about its system account.
            results.append(
                lines.filter { !$0.contains("Open file limit") } + names.map { $0 == backup ? "BACKUP" : $0 }
            )
        }
        #expect(results[1] == results[0])
        #expect(results[1].contains("[INF] Rotated log, backup saved as \"DIR/BACKUP\"\r"))
        #expect(results[1].contains("[INF] Purged log file \"log.2020.01.02.03.04.05.000000006\"\r"))
        #expect(results[1].suffix(3) == ["log", "BACKUP", "log.keep"])
    }

    @Test("times are UTC if so wanted", arguments: Program.available)
    func universalTime(program: Program) async throws {
        for (flags, offset) in [(["--logtime_utc"], 0), ([], 5 * 3600)] {
            // Go knows time zones by name only.
            if program == .official, offset > 0 { continue }
            let before = Date().addingTimeInterval(TimeInterval(offset) - 1)
            let run = try ProgramRun(
                program,
                ["-a", "127.0.0.1", "-p", "-1"] + flags,
                before: "TZ=XYZ-5; export TZ"
            )
            try await run.waitForLog("Server is ready")
            let after = Date().addingTimeInterval(TimeInterval(offset) + 1)
            let formatter = DateFormatter()
            formatter.dateFormat = "yyyy/MM/dd HH:mm:ss"
            formatter.timeZone = TimeZone(identifier: "UTC")
            formatter.locale = Locale(identifier: "en_US_POSIX")
            let words = run.errors.split(separator: "\n")[0].split(separator: " ")
            let time = try #require(formatter.date(from: "\(words[1]) \(words[2].prefix(8))"))
            #expect(time >= before && time <= after)
            run.signal(SIGTERM)
            #expect(await run.exitCode() == 0)
        }
    }

    #if os(Linux)
    @Test("labels are coloured on a terminal, and only their letters", arguments: Program.available)
    func colors(program: Program) async throws {
        let directory = try TemporaryDirectory()
        let command = "exec '\(try program.path())' -a 127.0.0.1 -p -1 -T=false -D -P '\(directory.path)/pid'"
        // Gives the command a terminal, and its own standard output what appears there.
        let process = try ChildProcess("/usr/bin/script", ["-qec", command, "/dev/null"])
        try await eventually("the log on the terminal") { process.output.contains("Server is ready") }
        let server = try #require(pid_t(directory.read("pid")))
        #expect(process.output.contains("[\(server)] [\u{1B}[32mINF\u{1B}[0m] Starting nats-server\r\n"))
        #expect(process.output.contains("[\(server)] [\u{1B}[36mDBG\u{1B}[0m]   Go build: "))
        kill(server, SIGTERM)
        // What it says last need not get through the terminal.
        try await eventually("the end") { kill(server, 0) != 0 }
        await process.stop(timeout: .seconds(1))
    }
    #endif

    @Test(
        "payloads in a trace are cut, and only headers are shown, alike",
        .enabled(if: Program.available.contains(.official)),
        arguments: [
            (["--max_traced_msg_len", "5"], ""), (["--max_traced_msg_len", "-5"], ""), ([], "max_traced_msg_len: 3"),
            ([], "trace_headers: true"), (["--max_traced_msg_len=4"], "trace_headers: true"), (["-VV"], ""),
            ([], "trace_verbose: true"),
        ]
    )
    func tracedPayloads(flags: [String], text: String) async throws {
        var results: [[String]] = []
        for program in [Program.official, .ours] {
            let directory = try TemporaryDirectory()
            let file = try directory.write("host: 127.0.0.1\nport: -1\n\(text)\n", to: "conf")
            let run = try ProgramRun(program, ["-c", file, "-T=false", "-V"] + flags)
            try await run.waitForLog("Server is ready")
            let client = try RawConnection.connect(port: try #require(run.port), answersPings: true)
            try await client.readInfo()
            await client.send(
                "CONNECT {\"verbose\":false,\"headers\":true}\r\nSUB a.* 1\r\nPUB a.b 9\r\n12345\"\\\r\u{7}\r\nPUB a.c 2\r\nhi\r\n"
                    + "HPUB a.d 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\nHPUB a.e 12 12\r\nNATS/1.0\r\n\r\n\r\nPUB a.f 0\r\n\r\nPING\r\n"
            )
            _ = try await client.read(until: "PONG\r\n")
            try await run.waitForLog("->> [PONG]")
            run.signal(SIGTERM)
            #expect(await run.exitCode() == 0)
            results.append(
                run.errors.split(separator: "\n").filter { $0.contains("[TRC]") && !$0.contains("SYSTEM") }
                    .compactMap { line in
                        // Without the client's number: see SessionLogTests.
                        guard let number = line.firstRange(of: " - cid:") else { return nil }
                        let rest = line[number.upperBound...].drop { $0.isNumber }
                        // The server's own PINGs come when it is time for them.
                        return rest.hasSuffix("[PING]") || rest.hasSuffix("[PONG]") ? nil : String(rest)
                    }
            )
        }
        #expect(results[1] == results[0])
        #expect(results[1].contains { $0.contains("MSG_PAYLOAD") })
    }
}
