/// Builds lines in the official format, `[pid] YYYY/MM/DD HH:MM:SS.uuuuuu [INF] text`.
///
/// Keeps the text of the current second, so that a busy log asks for the local time once per second.
struct LogLineFormatter {
    enum Label: Sendable {
        case info, debug, warning, error, fatal, trace
    }

    /// A broken-down local time.
    struct CalendarTime: Equatable, Sendable {
        var year: Int
        var month: Int
        var day: Int
        var hour: Int
        var minute: Int
        var second: Int
    }

    private let prefix: [UInt8]
    private let showsTime: Bool
    private let colored: Bool
    private let localTime: @Sendable (_ second: Int) -> CalendarTime
    private var cachedSecond: Int?
    private var cachedText: [UInt8] = []

    init(
        processID: Int,
        showsTime: Bool,
        colored: Bool,
        localTime: @escaping @Sendable (_ second: Int) -> CalendarTime
    ) {
        self.prefix = Array("[\(processID)] ".utf8)
        self.showsTime = showsTime
        self.colored = colored
        self.localTime = localTime
    }

    /// Appends one line, its line feed included, to a buffer.
    ///
    /// With `keepsLineFeeds` the text is ours and may have several lines; else it stays on its line, whatever it carries.
    mutating func append(
        _ text: String,
        label: Label,
        _ now: SystemCalls.WallClock,
        keepsLineFeeds: Bool = false,
        to buffer: inout [UInt8]
    ) {
        buffer.append(contentsOf: self.prefix)
        if self.showsTime {
            if self.cachedSecond != now.second {
                self.cachedSecond = now.second
                self.cachedText = Self.text(self.localTime(now.second))
            }
            buffer.append(contentsOf: self.cachedText)
            buffer.append(UInt8(ascii: "."))
            Self.append(now.nanosecond / 1000, digits: 6, to: &buffer)
            buffer.append(UInt8(ascii: " "))
        }
        buffer.append(contentsOf: self.bracketed(label).utf8)
        Self.appendSafely(text, keepsLineFeeds: keepsLineFeeds, to: &buffer)
        buffer.append(UInt8(ascii: "\n"))
    }

    /// Appends a text without the line feed at its end and without control characters.
    static func appendSafely(_ text: String, keepsLineFeeds: Bool, to buffer: inout [UInt8]) {
        let line = text.utf8.last == 0x0a ? text.utf8.dropLast() : text.utf8[...]
        buffer.append(
            contentsOf: line.lazy.map { byte in
                let isHarmless = byte >= 0x20 || byte == 0x09 || (keepsLineFeeds && byte == 0x0a)
                return isHarmless ? byte : 0x20
            }
        )
    }

    /// `YYYY/MM/DD HH:MM:SS`.
    static func text(_ time: CalendarTime) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(19)
        Self.append(time.year, digits: 4, to: &text)
        text.append(UInt8(ascii: "/"))
        Self.append(time.month, digits: 2, to: &text)
        text.append(UInt8(ascii: "/"))
        Self.append(time.day, digits: 2, to: &text)
        text.append(UInt8(ascii: " "))
        Self.append(time.hour, digits: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        Self.append(time.minute, digits: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        Self.append(time.second, digits: 2, to: &text)
        return text
    }

    private static func append(_ number: Int, digits: Int, to buffer: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<digits {
            divisor *= 10
        }
        while divisor > 0 {
            buffer.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }

    private func bracketed(_ label: Label) -> String {
        // nats-server logger/log.go setColoredLabelFormats: only the letters are coloured.
        if self.colored {
            switch label {
            case .info: "[\u{1B}[32mINF\u{1B}[0m] "
            case .debug: "[\u{1B}[36mDBG\u{1B}[0m] "
            case .warning: "[\u{1B}[0;93mWRN\u{1B}[0m] "
            case .error: "[\u{1B}[31mERR\u{1B}[0m] "
            case .fatal: "[\u{1B}[31mFTL\u{1B}[0m] "
            case .trace: "[\u{1B}[33mTRC\u{1B}[0m] "
            }
        } else {
            switch label {
            case .info: "[INF] "
            case .debug: "[DBG] "
            case .warning: "[WRN] "
            case .error: "[ERR] "
            case .fatal: "[FTL] "
            case .trace: "[TRC] "
            }
        }
    }
}
