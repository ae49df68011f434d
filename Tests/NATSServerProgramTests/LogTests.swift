import Logging
import NATSTestSupport
import NIOConcurrencyHelpers
import Testing

@testable import nats_server

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

@Suite struct LogTests {
    private func formatter(time: Bool = true, colored: Bool = false) -> LogLineFormatter {
        LogLineFormatter(processID: 42, showsTime: time, colored: colored) { second in
            LogLineFormatter.CalendarTime(year: 2026, month: 1, day: 2, hour: 3, minute: 4, second: second % 60)
        }
    }

    private func line(
        _ formatter: LogLineFormatter,
        _ text: String = "text",
        _ label: LogLineFormatter.Label = .info
    ) -> String {
        var formatter = formatter
        var buffer: [UInt8] = []
        formatter.append(text, label: label, SystemCalls.WallClock(second: 65, nanosecond: 7_890), to: &buffer)
        return String(decoding: buffer, as: UTF8.self)
    }

    @Test("a line has pid, local time with six decimals, label and text")
    func format() {
        #expect(self.line(self.formatter()) == "[42] 2026/01/02 03:04:05.000007 [INF] text\n")
        #expect(self.line(self.formatter(time: false)) == "[42] [INF] text\n")
    }

    @Test("the labels are the official ones, and in colour only their letters are coloured")
    func labels() {
        let table: [(LogLineFormatter.Label, String, String)] = [
            (.info, "INF", "32"), (.debug, "DBG", "36"), (.warning, "WRN", "0;93"), (.error, "ERR", "31"),
            (.fatal, "FTL", "31"), (.trace, "TRC", "33"),
        ]
        for (label, letters, color) in table {
            #expect(self.line(self.formatter(time: false), "x", label) == "[42] [\(letters)] x\n")
            let colored = "[42] [\u{1B}[\(color)m\(letters)\u{1B}[0m] x\n"
            #expect(self.line(self.formatter(time: false, colored: true), "x", label) == colored)
        }
    }

    @Test("a text that ends with a line feed gets no second one")
    func lineFeed() {
        #expect(self.line(self.formatter(time: false), "x\n") == "[42] [INF] x\n")
    }

    @Test("the local time is asked for once per second")
    func cachedSecond() {
        let calls = CallCounter()
        var formatter = LogLineFormatter(processID: 1, showsTime: true, colored: false) { second in
            calls.count()
            return LogLineFormatter.CalendarTime(year: 2026, month: 1, day: 2, hour: 3, minute: 4, second: second)
        }
        var buffer: [UInt8] = []
        for (second, microsecond) in [(1, 5), (1, 999_999), (2, 0), (2, 1)] {
            let now = SystemCalls.WallClock(second: second, nanosecond: microsecond * 1000)
            formatter.append("x", label: .info, now, to: &buffer)
        }
        #expect(calls.value == 2)
        let lines = String(decoding: buffer, as: UTF8.self).split(separator: "\n")
        #expect(
            lines == [
                "[1] 2026/01/02 03:04:01.000005 [INF] x", "[1] 2026/01/02 03:04:01.999999 [INF] x",
                "[1] 2026/01/02 03:04:02.000000 [INF] x", "[1] 2026/01/02 03:04:02.000001 [INF] x",
            ]
        )
    }

    @Test("swift-log levels become the official labels")
    func levels() {
        let labels = Logger.Level.allCases.map { OfficialLogHandler.label($0) }
        #expect(labels == [.trace, .debug, .info, .info, .warning, .error, .fatal])
    }

    @Test(
        "debug and trace are switched on one by one",
        arguments: [
            (false, false, "INF"), (true, false, "DBG INF"), (false, true, "TRC INF"), (true, true, "TRC DBG INF"),
        ]
    )
    func switches(debug: Bool, trace: Bool, labels: String) throws {
        let directory = try TemporaryDirectory()
        var settings = LogSettings()
        settings.file = directory.path + "/log"
        settings.showsTime = false
        settings.debug = debug
        settings.trace = trace
        let output = try LogOutput(settings)
        let logger = Logger(label: "test") { _ in OfficialLogHandler(output) }
        logger.trace("x")
        logger.debug("x")
        logger.info("x")
        let found = directory.read("log").split(separator: "\n").compactMap { line in
            line.split(separator: "[").last?.prefix(3)
        }
        #expect(found.joined(separator: " ") == labels)
    }

    private func fileSettings(_ path: String) -> LogSettings {
        var settings = LogSettings()
        settings.file = path
        settings.showsTime = false
        return settings
    }

    @Test("a file is appended to, and reopening follows a rename")
    func reopen() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("old\n", to: "log")
        let output = try LogOutput(self.fileSettings(path))
        output.write("one", label: .info)
        try directory.rename("log", to: "log.1")
        output.write("two", label: .info)
        #expect(try output.reopen())
        output.write("three", label: .info)
        let prefix = "[\(SystemCalls.processID())] [INF] "
        #expect(directory.read("log.1") == "old\n\(prefix)one\n\(prefix)two\n")
        #expect(directory.read("log") == "\(prefix)three\n")
    }

    @Test("a file that cannot be opened is named in Go's words, and the one in use stays")
    func openFailure() throws {
        let directory = try TemporaryDirectory()
        let missing = directory.path + "/no/log"
        #expect {
            _ = try LogOutput(self.fileSettings(missing))
        } throws: {
            "\($0)" == "error opening file: open \(missing): no such file or directory"
        }
        #expect {
            _ = try LogOutput(self.fileSettings(directory.path))
        } throws: {
            "\($0)" == "error opening file: open \(directory.path): is a directory"
        }
        let output = try LogOutput(self.fileSettings(directory.path + "/log"))
        #expect(throws: LogOutput.Failure.self) { try output.prepare(self.fileSettings(missing)) }
        output.write("still here", label: .info)
        #expect(directory.read("log").hasSuffix("[INF] still here\n"))
    }

    @Test("settings change while the log is in use: levels, time, file")
    func change() throws {
        let directory = try TemporaryDirectory()
        let output = try LogOutput(self.fileSettings(directory.path + "/one"))
        let logger = Logger(label: "test") { _ in OfficialLogHandler(output) }
        logger.debug("unheard")
        logger.info("first")
        var settings = self.fileSettings(directory.path + "/two")
        settings.debug = true
        settings.trace = true
        output.change(to: try output.prepare(settings))
        logger.debug("heard")
        logger.trace("heard too")
        let prefix = "[\(SystemCalls.processID())] "
        #expect(directory.read("one") == "\(prefix)[INF] first\n")
        #expect(directory.read("two") == "\(prefix)[DBG] heard\n\(prefix)[TRC] heard too\n")
    }

    @Test("texts of ours may have several lines, others stay on theirs")
    func severalLines() throws {
        let directory = try TemporaryDirectory()
        let output = try LogOutput(self.fileSettings(directory.path + "/log"))
        output.write("a\nb\u{1B}c\n", label: .error, keepsLineFeeds: true)
        output.write("a\nb", label: .error)
        let prefix = "[\(SystemCalls.processID())] [ERR] "
        #expect(directory.read("log") == "\(prefix)a\nb c\n\(prefix)a b\n")
    }

    // MARK: Rotation

    @Test("a file that gets too large is renamed, and the new one begins with the official line")
    func rotation() throws {
        let directory = try TemporaryDirectory()
        var settings = self.fileSettings(directory.path + "/log")
        settings.fileSizeLimit = 100
        let output = try LogOutput(settings)
        let text = String(repeating: "x", count: 120)
        output.write(text, label: .info)
        let backup = try #require(directory.names.first { $0 != "log" })
        #expect(backup.hasPrefix("log.") && RotatingFile.isStamp(backup.dropFirst(4)))
        let prefix = "[\(SystemCalls.processID())] [INF] "
        #expect(directory.read(backup) == "\(prefix)\(text)\n")
        #expect(
            directory.read("log") == "\(prefix)Rotated log, backup saved as \"\(directory.path)/\(backup)\"\r\n"
        )
    }

    @Test("of rotated files the newest are kept, files of other names too")
    func purge() throws {
        let directory = try TemporaryDirectory()
        for name in [
            "log.2020.01.02.03.04.05.000000006", "log.2021.01.02.03.04.05.000000006", "log.other", "log2",
            "log.2020.01.02.03.04.05", "log.2020.01.02.03.04.05.00000000x",
        ] {
            try directory.write("", to: name)
        }
        // No log, whatever it is called: the official server does not try to remove it.
        #expect(mkdir(directory.path + "/log.2019.01.02.03.04.05.000000006", 0o700) == 0)
        var settings = self.fileSettings(directory.path + "/log")
        settings.fileSizeLimit = 100
        settings.maximumFiles = 2
        let output = try LogOutput(settings)
        output.write(String(repeating: "x", count: 120), label: .info)
        let names = Set(directory.names)
        #expect(!names.contains("log.2020.01.02.03.04.05.000000006"))
        #expect(!names.contains("log.2021.01.02.03.04.05.000000006"))
        #expect(names.isSuperset(of: ["log", "log.other", "log2", "log.2020.01.02.03.04.05"]))
        #expect(names.count { RotatingFile.isStamp($0.dropFirst(4)) } == 2)
        #expect(names.contains("log.2019.01.02.03.04.05.000000006"))
        #expect(!directory.read("log").contains("Unable"))
        #expect(directory.read("log").contains("Purged log file \"log.2020.01.02.03.04.05.000000006\"\r\n"))
    }

    @Test("a change of settings on the same file follows a rotation in between")
    func rotationDuringChange() throws {
        let directory = try TemporaryDirectory()
        var settings = self.fileSettings(directory.path + "/log")
        settings.fileSizeLimit = 200
        let output = try LogOutput(settings)
        settings.debug = true
        let prepared = try output.prepare(settings)
        output.write(String(repeating: "x", count: 300), label: .info)
        output.change(to: prepared)
        output.write("here", label: .info)
        #expect(directory.read("log").hasSuffix("[INF] here\n"))
    }

    @Test("a file that is too large when it is opened is rotated at once")
    func rotationAtOpening() throws {
        let directory = try TemporaryDirectory()
        let old = String(repeating: "old\n", count: 50)
        var settings = self.fileSettings(try directory.write(old, to: "log"))
        settings.fileSizeLimit = 100
        _ = try LogOutput(settings)
        let backup = try #require(directory.names.first { $0 != "log" })
        #expect(directory.read(backup) == old + "[\(SystemCalls.processID())] [INF] Rotating logfile...\n")
    }
}

private final class CallCounter: Sendable {
    private let calls = NIOLockedValueBox(0)
    var value: Int { self.calls.withLockedValue { $0 } }
    func count() { self.calls.withLockedValue { $0 += 1 } }
}
