import NATSTestSupport
import Testing

@testable import nats_server

@Suite struct SyslogTests {
    private func message(
        _ label: LogLineFormatter.Label,
        host: String? = "host",
        facility: Int = 0,
        text: String = "text"
    ) -> String {
        var bytes: [UInt8] = []
        SyslogFormatter(facility: facility, hostName: host, tag: "nats-server", processID: 42)
            .append(text, label: label, second: 0, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("severities are the official ones")
    func severities() {
        let table: [(LogLineFormatter.Label, Int)] = [
            (.info, 5), (.trace, 5), (.warning, 4), (.error, 3), (.fatal, 2), (.debug, 7),
        ]
        for (label, severity) in table {
            #expect(self.message(label).hasPrefix("<\(severity)>"))
            let local = self.message(label, host: nil, facility: SyslogFormatter.daemonFacility)
            #expect(local.hasPrefix("<\(24 + severity)>"))
        }
    }

    @Test("stamps are Go's")
    func stamps() {
        let time = LogLineFormatter.CalendarTime(year: 2026, month: 11, day: 3, hour: 4, minute: 5, second: 6)
        #expect(SyslogFormatter.shortStamp(time) == "Nov  3 04:05:06")
        #expect(SyslogFormatter.longStamp(time, 0) == "2026-11-03T04:05:06Z")
        #expect(SyslogFormatter.longStamp(time, 3600) == "2026-11-03T04:05:06+01:00")
        #expect(SyslogFormatter.longStamp(time, -12_600) == "2026-11-03T04:05:06-03:30")
    }

    @Test("a message has host, tag, process and the text on one line")
    func format() {
        #expect(self.message(.info, text: "a\nb\n").hasSuffix(" host nats-server[42]: a b\n"))
        #expect(self.message(.info, host: nil).hasSuffix(" nats-server[42]: text\n"))
    }

    @Test(
        "addresses are read from the URL",
        arguments: [
            ("udp://127.0.0.1:514", SyslogAddress.udp("127.0.0.1:514")), ("TCP://[::1]:99", .tcp("[::1]:99")),
            ("tcp://user@h:1/path?q", .tcp("h:1")), ("unix:///run/log", .unix(path: "/run/log")),
            ("unix:/run/log", .unix(path: "/run/log")), ("udp:", .udp("")), ("udp://h:", .udp("h:")),
            ("tcp://[::1]", .tcp("[::1]")), ("tcp://h:00514", .tcp("h:00514")),
        ]
    )
    func addresses(url: String, address: SyslogAddress) throws {
        #expect(try SyslogAddress(url: url) == address)
    }

    @Test(
        "other schemes are refused in the official words",
        arguments: [("http://h:1", "http"), ("foo", ""), ("", ""), ("syslog://localhost:514", "syslog")]
    )
    func otherSchemes(url: String, scheme: String) {
        #expect(throws: SyslogAddress.Failure(description: "error invalid network type: \"\(scheme)\"")) {
            try SyslogAddress(url: url)
        }
    }
}
