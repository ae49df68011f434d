/// Builds messages as Go's `log/syslog` does: RFC 3164 with a short stamp for the local socket, with an RFC 3339 stamp and
/// the host's name for a remote server.
struct SyslogFormatter: Sendable {
    /// The local daemon facility, or 0 for a remote server (nats-server logger/syslog.go).
    let facility: Int
    /// `nil` for the local socket.
    let hostName: String?
    /// Base name of the program.
    let tag: String
    let processID: Int

    static let daemonFacility = 3 << 3

    func append(_ text: String, label: LogLineFormatter.Label, second: Int, to buffer: inout [UInt8]) {
        let time = SystemCalls.localTime(second)
        let stamp = self.hostName == nil ? Self.shortStamp(time) : Self.longStamp(time, SystemCalls.zoneOffset(second))
        let host = self.hostName.map { " \($0)" } ?? ""
        buffer.append(
            contentsOf: "<\(self.facility | Self.severity(label))>\(stamp)\(host) \(self.tag)[\(self.processID)]: ".utf8
        )
        LogLineFormatter.appendSafely(text, keepsLineFeeds: false, to: &buffer)
        buffer.append(UInt8(ascii: "\n"))
    }

    static func severity(_ label: LogLineFormatter.Label) -> Int {
        switch label {
        case .fatal: 2
        case .error: 3
        case .warning: 4
        case .info, .trace: 5
        case .debug: 7
        }
    }

    /// Go's `time.Stamp`, `Nov  3 22:11:52`.
    static func shortStamp(_ time: LogLineFormatter.CalendarTime) -> String {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let month = months.indices.contains(time.month - 1) ? months[time.month - 1] : "Jan"
        let day = time.day < 10 ? " \(time.day)" : "\(time.day)"
        return "\(month) \(day) \(Self.clock(time))"
    }

    /// Go's `time.RFC3339`, `2026-11-20T22:11:52Z` or with `+01:00`.
    static func longStamp(_ time: LogLineFormatter.CalendarTime, _ offset: Int) -> String {
        let date = "\(time.year)-\(Self.two(time.month))-\(Self.two(time.day))T\(Self.clock(time))"
        guard offset != 0 else { return date + "Z" }
        let minutes = abs(offset) / 60
        return date + (offset < 0 ? "-" : "+") + "\(Self.two(minutes / 60)):\(Self.two(minutes % 60))"
    }

    private static func clock(_ time: LogLineFormatter.CalendarTime) -> String {
        "\(Self.two(time.hour)):\(Self.two(time.minute)):\(Self.two(time.second))"
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
