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

/// A log that does not take its lines must not hold up the server.
@Suite struct SlowLogTests {
    @Test("clients are served although nobody reads a traced log, and the lines come when somebody does")
    func unreadPipe() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/pipe"
        try #require(mkfifo(path, 0o600) == 0)
        // Both ends, so that opening waits for nobody.
        let pipe = open(path, O_RDWR | O_NONBLOCK)
        try #require(pipe >= 0)
        defer { close(pipe) }
        let process = try ChildProcess(
            "/bin/sh",
            [
                "-c", "exec \"$0\" \"$@\" 2>\"$PIPE\"", try Program.ours.path(), "-a", "127.0.0.1", "-p", "-1", "-V",
                "--ports_file_dir", directory.path,
            ],
            environment: ["PIPE": path]
        )
        var port = 0
        try await eventually("ports file") {
            guard let name = directory.names.first(where: { $0.hasSuffix(".ports") }) else { return false }
            let digits = directory.read(name).split(separator: ":").last?.prefix { $0.isNumber } ?? ""
            port = Int(digits) ?? 0
            return port > 0
        }
        let connection = try RawConnection.connect(port: port, answersPings: true)
        try await connection.readInfo()
        await connection.send("CONNECT {\"verbose\":false}\r\n")
        // Two lines each: far more than a pipe holds.
        let message = "PUB a 100\r\n\(String(repeating: "x", count: 100))\r\n"
        await connection.send(String(repeating: message, count: 2000) + "PING\r\n")
        _ = try await connection.read(until: "PONG\r\n")
        // Now somebody reads.
        var text = ""
        try await eventually("the lines arrive") {
            var part = [UInt8](repeating: 0, count: 65_536)
            let count = read(pipe, &part, part.count)
            if count > 0 { text += String(decoding: part[..<count], as: UTF8.self) }
            return text.contains("->> [PONG]\n")
        }
        #expect(text.components(separatedBy: "<<- [PUB a 100]\n").count == 2001)
        process.signal(SIGTERM)
        #expect(await process.waitForExit() == .exited(0))
    }

    @Test("beyond the backlog's limit lines are counted, not kept")
    func limit() async throws {
        var ends: [CInt] = [0, 0]
        try #require(pipe(&ends) == 0)
        let (reading, writing) = (ends[0], ends[1])
        defer { close(reading) }
        let formatter = LogLineFormatter(
            processID: 1,
            showsTime: false,
            colored: false,
            localTime: SystemCalls.localTime
        )
        let target = LogTarget(
            DescriptorTransport(writing, closesDescriptor: true),
            format: .official(formatter)
        )
        let text = String(repeating: "x", count: 1000)
        // The pipe, what the writing thread has taken, the backlog, and some more.
        for _ in 0..<12_000 { #expect(target.write(text, label: .info)) }
        target.flush(milliseconds: 1)
        var all = [UInt8]()
        try await eventually("the count of lost lines") {
            var part = [UInt8](repeating: 0, count: 1 << 16)
            let count = read(reading, &part, part.count)
            if count > 0 { all += part[..<count] }
            return String(decoding: all.suffix(200), as: UTF8.self).contains("log lines lost")
        }
        let lines = String(decoding: all, as: UTF8.self).split(separator: "\n")
        let kept = lines.count { $0.hasSuffix(text) }
        let lost = try #require(lines.last?.split(separator: " ").compactMap { Int($0) }.first)
        #expect(kept + lost == 12_000)
        #expect(lines.last == "[1] [WRN] \(lost) log lines lost, the log is too slow")
        #expect(kept * 1000 < 3 * LogTarget.backlogLimit)
        target.close()
    }
}
