/// Values as bars of one or more lines.
enum Sparkline {
    /// Draws values with the newest one at the right.
    ///
    /// - Parameters:
    ///   - values: Oldest first; nil leaves a gap.
    ///   - width: Columns.
    ///   - height: Lines.
    ///   - ceiling: What fills the height; nil for the largest value.
    ///   - glyphs: What may be drawn.
    /// - Returns: Lines from the top, each `width` columns wide.
    static func lines(
        _ values: [Double?],
        width: Int,
        height: Int,
        ceiling: Double? = nil,
        glyphs: Glyphs
    ) -> [String] {
        guard width > 0, height > 0 else { return [] }
        let shown = values.suffix(width)
        let largest = ceiling ?? shown.reduce(0) { max($0, $1 ?? 0) }
        let bars = glyphs.bars
        let steps = bars.count
        var lines = Array(repeating: String(repeating: " ", count: width - shown.count), count: height)
        for value in shown {
            var level = 0
            if let value {
                let share = largest > 0 ? min(max(value / largest, 0), 1) : 0
                level = Int((share * Double(steps * height)).rounded())
                // Nothing measured is a gap, and nothing happening is not.
                level = max(level, 1)
            }
            for line in 0..<height {
                let filled = level - (height - 1 - line) * steps
                let bar: Character = filled <= 0 ? " " : bars[min(filled, steps) - 1]
                lines[line].append(bar)
            }
        }
        return lines
    }
}
