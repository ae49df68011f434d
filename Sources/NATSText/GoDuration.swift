/// Durations as Go writes and reads them: `1h30m`, `1.5s`, `-10ms`.
package enum GoDuration {
    package struct Failure: Error {
        package let words: String
    }

    private static let units: [String: UInt64] = [
        "ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000,
        "h": 3_600_000_000_000,
    ]

    /// Go's time.ParseDuration with its error texts.
    package static func parse(_ text: String) throws(Failure) -> Duration {
        let invalid = Failure(words: "time: invalid duration \(Self.quoted(text))")
        var rest = Array(text.unicodeScalars)[...]
        var isNegative = false
        if let sign = rest.first, sign == "-" || sign == "+" {
            isNegative = sign == "-"
            rest = rest.dropFirst()
        }
        if rest.count == 1, rest.first == "0" { return .zero }
        guard !rest.isEmpty else { throw invalid }
        let limit = UInt64(1) << 63
        var total: UInt64 = 0
        while let next = rest.first {
            guard next == "." || next.isASCIIDigit else { throw invalid }
            var value: UInt64 = 0
            var hasDigits = false
            while let digit = rest.first, digit.isASCIIDigit {
                let (product, overflow) = value.multipliedReportingOverflow(by: 10)
                let (sum, overflow2) = product.addingReportingOverflow(UInt64(digit.value - 0x30))
                guard !overflow, !overflow2, sum <= limit else { throw invalid }
                value = sum
                hasDigits = true
                rest = rest.dropFirst()
            }
            var fraction: UInt64 = 0
            var scale = 1.0
            if rest.first == "." {
                rest = rest.dropFirst()
                var isSaturated = false
                while let digit = rest.first, digit.isASCIIDigit {
                    hasDigits = true
                    rest = rest.dropFirst()
                    if isSaturated { continue }
                    guard fraction <= (limit - 1) / 10, fraction * 10 + UInt64(digit.value - 0x30) <= limit else {
                        isSaturated = true
                        continue
                    }
                    fraction = fraction * 10 + UInt64(digit.value - 0x30)
                    scale *= 10
                }
            }
            guard hasDigits else { throw invalid }
            var name = ""
            while let letter = rest.first, letter != ".", !letter.isASCIIDigit {
                name.unicodeScalars.append(letter)
                rest = rest.dropFirst()
            }
            guard !name.isEmpty else {
                throw Failure(words: "time: missing unit in duration \(Self.quoted(text))")
            }
            guard let unit = Self.units[name] else {
                throw Failure(
                    words: "time: unknown unit \(Self.quoted(name)) in duration \(Self.quoted(text))"
                )
            }
            guard value <= limit / unit else { throw invalid }
            value *= unit
            if fraction > 0 {
                value += UInt64(Double(fraction) * (Double(unit) / scale))
                guard value <= limit else { throw invalid }
            }
            let (sum, overflow) = total.addingReportingOverflow(value)
            guard !overflow, sum <= limit else { throw invalid }
            total = sum
        }
        guard isNegative || total < limit else { throw invalid }
        // The smallest negative duration has no positive counterpart.
        return .nanoseconds(isNegative ? Int64(truncatingIfNeeded: 0 &- total) : Int64(truncatingIfNeeded: total))
    }

    /// Quoted as the time package does it: all but printable ASCII as bytes.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): result += "\\\(Unicode.Scalar(byte))"
            case 0x20..<0x80: result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += "\\x\(byte < 0x10 ? "0" : "")\(String(byte, radix: 16))"
            }
        }
        return result + "\""
    }

    /// Go's Duration.String.
    package static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let whole = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let total = whole.partialValue.addingReportingOverflow(attoseconds / 1_000_000_000)
        // Longer than Go's durations can be.
        guard !whole.overflow, !total.overflow else { return "\(seconds)s" }
        let nanoseconds = total.partialValue
        let magnitude = nanoseconds.magnitude
        let sign = nanoseconds < 0 ? "-" : ""
        if magnitude == 0 { return "0s" }
        if magnitude < 1000 { return "\(sign)\(magnitude)ns" }
        if magnitude < 1_000_000 { return "\(sign)\(self.decimal(magnitude, 1000, 3))µs" }
        if magnitude < 1_000_000_000 { return "\(sign)\(self.decimal(magnitude, 1_000_000, 6))ms" }
        let wholeSeconds = magnitude / 1_000_000_000
        let rest = self.decimal(wholeSeconds % 60 * 1_000_000_000 + magnitude % 1_000_000_000, 1_000_000_000, 9) + "s"
        let minutes = wholeSeconds / 60
        if minutes == 0 { return sign + rest }
        if minutes < 60 { return "\(sign)\(minutes)m\(rest)" }
        return "\(sign)\(minutes / 60)h\(minutes % 60)m\(rest)"
    }

    private static func decimal(_ value: UInt64, _ unit: UInt64, _ digits: Int) -> String {
        var fraction = String(value % unit)
        fraction = String(repeating: "0", count: digits - fraction.count) + fraction
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return fraction.isEmpty ? "\(value / unit)" : "\(value / unit).\(fraction)"
    }
}

extension Unicode.Scalar {
    fileprivate var isASCIIDigit: Bool { (0x30...0x39).contains(self.value) }
}
