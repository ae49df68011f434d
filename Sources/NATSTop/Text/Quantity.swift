/// Numbers in the units that the screen shows.
package enum Quantity {
    /// Bytes in powers of 1024: `999`, `70.6K`, `1286.7G`.
    package static func bytes(_ value: UInt64, isRaw: Bool = false) -> String {
        guard !isRaw, value >= 1024 else { return String(value) }
        return self.scaled(Double(value), base: 1024, units: ["K", "M", "G"])
    }

    /// A number of things in powers of 1000: `999`, `12.3K`, `1.0T`.
    package static func count(_ value: UInt64, isRaw: Bool = false) -> String {
        guard !isRaw, value >= 1000 else { return String(value) }
        return self.scaled(Double(value), base: 1000, units: ["K", "M", "B", "T"])
    }

    /// Bytes of one second.
    package static func byteRate(_ value: Double, isRaw: Bool = false) -> String {
        guard !isRaw, value >= 1024 else { return String(self.whole(value)) }
        return self.scaled(value, base: 1024, units: ["K", "M", "G"])
    }

    /// Things of one second; never scaled.
    package static func countRate(_ value: Double) -> String {
        self.oneDecimal(value)
    }

    /// One digit behind the point, rounded as C does: by the exact value, halves to even.
    package static func oneDecimal(_ value: Double) -> String {
        guard value.isFinite else { return "0.0" }
        let magnitude = min(value.magnitude, 1e15)
        let product = magnitude * 10
        let residue = (-product).addingProduct(magnitude, 10)
        var tenths = product.rounded(.down)
        let rest = product - tenths
        let isOdd = tenths.truncatingRemainder(dividingBy: 2) != 0
        if rest > 0.5 || (rest == 0.5 && (residue > 0 || (residue == 0 && isOdd))) { tenths += 1 }
        let digits = Int64(tenths)
        return "\(value < 0 && digits > 0 ? "-" : "")\(digits / 10).\(digits % 10)"
    }

    /// A number that is no less than 0, without its fraction.
    static func whole(_ value: Double) -> UInt64 {
        guard value > 0 else { return 0 }
        return value < 1.8e19 ? UInt64(value) : .max
    }

    private static func scaled(_ value: Double, base: Double, units: [String]) -> String {
        var rest = value / base
        var unit = units.first ?? ""
        for next in units.dropFirst() where rest >= base {
            rest /= base
            unit = next
        }
        return self.oneDecimal(rest) + unit
    }
}
