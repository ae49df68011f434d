#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A time of day in the local time zone, in the forms that Go names.
struct LocalClock {
    private var parts = tm()

    /// - Parameter second: Counted from the epoch.
    init?(second: Int) {
        var time = time_t(second)
        guard localtime_r(&time, &self.parts) != nil else { return nil }
    }

    /// `3:04PM`.
    var kitchen: String {
        let hour = Int(self.parts.tm_hour)
        let half = hour < 12 ? "AM" : "PM"
        return "\((hour + 11) % 12 + 1):\(Self.twoDigits(Int(self.parts.tm_min)))\(half)"
    }

    /// `2006-01-02T15:04:05+01:00`, with `Z` for UTC.
    var rfc3339: String {
        let year = String(Int(self.parts.tm_year) + 1900)
        let date = [Int(self.parts.tm_mon) + 1, Int(self.parts.tm_mday)].map(Self.twoDigits).joined(separator: "-")
        let time = [self.parts.tm_hour, self.parts.tm_min, self.parts.tm_sec].map { Self.twoDigits(Int($0)) }
        let offset = Int(self.parts.tm_gmtoff) / 60
        let zone =
            offset == 0
            ? "Z"
            : "\(offset < 0 ? "-" : "+")\(Self.twoDigits(abs(offset) / 60)):\(Self.twoDigits(abs(offset) % 60))"
        return String(repeating: "0", count: max(0, 4 - year.utf8.count)) + "\(year)-\(date)T"
            + time.joined(separator: ":") + zone
    }

    private static func twoDigits(_ value: Int) -> String {
        value < 10 ? "0\(value)" : String(value)
    }
}
