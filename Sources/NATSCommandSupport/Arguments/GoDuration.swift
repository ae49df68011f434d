import ArgumentParser

/// A length of time in Go's syntax (`1h2m3.5s`, `300ms`), or a bare number of seconds.
package struct GoDuration: Sendable, Hashable {
    package var duration: Duration

    package init(_ duration: Duration) {
        self.duration = duration
    }

    /// Reads `text`; nil if it is malformed, negative, or longer than Go's 292 years.
    package init?(parsing text: String) {
        var rest = Substring(text).utf8
        guard !rest.isEmpty else { return nil }
        var total: Int64 = 0
        var terms = 0
        while !rest.isEmpty {
            guard let number = DecimalNumber(readingFrom: &rest) else { return nil }
            let unitBytes = rest.prefix { !($0 == UInt8(ascii: ".") || ($0 >= 0x30 && $0 <= 0x39)) }
            rest = rest[unitBytes.endIndex...]
            let unit: Int64
            if unitBytes.isEmpty {
                // A bare number stands alone: "5" but not "1h5".
                guard terms == 0, rest.isEmpty else { return nil }
                unit = 1_000_000_000
            } else {
                guard let known = Self.nanoseconds(ofUnit: String(Substring(unitBytes))) else { return nil }
                unit = known
            }
            guard let nanoseconds = number.times(unit) else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(nanoseconds)
            guard !overflow else { return nil }
            total = sum
            terms += 1
        }
        self.duration = .nanoseconds(total)
    }

    private static func nanoseconds(ofUnit unit: String) -> Int64? {
        switch unit {
        case "ns": 1
        case "us", "\u{B5}s", "\u{3BC}s": 1_000
        case "ms": 1_000_000
        case "s": 1_000_000_000
        case "m": 60 * 1_000_000_000
        case "h": 3600 * 1_000_000_000
        default: nil
        }
    }

    /// Digits, optionally with a fraction; at least one digit in all.
    private struct DecimalNumber {
        var whole: Int64 = 0
        /// Digits after the point as an integer, and the power of ten it is divided by.
        ///
        /// Digits beyond what 64 bits hold are dropped, as in Go.
        var fraction: Int64 = 0
        var scale: Int64 = 1

        init?(readingFrom rest: inout Substring.UTF8View) {
            var digits = 0
            while let byte = rest.first, byte >= 0x30, byte <= 0x39 {
                let (product, overflow) = self.whole.multipliedReportingOverflow(by: 10)
                let (sum, carry) = product.addingReportingOverflow(Int64(byte - 0x30))
                guard !overflow, !carry else { return nil }
                self.whole = sum
                digits += 1
                rest.removeFirst()
            }
            if rest.first == UInt8(ascii: ".") {
                rest.removeFirst()
                while let byte = rest.first, byte >= 0x30, byte <= 0x39 {
                    if self.scale < 1_000_000_000_000_000 {
                        self.fraction = self.fraction * 10 + Int64(byte - 0x30)
                        self.scale *= 10
                    }
                    digits += 1
                    rest.removeFirst()
                }
            }
            guard digits > 0 else { return nil }
        }

        /// Nanoseconds for a unit of `unit` nanoseconds.
        func times(_ unit: Int64) -> Int64? {
            let (product, overflow) = self.whole.multipliedReportingOverflow(by: unit)
            guard !overflow else { return nil }
            let part = Double(self.fraction) * (Double(unit) / Double(self.scale))
            let (sum, carry) = product.addingReportingOverflow(Int64(part))
            return carry ? nil : sum
        }
    }
}

extension GoDuration: ExpressibleByArgument {
    package init?(argument: String) {
        self.init(parsing: argument)
    }

    /// Shown as the default value in help.
    package var defaultValueDescription: String {
        let components = self.duration.components
        let milliseconds = components.attoseconds / 1_000_000_000_000_000
        if milliseconds == 0 { return "\(components.seconds)s" }
        return components.seconds == 0 ? "\(milliseconds)ms" : "\(components.seconds * 1000 + milliseconds)ms"
    }
}
