#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The time of day as statistics tell it, in 64 bits also where `Int` has 32.
enum UTCTime {
    static func microsecondsSince1970() -> Int64 {
        var now = timespec()
        guard clock_gettime(CLOCK_REALTIME, &now) == 0 else {
            return 0
        }
        return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
    }

    /// RFC 3339 with six digits of a second: nats-py reads a fraction of one to six digits, and only with one.
    static func text(microsecondsSince1970 time: Int64) -> String {
        let time = max(0, time)
        let second = time / 1_000_000
        let (year, month, day) = self.date(daysSince1970: second / 86400)
        let clock = second % 86400
        func padded(_ number: Int64, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(padded(clock / 3600, 2)):"
            + "\(padded(clock / 60 % 60, 2)):\(padded(clock % 60, 2)).\(padded(time % 1_000_000, 6))Z"
    }

    /// The date in the Gregorian calendar, reckoned in years that begin in March and eras of 400 of them.
    private static func date(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let days = days + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let march = (5 * dayOfYear + 2) / 153
        let month = march < 10 ? march + 3 : march - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * march + 2) / 5 + 1)
    }
}
