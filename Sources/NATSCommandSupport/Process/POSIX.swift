#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The few system calls of the tools, with `EINTR` and `EAGAIN` dealt with.
package enum POSIX {
    package static let brokenPipe = EPIPE
    package static let resourceUnavailable = EAGAIN

    /// Writes all of `bytes`, waiting where the descriptor does not block.
    ///
    /// - Returns: 0, or the `errno` that stopped it.
    package static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
        var rest = bytes
        while !rest.isEmpty {
            let written = write(descriptor, rest.baseAddress, rest.count)
            if written >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[min(written, rest.count)...])
                continue
            }
            switch errno {
            case EINTR:
                continue
            case EAGAIN:
                // Somebody else made the terminal or pipe non-blocking.
                var waiter = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&waiter, 1, -1)
            case let error:
                return error
            }
        }
        return 0
    }

    /// Lets a pipe hold more, so that its two ends wake each other less often; nothing if it is none, or where that is
    /// not allowed.
    ///
    /// What all pipes of a user hold together is limited, 64 MiB on Linux.
    package static func widenPipe(_ descriptor: Int32, to size: Int32 = 1 << 18) {
        #if os(Linux)
        // F_SETPIPE_SZ and F_GETPIPE_SZ of <linux/fcntl.h>, which need _GNU_SOURCE.
        let (setSize, getSize): (Int32, Int32) = (1031, 1032)
        let current = fcntl(descriptor, getSize)
        if current >= 0, current < size { _ = fcntl(descriptor, setSize, size) }
        #endif
    }

    /// Reads at least one byte into `buffer` unless the end is reached.
    ///
    /// - Returns: The count (0 at the end), or the negated `errno`.
    package static func readSome(from descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            switch errno {
            case EINTR:
                continue
            case EAGAIN:
                self.waitForInput(descriptor)
            case let error:
                return -Int(error)
            }
        }
    }

    /// Opens a file; the negated `errno` if that fails.
    package static func openForReading(_ path: String) -> Int32 {
        while true {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            if descriptor >= 0 { return descriptor }
            if errno != EINTR { return -errno }
        }
    }

    /// Opens the pipe behind `descriptor` once more, so that reading from it never waits, which is nothing to those who
    /// share `descriptor`.
    ///
    /// - Returns: The descriptor, nil if there is no pipe behind it or the system does not allow it.
    package static func reopenPipe(_ descriptor: Int32) -> Int32? {
        #if os(Linux)
        var status = stat()
        // A writing end cannot be read from; opened once more it could, and would wait for itself.
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFIFO,
            fcntl(descriptor, F_GETFL) & O_ACCMODE != O_WRONLY
        else { return nil }
        let reopened = open("/proc/self/fd/\(descriptor)", O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        return reopened >= 0 ? reopened : nil
        #else
        return nil
        #endif
    }

    /// Reads what is there, without waiting if `descriptor` does not block.
    ///
    /// - Returns: The count (0 at the end), nil if there is nothing yet, or the negated `errno`.
    package static func readWhatIsThere(from descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        while true {
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN: return nil
            case let error: return -Int(error)
            }
        }
    }

    /// Waits until reading from `descriptor` brings something: bytes, the end or an error.
    package static func waitForInput(_ descriptor: Int32) {
        var waiter = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while poll(&waiter, 1, -1) < 0, errno == EINTR {}
    }

    /// Closes what ``openForReading(_:)`` or ``reopenPipe(_:)`` opened.
    package static func closeFile(_ descriptor: Int32) {
        if descriptor >= 0 { close(descriptor) }
    }

    /// The system's text for `error`.
    package static func describe(_ error: Int32) -> String {
        // strerror is not promised to be thread safe, but the tools call it once, before they end.
        guard let text = strerror(error) else { return "error \(error)" }
        return String(cString: text)
    }

    /// The length of a text that ends with NUL.
    static func length(of text: UnsafePointer<CChar>) -> Int {
        strlen(text)
    }

    package static func isTerminal(_ descriptor: Int32) -> Bool {
        isatty(descriptor) == 1
    }

    /// A variable of the environment, nil if it is not set.
    package static func environmentVariable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    package static var processID: Int32 { getpid() }

    /// The time of day, in nanoseconds since 1970.
    package static var nanosecondsSinceEpoch: Int64 {
        var now = timespec()
        guard clock_gettime(CLOCK_REALTIME, &now) == 0 else { return 0 }
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }

    /// Starts a thread that nobody joins; it ends with the process or on its own.
    ///
    /// - Returns: False if the system refuses.
    package static func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
        let box = Unmanaged.passRetained(ThreadBody(body))
        #if canImport(Darwin)
        var thread: pthread_t?
        let result = pthread_create(
            &thread,
            nil,
            { argument in
                Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            },
            box.toOpaque()
        )
        #else
        var thread = pthread_t()
        let result = pthread_create(
            &thread,
            nil,
            { argument in
                if let argument { Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            },
            box.toOpaque()
        )
        #endif
        guard result == 0 else {
            box.release()
            return false
        }
        #if canImport(Darwin)
        if let thread { pthread_detach(thread) }
        #else
        pthread_detach(thread)
        #endif
        return true
    }
}

/// Carries a closure through the C interface of thread creation.
private final class ThreadBody: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
    }
}
