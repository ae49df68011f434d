import CNCurses
import NATSTop

/// The terminal, through ncurses.
///
/// Only the main thread may use it.
struct CursesTerminal: ~Copyable {
    private let hasColors: Bool
    private var decoder = KeyDecoder()

    /// Takes the terminal; nil if its type is unknown.
    init?(usesColors: Bool) {
        TerminalMode.remember()
        nats_top_bounds_size(Int32(Size.maximumRows), Int32(Size.maximumColumns))
        guard nats_top_starts_screen() else { return nil }
        TerminalMode.remember(farewell: Self.farewell)
        let colors = [COLOR_RED, COLOR_GREEN, COLOR_YELLOW, COLOR_BLUE, COLOR_CYAN].map { Int16($0) }
        self.hasColors = usesColors && nats_top_starts_colors(colors, Int16(colors.count))
    }

    /// Whether the environment says that characters are UTF-8; before ``init(usesColors:)``, which goes by it.
    static func adoptsUTF8() -> Bool { nats_top_adopts_utf8_locale() }

    /// What ends the look of characters, the alternate screen and the hidden cursor, after whatever was being written.
    private static var farewell: [UInt8] {
        // Ends a sequence that was cut.
        var bytes: [UInt8] = [0x18]
        for name in ["sgr0", "rmkx", "rmcup", "cnorm"] {
            guard let text = nats_top_sequence(name) else { continue }
            var isPause = false
            var last: UInt8 = 0
            // No terminal of today needs the pauses that may be in it, `$<5/>`.
            for byte in String(cString: text).utf8 {
                if byte == UInt8(ascii: "<"), last == UInt8(ascii: "$") {
                    bytes.removeLast()
                    isPause = true
                }
                if !isPause { bytes.append(byte) }
                if byte == UInt8(ascii: ">") { isPause = false }
                last = byte
            }
        }
        return bytes
    }

    /// Gives the terminal back as it was.
    consuming func close() {
        _ = curs_set(1)
        _ = endwin()
        TerminalMode.forget()
    }

    /// The size, after which ncurses works from now on; no larger than a ``Size`` may be, whatever the terminal says.
    func size() -> Size {
        var (rows, columns): (Int32, Int32) = (24, 80)
        var (oldRows, oldColumns): (Int32, Int32) = (0, 0)
        nats_top_has_size(&oldRows, &oldColumns)
        guard nats_top_asks_size(&rows, &columns) else { return Size(columns: Int(oldColumns), rows: Int(oldRows)) }
        let size = Size(columns: Int(columns), rows: Int(rows))
        if size != Size(columns: Int(oldColumns), rows: Int(oldRows)) {
            _ = resizeterm(Int32(size.rows), Int32(size.columns))
            // The terminal may have moved lines by itself.
            nats_top_distrusts_screen()
        }
        return size
    }

    /// Draws everything anew.
    func refresh() { nats_top_distrusts_screen() }

    func draw(_ screen: Screen) {
        for (row, line) in screen.lines.enumerated() {
            nats_top_goes_to(Int32(row), 0)
            for span in line {
                self.setLook(span.role.attributes(hasColors: self.hasColors))
                var text = span.text
                text.withUTF8 { bytes in
                    bytes.withMemoryRebound(to: CChar.self) { nats_top_writes($0.baseAddress, Int32($0.count)) }
                }
            }
            nats_top_sets_look(0, false, false, false, false)
            // A line that fills the last column has its cursor at the beginning of the next one.
            if DisplayWidth.of(line.reduce(into: "") { $0 += $1.text }) < Int(self.columns) {
                nats_top_clears_to_line_end()
            }
        }
        if let cursor = screen.cursor {
            nats_top_goes_to(Int32(cursor.row), Int32(cursor.column))
            _ = curs_set(1)
        } else {
            _ = curs_set(0)
        }
        nats_top_shows()
    }

    private var columns: Int32 {
        var (rows, columns): (Int32, Int32) = (0, 0)
        nats_top_has_size(&rows, &columns)
        return columns
    }

    private func setLook(_ attributes: Role.Attributes) {
        let pair: Int32 =
            switch attributes.color {
            case nil: 0
            case .red?: 1
            case .green?: 2
            case .yellow?: 3
            case .blue?: 4
            case .cyan?: 5
            }
        nats_top_sets_look(
            pair,
            attributes.isBold,
            attributes.isDim,
            attributes.isReversed,
            attributes.isUnderlined
        )
    }

    /// The keys that wait; never blocks.
    mutating func keys() -> [KeyDecoder.Input] {
        var inputs: [KeyDecoder.Input] = []
        // No more than a screen's worth at once, that typing never starves drawing.
        for _ in 0..<4096 {
            let code = nats_top_reads_key()
            guard code >= 0 else { break }
            if let input = self.decoder.take(code) { inputs.append(input) }
        }
        if let input = self.decoder.end() { inputs.append(input) }
        return inputs
    }
}
