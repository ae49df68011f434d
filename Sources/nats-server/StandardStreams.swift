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
        _ = SystemCalls.writeAll(Array(text.utf8), to: STDOUT_FILENO)
    }

    static func error(_ text: String) {
        _ = SystemCalls.writeAll(Array(text.utf8), to: STDERR_FILENO)
    }
}
