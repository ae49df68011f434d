/// The rule for all time to come at the end of a time zone file: `CET-1CEST,M3.5.0,M10.5.0/3` (POSIX `TZ`).
struct TimeZoneFooter: Sendable, Equatable {
    private enum Day: Sendable, Equatable {
        /// 1 to 365, without 29 February.
        case julian(Int64)
        /// 0 to 365.
        case ofYear(Int64)
        /// Week 5 is the last one; weekday 0 is Sunday.
        case ofMonth(Int64, week: Int64, weekday: Int64)
    }

    private struct Change: Sendable, Equatable {
        var day: Day
        /// Seconds after midnight.
        var time: Int64 = 7200

        /// When it happens, in seconds since the year's begin, by clocks that are `offset` ahead.
        func second(year: Int64, offset: Int64) -> Int64 {
            let isLeap = TimeZoneFooter.isLeap(year)
            let day: Int64
            switch self.day {
            case .julian(let number): day = number - 1 + (isLeap && number >= 60 ? 1 : 0)
            case .ofYear(let number): day = number
            case .ofMonth(let month, let week, let weekday):
                let starts: [Int64] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365]
                let extra: Int64 = isLeap ? 1 : 0
                let start = starts[Int(month) - 1] + (month > 2 ? extra : 0)
                let length = starts[Int(month)] - starts[Int(month) - 1] + (month == 2 ? extra : 0)
                // 1 January 1970 was a Thursday.
                let firstWeekday = (TimeZoneFooter.days(before: year) + start + 4 + 7 * 1_000_000_000) % 7
                var inMonth = (weekday - firstWeekday + 7) % 7 + (week - 1) * 7
                while inMonth >= length { inMonth -= 7 }
                day = start + inMonth
            }
            return day * 86_400 + self.time - offset
        }
    }

    private var standard: Int64 = 0
    private var daylight: Int64?
    private var start = Change(day: .ofMonth(3, week: 2, weekday: 0))
    private var end = Change(day: .ofMonth(11, week: 1, weekday: 0))

    /// Reads a rule; `nil` for what is none.
    init?(_ text: [UInt8]) {
        var text = text[...]
        guard Self.takeName(&text), let standard = Self.takeTime(&text, maximumHours: 24) else { return nil }
        self.standard = -standard
        guard !text.isEmpty else { return }
        guard Self.takeName(&text) else { return nil }
        self.daylight = self.standard + 3600
        if let first = text.first, first != UInt8(ascii: ",") {
            guard let daylight = Self.takeTime(&text, maximumHours: 24) else { return nil }
            self.daylight = -daylight
        }
        guard !text.isEmpty else { return }
        guard Self.take(",", &text), let start = Self.takeChange(&text), Self.take(",", &text),
            let end = Self.takeChange(&text), text.isEmpty
        else { return nil }
        self.start = start
        self.end = end
    }

    // MARK: Reading

    private static func take(_ byte: Unicode.Scalar, _ text: inout ArraySlice<UInt8>) -> Bool {
        guard text.first == UInt8(ascii: byte) else { return false }
        text.removeFirst()
        return true
    }

    private static func takeName(_ text: inout ArraySlice<UInt8>) -> Bool {
        if self.take("<", &text) {
            guard let close = text.firstIndex(of: UInt8(ascii: ">")) else { return false }
            text = text[(close + 1)...]
            return true
        }
        let name = text.prefix { !(0x30...0x39).contains($0) && $0 != 0x2c && $0 != 0x2b && $0 != 0x2d }
        text = text[name.endIndex...]
        return name.count >= 3
    }

    private static func takeNumber(_ text: inout ArraySlice<UInt8>, _ range: ClosedRange<Int64>) -> Int64? {
        let digits = text.prefix { (0x30...0x39).contains($0) }
        guard (1...4).contains(digits.count) else { return nil }
        text = text[digits.endIndex...]
        let number = digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
        return range.contains(number) ? number : nil
    }

    /// Hours with sign, and possibly minutes and seconds; in seconds.
    private static func takeTime(_ text: inout ArraySlice<UInt8>, maximumHours: Int64) -> Int64? {
        let isNegative = self.take("-", &text)
        if !isNegative { _ = self.take("+", &text) }
        guard var seconds = self.takeNumber(&text, 0...maximumHours).map({ $0 * 3600 }) else { return nil }
        for unit in [60, 1] as [Int64] {
            guard self.take(":", &text) else { break }
            guard let number = self.takeNumber(&text, 0...59) else { return nil }
            seconds += number * unit
        }
        return isNegative ? -seconds : seconds
    }

    private static func takeChange(_ text: inout ArraySlice<UInt8>) -> Change? {
        let day: Day
        if self.take("J", &text) {
            guard let number = self.takeNumber(&text, 1...365) else { return nil }
            day = .julian(number)
        } else if self.take("M", &text) {
            guard let month = self.takeNumber(&text, 1...12), self.take(".", &text),
                let week = self.takeNumber(&text, 1...5), self.take(".", &text),
                let weekday = self.takeNumber(&text, 0...6)
            else { return nil }
            day = .ofMonth(month, week: week, weekday: weekday)
        } else {
            guard let number = self.takeNumber(&text, 0...365) else { return nil }
            day = .ofYear(number)
        }
        var change = Change(day: day)
        if self.take("/", &text) {
            guard let time = self.takeTime(&text, maximumHours: 24 * 7) else { return nil }
            change.time = time
        }
        return change
    }

    // MARK: Looking up

    /// What holds at a moment; its ends are right near a change, otherwise those of the year (Go's time tzset).
    func period(at moment: Int64) -> TimeZoneRules.Period {
        guard let daylight else { return TimeZoneRules.Period(offset: self.standard, start: .min, end: .max) }
        let year = Self.year(ofDay: moment.dividedDown(by: 86_400))
        let yearStart = Self.days(before: year) * 86_400
        let second = moment - yearStart
        var (start, end) = (
            self.start.second(year: year, offset: self.standard), self.end.second(year: year, offset: daylight)
        )
        var (outer, inner) = (self.standard, daylight)
        // South of the equator the year begins and ends in summer.
        if end < start {
            swap(&start, &end)
            swap(&outer, &inner)
        }
        if second < start {
            return TimeZoneRules.Period(offset: outer, start: yearStart, end: yearStart + start)
        }
        if second >= end {
            return TimeZoneRules.Period(offset: outer, start: yearStart + end, end: yearStart + 365 * 86_400)
        }
        return TimeZoneRules.Period(offset: inner, start: yearStart + start, end: yearStart + end)
    }

    private static func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    /// From 1 January 1970 to 1 January of a year.
    private static func days(before year: Int64) -> Int64 {
        let last = year - 1
        let leaps = last.dividedDown(by: 4) - last.dividedDown(by: 100) + last.dividedDown(by: 400)
        return (year - 1970) * 365 + leaps - 477
    }

    private static func year(ofDay day: Int64) -> Int64 {
        var year = 1970 + (day * 400).dividedDown(by: 146_097)
        while self.days(before: year) > day { year -= 1 }
        while self.days(before: year + 1) <= day { year += 1 }
        return year
    }
}
