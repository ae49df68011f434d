#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// `2026/11/20 22:09:26 `, Go's standard log stamp in local time.
///
/// Rendered once per second.
package struct LocalTimestamp: Sendable {
    private var second: Int?
    private var text = ""

    package init() {}

    /// The stamp for `second`, counted from the epoch.
    package mutating func stamp(second: Int) -> String {
        if second == self.second { return self.text }
        var time = time_t(second)
        var parts = tm()
        guard localtime_r(&time, &parts) != nil else { return "" }
        func digits(_ value: Int32, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
        }
        self.text =
            "\(digits(parts.tm_year + 1900, 4))/\(digits(parts.tm_mon + 1, 2))/\(digits(parts.tm_mday, 2)) "
            + "\(digits(parts.tm_hour, 2)):\(digits(parts.tm_min, 2)):\(digits(parts.tm_sec, 2)) "
        self.second = second
        return self.text
    }

    /// Seconds since the epoch.
    package static var currentSecond: Int {
        Int(time(nil))
    }
}
