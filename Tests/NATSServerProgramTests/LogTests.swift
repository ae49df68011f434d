import Logging
import NATSTestSupport
import NIOConcurrencyHelpers
import Testing

@testable import nats_server

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
        formatter.append(text, label: label, second: 65, microsecond: 7, to: &buffer)
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
            formatter.append("x", label: .info, second: second, microsecond: microsecond, to: &buffer)
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
        let sink = try LogSink(path: directory.path + "/log", showsTime: false)
        let logger = Logger(label: "test") { _ in OfficialLogHandler(sink: sink, debug: debug, trace: trace) }
        logger.trace("x")
        logger.debug("x")
        logger.info("x")
        let found = directory.read("log").split(separator: "\n").compactMap { line in
            line.split(separator: "[").last?.prefix(3)
        }
        #expect(found.joined(separator: " ") == labels)
    }

    @Test("a file is appended to, and reopening follows a rename")
    func reopen() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("old\n", to: "log")
        let sink = try LogSink(path: path, showsTime: false)
        sink.write("one", label: .info)
        try directory.rename("log", to: "log.1")
        sink.write("two", label: .info)
        #expect(try sink.reopen())
        sink.write("three", label: .info)
        let prefix = "[\(SystemCalls.processID())] [INF] "
        #expect(directory.read("log.1") == "old\n\(prefix)one\n\(prefix)two\n")
        #expect(directory.read("log") == "\(prefix)three\n")
    }

    @Test("a file that cannot be opened is named in Go's words")
    func openFailure() throws {
        let directory = try TemporaryDirectory()
        let missing = directory.path + "/no/log"
        #expect {
            _ = try LogSink(path: missing, showsTime: true)
        } throws: {
            "\($0)" == "open \(missing): no such file or directory"
        }
        #expect {
            _ = try LogSink(path: directory.path, showsTime: true)
        } throws: {
            "\($0)" == "open \(directory.path): is a directory"
        }
    }
}

private final class CallCounter: Sendable {
    private let calls = NIOLockedValueBox(0)
    var value: Int { self.calls.withLockedValue { $0 } }
    func count() { self.calls.withLockedValue { $0 += 1 } }
}
