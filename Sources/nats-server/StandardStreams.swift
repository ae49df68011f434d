#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Output of the program outside its log.
enum StandardStreams {
    static func output(_ text: String) {
        _ = SystemCalls.writeAll(Array(text.utf8)[...], to: STDOUT_FILENO)
    }

    static func error(_ text: String) {
        _ = SystemCalls.writeAll(Array(text.utf8)[...], to: STDERR_FILENO)
    }

    /// Go's `log.Fatalf`, which has its own format: what is told before there is a log.
    static func timedError(_ text: String) {
        let now = LogLineFormatter.text(SystemCalls.localTime(SystemCalls.wallClock().second))
        self.error("\(String(decoding: now, as: UTF8.self)) \(text)\n")
    }
}
