#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Numbers as the Go tools print them.
package enum FixedDecimal {
    /// `%.2f` with another number of digits.
    package static func text(_ value: Double, digits: Int) -> String {
        // The largest double has 309 digits before the point.
        var buffer = [CChar](repeating: 0, count: 400)
        let count = withVaList([Int32(clamping: min(max(digits, 0), 20)), value]) {
            vsnprintf(&buffer, buffer.count, "%.*f", $0)
        }
        return String(decoding: buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// `1,234,567`.
    package static func grouped(_ value: Int) -> String {
        let digits = Array(String(value.magnitude).utf8)
        var bytes: [UInt8] = value < 0 ? [UInt8(ascii: "-")] : []
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(digit)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `33.25 MB`, counted by 1024.
    package static func bytes(_ count: Double) -> String {
        var value = count
        var unit = 0
        let units = ["B", "KB", "MB", "GB", "TB", "PB", "EB"]
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return "\(Self.text(value, digits: 2)) \(units[unit])"
    }
}
