import NATSText

/// Times and durations as the monitoring pages show them.
enum TimeText {
    /// RFC 3339 in UTC with as many decimals as needed, as Go writes times into JSON.
    static func rfc3339(_ nanoseconds: Int64) -> [UInt8] {
        let (seconds, fraction) = self.split(nanoseconds, by: 1_000_000_000)
        let date = self.civil(seconds)
        // In place, since long lists have thousands of times.
        var text: [UInt8] = []
        text.reserveCapacity(30)
        func append(_ value: Int, _ width: Int, _ end: Unicode.Scalar) {
            var divisor = 1
            for _ in 1..<width { divisor *= 10 }
            while divisor > 0 {
                text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
                divisor /= 10
            }
            text.append(UInt8(ascii: end))
        }
        append(date.year, 4, "-")
        append(date.month, 2, "-")
        append(date.day, 2, "T")
        append(date.hour, 2, ":")
        append(date.minute, 2, ":")
        append(date.second, 2, fraction > 0 ? "." : "Z")
        guard fraction > 0 else { return text }
        append(Int(fraction), 9, "Z")
        text.removeLast()
        while text.last == UInt8(ascii: "0") { text.removeLast() }
        text.append(UInt8(ascii: "Z"))
        return text
    }

    /// The form of the `Date` header: `Sat, 21 Nov 2026 07:46:24 GMT`.
    static func http(_ nanoseconds: Int64) -> String {
        let (seconds, _) = self.split(nanoseconds, by: 1_000_000_000)
        let date = self.civil(seconds)
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let day = days[Int(self.split(self.split(seconds, by: 86_400).quotient, by: 7).remainder)]
        let clock = "\(self.pad(date.hour)):\(self.pad(date.minute)):\(self.pad(date.second))"
        return "\(day), \(self.pad(date.day)) \(months[date.month - 1]) \(self.pad(date.year, 4)) \(clock) GMT"
    }

    /// Whole seconds, largest unit first, years of 365 days (nats-server monitor.go myUptime).
    static func uptime(_ nanoseconds: Int64) -> String {
        let seconds = max(0, nanoseconds) / 1_000_000_000
        let minutes = seconds / 60
        let hours = minutes / 60
        let days = hours / 24
        let years = days / 365
        var text = ""
        if years > 0 { text += "\(years)y" }
        if days > 0 { text += "\(days % 365)d" }
        if hours > 0 { text += "\(hours % 24)h" }
        if minutes > 0 { text += "\(minutes % 60)m" }
        return text + "\(seconds % 60)s"
    }

    /// A round-trip time: whole microseconds below a millisecond (nats-server monitor.go getRTT).
    static func roundTrip(_ nanoseconds: Int64) -> String {
        let isShort = nanoseconds > 1000 && nanoseconds < 1_000_000
        return GoDuration.text(.nanoseconds(isShort ? nanoseconds / 1000 * 1000 : nanoseconds))
    }

    // MARK: Calendar

    private struct Civil {
        var year: Int
        var month: Int
        var day: Int
        var hour: Int
        var minute: Int
        var second: Int
    }

    /// The proleptic Gregorian calendar, counted from 1 March of year 0, when leap days come last.
    private static func civil(_ seconds: Int64) -> Civil {
        let (days, clock) = self.split(seconds, by: 86_400)
        let (era, dayOfEra) = self.split(days + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return Civil(
            year: Int(yearOfEra + era * 400 + (month <= 2 ? 1 : 0)),
            month: Int(month),
            day: Int(dayOfYear - (153 * shifted + 2) / 5 + 1),
            hour: Int(clock / 3600),
            minute: Int(clock / 60 % 60),
            second: Int(clock % 60)
        )
    }

    /// Division that rounds down, so that the remainder is never negative.
    private static func split(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    private static func pad(_ value: Int, _ width: Int = 2) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
