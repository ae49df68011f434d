import NIOConcurrencyHelpers

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Where log lines go: stderr or a file.
///
/// One `write` per line, so that lines of several threads never mix.
final class LogSink: Sendable {
    private struct State {
        var descriptor: CInt
        var formatter: LogLineFormatter
        var buffer: [UInt8] = []
    }

    private let path: String?
    private let state: NIOLockedValueBox<State>

    /// Logs to stderr, in colour if it is a character device.
    init(standardErrorWithTime showsTime: Bool) {
        self.path = nil
        self.state = NIOLockedValueBox(
            State(
                descriptor: STDERR_FILENO,
                formatter: Self.formatter(showsTime: showsTime, colored: SystemCalls.isCharacterDevice(STDERR_FILENO))
            )
        )
    }

    /// Logs to a file that is created if needed and only ever appended to.
    init(path: String, showsTime: Bool) throws(SystemCallError) {
        self.path = path
        self.state = NIOLockedValueBox(
            State(
                descriptor: try SystemCalls.openForAppending(path),
                formatter: Self.formatter(showsTime: showsTime, colored: false)
            )
        )
    }

    deinit {
        guard self.path != nil else { return }
        self.state.withLockedValue { state in
            _ = close(state.descriptor)
        }
    }

    func write(_ text: String, label: LogLineFormatter.Label) {
        let now = SystemCalls.wallClock()
        self.state.withLockedValue { state in
            state.buffer.removeAll(keepingCapacity: true)
            state.formatter.append(
                text,
                label: label,
                second: now.second,
                microsecond: now.microsecond,
                to: &state.buffer
            )
            // A log that cannot be written has nowhere to say so.
            _ = SystemCalls.writeAll(state.buffer, to: state.descriptor)
        }
    }

    /// Opens the file again by its name, for log rotation, and returns `false` if this is not a file.
    ///
    /// The old file stays in use if the new one cannot be opened.
    func reopen() throws(SystemCallError) -> Bool {
        guard let path = self.path else {
            return false
        }
        let descriptor = try SystemCalls.openForAppending(path)
        let old = self.state.withLockedValue { state in
            let old = state.descriptor
            state.descriptor = descriptor
            return old
        }
        _ = close(old)
        return true
    }

    private static func formatter(showsTime: Bool, colored: Bool) -> LogLineFormatter {
        LogLineFormatter(
            processID: SystemCalls.processID(),
            showsTime: showsTime,
            colored: colored,
            localTime: SystemCalls.localTime
        )
    }
}
