import ArgumentParser
import NATSText
import NIOCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Tells when a message came, in front of it or behind its number.
///
/// Rendered once for all messages of a moment.
package struct MessageStamp: Sendable {
    /// How a time is written.
    package enum Form: Sendable, Equatable {
        /// `2026/11/20 22:09:26`, Go's standard log stamp in local time.
        case go
        /// `2026-11-20T22:09:26.123456Z`
        case rfc3339
        /// `1795212566`
        case unix
        /// `1795212566123`
        case unixMilliseconds
        /// `Nov 20 22:09:26.123456`, local time.
        case month
        /// `1.5s`, since the tool began.
        case elapsed
    }

    private let form: Form?
    /// Behind the number, as ` @ …`, in the place of `… ` in front of all.
    private let isInside: Bool
    private var last: (nanoseconds: Int64, elapsed: Duration)?
    private var bytes: [UInt8] = []

    /// A stamp of this form; of nothing if it is nil.
    package init(form: Form?, isInside: Bool = false) {
        self.form = form
        self.isInside = isInside
    }

    /// The stamp for a time since the epoch; `elapsed` is the time since the tool began.
    package mutating func render(nanoseconds: Int64, elapsed: Duration) -> [UInt8] {
        guard let form = self.form else { return [] }
        if let last = self.last, last == (nanoseconds, elapsed) { return self.bytes }
        var output = ByteBuffer()
        if self.isInside { output.writeStaticString(" @ ") }
        switch form {
        case .go: Self.appendLocal(nanoseconds, showsMonth: false, to: &output)
        case .month: Self.appendLocal(nanoseconds, showsMonth: true, to: &output)
        case .rfc3339: UTCTimestamp.append(nanoseconds: nanoseconds, to: &output)
        case .unix: output.writeDecimal(nanoseconds / 1_000_000_000)
        case .unixMilliseconds: output.writeDecimal(nanoseconds / 1_000_000)
        case .elapsed: output.writeString(GoDuration.text(elapsed))
        }
        if !self.isInside { output.writeInteger(UInt8(ascii: " ")) }
        self.last = (nanoseconds, elapsed)
        self.bytes = Array(output.readableBytesView)
        return self.bytes
    }

    private static func appendLocal(_ nanoseconds: Int64, showsMonth: Bool, to output: inout ByteBuffer) {
        var time = time_t(nanoseconds / 1_000_000_000)
        var parts = tm()
        guard localtime_r(&time, &parts) != nil else { return }
        if showsMonth {
            let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
            let month = Int(parts.tm_mon)
            output.writeString(names.indices.contains(month) ? names[month] : "")
            output.writeStaticString(parts.tm_mday < 10 ? "  " : " ")
            output.writeDecimal(parts.tm_mday)
        } else {
            output.writeDecimal(parts.tm_year + 1900, width: 4)
            output.writeInteger(UInt8(ascii: "/"))
            output.writeDecimal(parts.tm_mon + 1, width: 2)
            output.writeInteger(UInt8(ascii: "/"))
            output.writeDecimal(parts.tm_mday, width: 2)
        }
        output.writeInteger(UInt8(ascii: " "))
        output.writeDecimal(parts.tm_hour, width: 2)
        output.writeInteger(UInt8(ascii: ":"))
        output.writeDecimal(parts.tm_min, width: 2)
        output.writeInteger(UInt8(ascii: ":"))
        output.writeDecimal(parts.tm_sec, width: 2)
        guard showsMonth else { return }
        output.writeInteger(UInt8(ascii: "."))
        output.writeDecimal(nanoseconds % 1_000_000_000 / 1000, width: 6)
    }
}

/// The values of `--time-format`.
package enum TimeFormat: String, Sendable, CaseIterable, ExpressibleByArgument {
    case go
    case rfc3339
    case unix
    case unixms

    /// The form of the stamp.
    package var form: MessageStamp.Form {
        switch self {
        case .go: .go
        case .rfc3339: .rfc3339
        case .unix: .unix
        case .unixms: .unixMilliseconds
        }
    }
}
