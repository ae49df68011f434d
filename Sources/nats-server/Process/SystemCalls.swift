#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The few system calls of this program, without Foundation.
enum SystemCalls {
    static func processID() -> Int {
        Int(getpid())
    }

    static func wallClock() -> (second: Int, microsecond: Int) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return (Int(time.tv_sec), Int(time.tv_nsec) / 1000)
    }

    static func localTime(_ second: Int) -> LogLineFormatter.CalendarTime {
        var time = time_t(second)
        var parts = tm()
        localtime_r(&time, &parts)
        return LogLineFormatter.CalendarTime(
            year: Int(parts.tm_year) + 1900,
            month: Int(parts.tm_mon) + 1,
            day: Int(parts.tm_mday),
            hour: Int(parts.tm_hour),
            minute: Int(parts.tm_min),
            second: Int(parts.tm_sec)
        )
    }

    static func isCharacterDevice(_ descriptor: CInt) -> Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            return false
        }
        return status.st_mode & S_IFMT == S_IFCHR
    }

    static func openForAppending(_ path: String) throws(SystemCallError) -> CInt {
        try Self.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode: 0o640)
    }

    /// Creates or overwrites a file that only its owner may read.
    static func writeFile(_ path: String, _ text: String) throws(SystemCallError) {
        let descriptor = try Self.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode: 0o600)
        let written = Self.writeAll(Array(text.utf8), to: descriptor)
        let number = errno
        _ = close(descriptor)
        if !written {
            throw SystemCallError(call: "write", path: path, number: number)
        }
    }

    /// Writes everything or returns `false` with `errno` set.
    static func writeAll(_ bytes: [UInt8], to descriptor: CInt) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }

    private static func open(_ path: String, _ flags: CInt, mode: mode_t) throws(SystemCallError) -> CInt {
        while true {
            #if canImport(Darwin)
            let descriptor = Darwin.open(path, flags, mode)
            #elseif canImport(Musl)
            let descriptor = Musl.open(path, flags, mode)
            #else
            let descriptor = Glibc.open(path, flags, mode)
            #endif
            if descriptor >= 0 {
                return descriptor
            }
            if errno != EINTR {
                throw SystemCallError(call: "open", path: path, number: errno)
            }
        }
    }
}
