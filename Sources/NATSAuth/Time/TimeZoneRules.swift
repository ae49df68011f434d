/// When the clocks of a place show what: a file of the IANA time zone database (RFC 9636).
package struct TimeZoneRules: Sendable, Equatable {
    struct Kind: Sendable, Equatable {
        /// Seconds east of Greenwich.
        let offset: Int64
        let isDaylightSaving: Bool
    }

    /// What holds from `start` up to `end`, in seconds since 1970.
    struct Period: Equatable {
        let offset: Int64
        let start: Int64
        let end: Int64
    }

    package static let utc = TimeZoneRules(kinds: [], transitions: [], footer: nil)

    private let kinds: [Kind]
    private let transitions: [(moment: Int64, kind: Int)]
    /// What holds after the last transition.
    private let footer: TimeZoneFooter?

    private init(kinds: [Kind], transitions: [(moment: Int64, kind: Int)], footer: TimeZoneFooter?) {
        self.kinds = kinds
        self.transitions = transitions
        self.footer = footer
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.kinds == right.kinds && left.footer == right.footer
            && left.transitions.elementsEqual(right.transitions, by: ==)
    }

    // MARK: Reading

    /// Reads a file; `nil` if it is none.
    package init?(_ file: [UInt8]) {
        var reader = Reader(bytes: file)
        guard var header = Header(&reader) else { return nil }
        var isLong = false
        if header.version > 0 {
            // The first part is for readers of old; the same follows with longer times.
            guard reader.skip(header.size(isLong: false)), let second = Header(&reader) else { return nil }
            (header, isLong) = (second, true)
        }
        guard header.typeCount > 0, header.size(isLong: isLong) <= reader.remaining else { return nil }
        var moments: [Int64] = []
        for _ in 0..<header.timeCount {
            guard let moment = reader.integer(bytes: isLong ? 8 : 4) else { return nil }
            moments.append(moment)
        }
        var transitions: [(moment: Int64, kind: Int)] = []
        for moment in moments {
            guard let kind = reader.integer(bytes: 1).map({ Int($0 & 0xff) }), kind < header.typeCount else {
                return nil
            }
            if let last = transitions.last, last.moment >= moment { return nil }
            transitions.append((moment, kind))
        }
        var kinds: [Kind] = []
        for _ in 0..<header.typeCount {
            guard let offset = reader.integer(bytes: 4), abs(offset) <= 7 * 86_400,
                let flag = reader.integer(bytes: 1), reader.skip(1)
            else { return nil }
            kinds.append(Kind(offset: offset, isDaylightSaving: flag != 0))
        }
        let rest = header.characterCount + header.leapCount * (isLong ? 12 : 8) + header.standardCount + header.utcCount
        guard reader.skip(rest) else { return nil }
        self.init(
            kinds: kinds,
            transitions: transitions,
            footer: isLong ? reader.line().flatMap { TimeZoneFooter($0) } : nil
        )
    }

    private struct Header {
        let version: UInt8
        let utcCount: Int
        let standardCount: Int
        let leapCount: Int
        let timeCount: Int
        let typeCount: Int
        let characterCount: Int

        init?(_ reader: inout Reader) {
            guard reader.integer(bytes: 4) == 0x545a_6966, let version = reader.integer(bytes: 1), reader.skip(15)
            else {
                return nil
            }
            self.version = UInt8(truncatingIfNeeded: version)
            var counts: [Int] = []
            for _ in 0..<6 {
                // No file has as many of anything; so that sums stay small.
                guard let count = reader.integer(bytes: 4), (0...100_000).contains(count) else { return nil }
                counts.append(Int(count))
            }
            (self.utcCount, self.standardCount, self.leapCount) = (counts[0], counts[1], counts[2])
            (self.timeCount, self.typeCount, self.characterCount) = (counts[3], counts[4], counts[5])
        }

        /// Of what follows, in bytes.
        func size(isLong: Bool) -> Int {
            let time = isLong ? 8 : 4
            return self.timeCount * (time + 1) + self.typeCount * 6 + self.characterCount + self.leapCount * (time + 4)
                + self.standardCount + self.utcCount
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var remaining: Int { self.bytes.count - self.position }

        mutating func skip(_ count: Int) -> Bool {
            guard count <= self.remaining else { return false }
            self.position += count
            return true
        }

        /// With sign, high byte first.
        mutating func integer(bytes count: Int) -> Int64? {
            guard count <= self.remaining else { return nil }
            var value: Int64 = 0
            for byte in self.bytes[self.position..<(self.position + count)] { value = value << 8 | Int64(byte) }
            self.position += count
            let unused = Int64(64 - count * 8)
            return (value << unused) >> unused
        }

        /// A text between two line ends.
        mutating func line() -> [UInt8]? {
            guard self.remaining > 2, self.bytes[self.position] == 0x0a else { return nil }
            let text = self.bytes[(self.position + 1)...].prefix { $0 != 0x0a }
            return text.endIndex < self.bytes.count ? Array(text) : nil
        }
    }

    // MARK: Looking up

    func period(at moment: Int64) -> Period {
        guard !self.kinds.isEmpty else { return Period(offset: 0, start: .min, end: .max) }
        guard let first = self.transitions.first, moment >= first.moment else {
            return Period(offset: self.firstOffset, start: .min, end: self.transitions.first?.moment ?? .max)
        }
        var low = 0
        var high = self.transitions.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if moment < self.transitions[middle].moment { high = middle } else { low = middle }
        }
        let isLast = high == self.transitions.count
        if isLast, let footer { return footer.period(at: moment) }
        let transition = self.transitions[low]
        return Period(
            offset: self.kinds[transition.kind].offset,
            start: transition.moment,
            end: isLast ? .max : self.transitions[high].moment
        )
    }

    /// What held before the first transition (Go's time lookupFirstZone).
    private var firstOffset: Int64 {
        let isFirstUsed = self.transitions.contains { $0.kind == 0 }
        guard isFirstUsed else { return self.kinds[0].offset }
        if let first = self.transitions.first, self.kinds[first.kind].isDaylightSaving,
            let standard = self.kinds[..<first.kind].last(where: { !$0.isDaylightSaving })
        {
            return standard.offset
        }
        return (self.kinds.first { !$0.isDaylightSaving } ?? self.kinds[0]).offset
    }

    /// The day, counted from 1970, that calendars show at a moment.
    func day(of moment: Int64) -> Int64 { (moment + self.period(at: moment).offset).dividedDown(by: 86_400) }

    /// The moment at which clocks show a time; of two, or for none, the one that Go's `time.Date` chooses.
    func moment(day: Int64, second: Int64) -> Int64 {
        let local = day * 86_400 + second
        let guess = self.period(at: local)
        let moment = local - guess.offset
        if guess.offset == 0 || moment >= guess.start && moment < guess.end { return moment }
        return local - self.period(at: moment).offset
    }
}

extension TimeZoneRules {
    /// Seconds east of Greenwich at a moment, in seconds since 1970.
    package func offset(at moment: Int64) -> Int64 { self.period(at: moment).offset }
}
