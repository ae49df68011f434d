/// A line that says how far a run is.
package enum ProgressLine {
    private static let width = 30

    /// A bar with percents and rate, without line end.
    ///
    /// - Parameters:
    ///   - label: What runs.
    ///   - done: Messages sent or received so far.
    ///   - target: Messages in all; nil if there is no end.
    ///   - seconds: Time since the start.
    /// - Returns: The line.
    package static func text(label: String, done: Int, target: Int?, seconds: Double) -> String {
        let rate = seconds > 0 ? FixedDecimal.grouped(Int(Double(done) / seconds)) : "0"
        guard let target, target > 0 else { return "\(label) \(FixedDecimal.grouped(done)) msgs, \(rate) msgs/sec" }
        let part = min(1, Double(done) / Double(target))
        let filled = Int(part * Double(Self.width))
        let bar = String(repeating: "=", count: filled) + String(repeating: " ", count: Self.width - filled)
        let percent = FixedDecimal.text((part * 100).rounded(.down), digits: 0)
        return "\(label) [\(bar)] \(percent)%, \(rate) msgs/sec"
    }
}
