import NATSBenchSupport
import NATSCommandSupport

/// Shows on the terminal how far a run is, ten times a second.
struct ProgressBar: Sendable {
    let label: String

    func run(_ counters: [BenchCounter], target: Int?) async {
        let start = BenchClock.now
        var width = 0
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(100))
            let seconds = Double(BenchClock.now - start) / 1e9
            let done = counters.reduce(0) { $0 + $1.count }
            var line = ProgressLine.text(label: self.label, done: done, target: target, seconds: seconds)
            let padding = max(0, width - line.utf8.count)
            width = line.utf8.count
            line = "\r" + line + String(repeating: " ", count: padding)
            if !Task.isCancelled { Self.write(line) }
        }
        // Nothing but blanks: not every terminal takes an escape for that.
        if width > 0 { Self.write("\r" + String(repeating: " ", count: width) + "\r") }
    }

    private static func write(_ text: String) {
        var text = text
        text.withUTF8 { _ = POSIX.writeAll(UnsafeRawBufferPointer($0), to: 2) }
    }
}
