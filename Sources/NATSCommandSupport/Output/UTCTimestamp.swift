package import NIOCore

/// `2026-11-20T22:09:26.123456Z`, with microseconds.
package enum UTCTimestamp {
    /// Appends the text for a time since the epoch.
    package static func append(nanoseconds: Int64, to output: inout ByteBuffer) {
        let microseconds = nanoseconds.quotientFloored(by: 1000)
        let seconds = microseconds.quotientFloored(by: 1_000_000)
        let fraction = microseconds - seconds * 1_000_000
        let days = seconds.quotientFloored(by: 86_400)
        let second = seconds - days * 86_400
        let (year, month, day) = Self.date(daysSinceEpoch: days)
        output.writeDecimal(year, width: 4)
        output.writeInteger(UInt8(ascii: "-"))
        output.writeDecimal(month, width: 2)
        output.writeInteger(UInt8(ascii: "-"))
        output.writeDecimal(day, width: 2)
        output.writeInteger(UInt8(ascii: "T"))
        output.writeDecimal(second / 3600, width: 2)
        output.writeInteger(UInt8(ascii: ":"))
        output.writeDecimal(second / 60 % 60, width: 2)
        output.writeInteger(UInt8(ascii: ":"))
        output.writeDecimal(second % 60, width: 2)
        output.writeInteger(UInt8(ascii: "."))
        output.writeDecimal(fraction, width: 6)
        output.writeInteger(UInt8(ascii: "Z"))
    }

    /// The text for a time since the epoch.
    package static func text(nanoseconds: Int64) -> String {
        var output = ByteBuffer()
        Self.append(nanoseconds: nanoseconds, to: &output)
        return String(buffer: output)
    }

    /// The Gregorian date, by eras of 400 years that begin on the first of March.
    private static func date(daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = daysSinceEpoch + 719_468
        let era = shifted.quotientFloored(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, day)
    }
}

extension Int64 {
    fileprivate func quotientFloored(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = self.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
