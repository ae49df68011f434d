/// A time that a server tells, `2026-11-20T22:07:54.123083538Z`.
package struct ServerTime: Sendable, Equatable {
    /// Since the epoch.
    package let duration: Duration

    /// Reads RFC 3339; nil for anything else, and for Go's zero time.
    package init?(_ text: String) {
        var bytes = Array(text.utf8.prefix(64))[...]
        guard let year = Self.digits(4, &bytes), year > 1, Self.take(0x2D, &bytes),
            let month = Self.digits(2, &bytes), (1...12).contains(month), Self.take(0x2D, &bytes),
            let day = Self.digits(2, &bytes), (1...31).contains(day),
            Self.take(UInt8(ascii: "T"), &bytes) || Self.take(0x20, &bytes),
            let hour = Self.digits(2, &bytes), hour < 24, Self.take(0x3A, &bytes),
            let minute = Self.digits(2, &bytes), minute < 60, Self.take(0x3A, &bytes),
            let second = Self.digits(2, &bytes), second <= 60
        else { return nil }
        var nanoseconds = 0
        if Self.take(UInt8(ascii: "."), &bytes) {
            var unit = 100_000_000
            while let digit = Self.digits(1, &bytes) {
                nanoseconds += digit * unit
                unit /= 10
            }
        }
        var offset = 0
        if let sign = bytes.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
            bytes.removeFirst()
            guard let hours = Self.digits(2, &bytes), Self.take(0x3A, &bytes), let minutes = Self.digits(2, &bytes)
            else { return nil }
            offset = (hours * 3600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
        } else if !Self.take(UInt8(ascii: "Z"), &bytes) {
            return nil
        }
        guard bytes.isEmpty else { return nil }
        let days = Self.days(year: year, month: month, day: day)
        self.duration =
            .seconds(days * 86_400 + hour * 3600 + minute * 60 + second - offset) + .nanoseconds(nanoseconds)
    }

    /// How Go prints such a time: `2026-11-20 22:07:54.123083538 +0000 UTC`; other texts stay as they are.
    package static func goText(_ text: String) -> String {
        guard ServerTime(text) != nil else { return text }
        let day = text.prefix(10)
        let rest = text.dropFirst(11)
        if rest.hasSuffix("Z") { return "\(day) \(rest.dropLast()) +0000 UTC" }
        let zone = rest.suffix(6).filter { $0 != ":" }
        return "\(day) \(rest.dropLast(6)) \(zone) \(zone)"
    }

    /// Days since the epoch of a date, by eras of 400 years that begin on the first of March.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let yearOfEra = shifted % 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return shifted / 400 * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func take(_ byte: UInt8, _ bytes: inout ArraySlice<UInt8>) -> Bool {
        guard bytes.first == byte else { return false }
        bytes.removeFirst()
        return true
    }

    private static func digits(_ count: Int, _ bytes: inout ArraySlice<UInt8>) -> Int? {
        var value = 0
        for _ in 0..<count {
            guard let byte = bytes.first, (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 0x30)
            bytes.removeFirst()
        }
        return value
    }
}

extension Duration {
    /// The whole as a floating point number of seconds.
    var seconds: Double {
        Double(self.components.seconds) + Double(self.components.attoseconds) / 1e18
    }

    private static let unitSeconds: [String: Double] = [
        "y": 31_536_000, "d": 86_400, "h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6,
        "ns": 1e-9,
    ]

    /// Reads `1y3d4h5m6s`, `2m46s`, `356µs`, `5.096517ms`; nil for anything else.
    static func seconds(ofText text: String) -> Double? {
        var total = 0.0
        var number = ""
        var unit = ""
        func amount() -> Double? {
            guard let value = Double(number), let scale = Self.unitSeconds[unit] else { return nil }
            return value * scale
        }
        for scalar in text.unicodeScalars.prefix(64) {
            if ("0"..."9").contains(scalar) || scalar == "." {
                if !unit.isEmpty {
                    guard let value = amount() else { return nil }
                    total += value
                    (number, unit) = ("", "")
                }
                number.unicodeScalars.append(scalar)
            } else {
                unit.unicodeScalars.append(scalar)
            }
        }
        guard let value = amount(), (total + value).isFinite else { return nil }
        return total + value
    }
}
