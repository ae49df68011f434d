import NATSText
import NATSWire

/// A part of every day, `15:04:05` to `15:04:05`; over midnight when it ends earlier than it begins.
package struct TimeRange: Sendable, Equatable {
    package var start: String
    package var end: String

    package init(start: String, end: String) {
        self.start = start
        self.end = end
    }

    init(_ reader: ClaimReader) throws(JSONError) {
        self.init(start: "", end: "")
        try reader.read("start", into: &self.start)
        try reader.read("end", into: &self.end)
    }

    var object: JSONValue {
        var writer = ClaimWriter()
        writer.writeUnlessEmpty("start", self.start)
        writer.writeUnlessEmpty("end", self.end)
        return writer.object
    }

    func validate(into report: inout ValidationReport) {
        if self.start.isEmpty {
            report.error("time ranges start must contain a start")
        } else if Self.seconds(self.start) == nil {
            report.error("start in time range is invalid \(GoString.quoted(self.start))")
        }
        if self.end.isEmpty {
            report.error("time ranges end must contain an end")
        } else if Self.seconds(self.end) == nil {
            report.error("end in time range is invalid \(GoString.quoted(self.end))")
        }
    }

    /// Seconds since midnight of what Go reads with the layout `15:04:05`: the hour may have one digit, the seconds a
    /// fraction, which does not count.
    static func seconds(_ text: String) -> Int64? {
        let fields = Array(text.utf8).split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard fields.count == 3, let hour = self.number(fields[0], digits: 1...2), hour < 24,
            let minute = self.number(fields[1], digits: 2...2), minute < 60,
            let second = self.number(fields[2].prefix(2), digits: 2...2), second < 60
        else { return nil }
        let fraction = fields[2].dropFirst(2)
        if let mark = fraction.first {
            guard mark == UInt8(ascii: ".") || mark == UInt8(ascii: ","), fraction.count > 1,
                fraction.dropFirst().allSatisfy({ (0x30...0x39).contains($0) })
            else { return nil }
        }
        return hour * 3600 + minute * 60 + second
    }

    private static func number(_ text: ArraySlice<UInt8>, digits: ClosedRange<Int>) -> Int64? {
        guard digits.contains(text.count), text.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return text.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }
}

extension UserLimits {
    /// Whether a user may be connected at a moment.
    package enum TimePermission: Sendable, Equatable {
        case always
        /// For so many nanoseconds more.
        case remaining(Int64)
        case never
    }

    /// Whether the user may be connected (nats-server jwt.go validateTimesAt).
    ///
    /// - Parameters:
    ///   - moment: Nanoseconds since 1970.
    ///   - timeZones: Where ``locale`` is looked up. What cannot be found or read permits nothing.
    /// - Returns: Whether and how long.
    package func permission(at moment: Int64, timeZones: TimeZoneDatabase = .system) -> TimePermission {
        guard !self.times.isEmpty else { return .always }
        guard let zone = try? self.locale.isEmpty ? timeZones.local() : timeZones.zone(self.locale) else {
            return .never
        }
        let second: Int64 = 1_000_000_000
        let day = zone.day(of: moment.dividedDown(by: second))
        var longest: Int64?
        for range in self.times {
            guard let start = TimeRange.seconds(range.start), let end = TimeRange.seconds(range.end) else {
                return .never
            }
            let from = zone.moment(day: day, second: start)
            let to = zone.moment(day: day, second: end)
            let tomorrow = zone.moment(day: day + 1, second: end)
            guard let end = Self.end(from: from, to: to, tomorrow: tomorrow, at: moment) else { continue }
            longest = max(longest ?? 0, end * second - moment)
        }
        return longest.map { .remaining($0) } ?? .never
    }

    /// The end of the range that a moment lies in, in seconds.
    private static func end(from: Int64, to: Int64, tomorrow: Int64, at moment: Int64) -> Int64? {
        let second: Int64 = 1_000_000_000
        if from * second < moment, to * second > moment { return to }
        // Over midnight: it is either after midnight or before.
        guard from > to else { return nil }
        if to * second > moment { return to }
        return from * second < moment && tomorrow * second > moment ? tomorrow : nil
    }
}

extension FixedWidthInteger {
    /// The quotient, rounded towards minus infinity.
    func dividedDown(by divisor: Self) -> Self {
        let (quotient, remainder) = self.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
