#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The few system calls of this program, without Foundation.
enum SystemCalls {
    struct WallClock: Equatable, Sendable {
        var second: Int
        var nanosecond: Int
    }

    enum SendResult {
        case sent(Int)
        /// Nothing can be sent without waiting.
        case wouldWait
        case failed
    }

    static func processID() -> Int {
        Int(getpid())
    }

    /// Sends a signal and returns 0 or `errno`.
    static func sendSignal(_ signal: CInt, to process: Int) -> CInt {
        guard let process = pid_t(exactly: process) else {
            return ESRCH
        }
        return kill(process, signal) == 0 ? 0 : errno
    }

    // MARK: Time

    static func wallClock() -> WallClock {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallClock(second: Int(time.tv_sec), nanosecond: Int(time.tv_nsec))
    }

    static func localTime(_ second: Int) -> LogLineFormatter.CalendarTime {
        var time = time_t(second)
        var parts = tm()
        localtime_r(&time, &parts)
        return Self.calendarTime(parts)
    }

    static func universalTime(_ second: Int) -> LogLineFormatter.CalendarTime {
        var time = time_t(second)
        var parts = tm()
        gmtime_r(&time, &parts)
        return Self.calendarTime(parts)
    }

    /// Seconds that the local time is ahead of UTC.
    static func zoneOffset(_ second: Int) -> Int {
        var time = time_t(second)
        var parts = tm()
        localtime_r(&time, &parts)
        return Int(parts.tm_gmtoff)
    }

    static func sleep(milliseconds: Int) {
        usleep(UInt32(milliseconds * 1000))
    }

    private static func calendarTime(_ parts: tm) -> LogLineFormatter.CalendarTime {
        LogLineFormatter.CalendarTime(
            year: Int(parts.tm_year) + 1900,
            month: Int(parts.tm_mon) + 1,
            day: Int(parts.tm_mday),
            hour: Int(parts.tm_hour),
            minute: Int(parts.tm_min),
            second: Int(parts.tm_sec)
        )
    }

    // MARK: Files

    /// One of `S_IFREG`, `S_IFIFO`, …; 0 if the descriptor is not open.
    static func fileType(_ descriptor: CInt) -> mode_t {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            return 0
        }
        return status.st_mode & S_IFMT
    }

    static func isCharacterDevice(_ descriptor: CInt) -> Bool {
        self.fileType(descriptor) == S_IFCHR
    }

    /// Whether a name is that of a directory itself, not of a link to one.
    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    static func fileSize(_ descriptor: CInt) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            return 0
        }
        return Int(status.st_size)
    }

    /// Whether a descriptor still is the file of this name.
    static func isFile(_ descriptor: CInt, at path: String) -> Bool {
        var opened = stat()
        var named = stat()
        guard fstat(descriptor, &opened) == 0, stat(path, &named) == 0 else {
            return false
        }
        return opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
    }

    static func openForAppending(_ path: String) throws(SystemCallError) -> CInt {
        try Self.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode: 0o640)
    }

    /// Creates or overwrites a file.
    static func writeFile(_ path: String, _ text: String, mode: mode_t) throws(SystemCallError) {
        let descriptor = try Self.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode: mode)
        let written = Self.writeAll(Array(text.utf8)[...], to: descriptor)
        let number = errno
        self.close(descriptor)
        if !written {
            throw SystemCallError(call: "write", path: path, number: number)
        }
    }

    /// The bytes of a file, up to a limit; `nil` if it cannot be read.
    static func readFile(_ path: String, limit: Int) -> [UInt8]? {
        guard let descriptor = try? Self.open(path, O_RDONLY | O_CLOEXEC, mode: 0) else {
            return nil
        }
        defer { self.close(descriptor) }
        return self.readAll(descriptor, limit: limit)
    }

    /// What can be read until the end, up to a limit; `nil` on an error.
    static func readAll(_ descriptor: CInt, limit: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4096)
        while bytes.count < limit {
            let count = read(descriptor, &part, part.count)
            if count > 0 {
                bytes.append(contentsOf: part[..<count])
            } else if count == 0 {
                break
            } else if errno != EINTR {
                return nil
            }
        }
        return Array(bytes.prefix(limit))
    }

    /// Why a file cannot be read, in Go's words; `nil` if it can.
    static func reasonNotToRead(_ path: String) -> SystemCallError? {
        do {
            self.close(try Self.open(path, O_RDONLY | O_CLOEXEC, mode: 0))
            return nil
        } catch {
            return error
        }
    }

    /// What a program, searched for in `PATH`, writes to its standard output; `nil` if it cannot be started.
    static func output(of command: [String]) -> [UInt8]? {
        var ends: [CInt] = [0, 0]
        guard pipe(&ends) == 0 else { return nil }
        defer { self.close(ends[0]) }
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
        let process = self.spawn(command, output: ends[1])
        self.close(ends[1])
        guard let process else { return nil }
        let output = self.readAll(ends[0], limit: 1 << 20)
        var status: CInt = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        // A shell's "not found", where posix_spawnp tells of a missing program that way.
        return status >> 8 & 0xff == 127 ? nil : output
    }

    private static func spawn(_ command: [String], output: CInt) -> pid_t? {
        #if canImport(Darwin)
        var actions: posix_spawn_file_actions_t?
        #else
        var actions = posix_spawn_file_actions_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        let arguments = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        guard posix_spawnp(&process, command[0], &actions, nil, arguments, environ) == 0 else { return nil }
        return process
    }

    static func removeFile(_ path: String) throws(SystemCallError) {
        if unlink(path) != 0 {
            throw SystemCallError(call: "remove", path: path, number: errno)
        }
    }

    /// The names in a directory; `nil` with `errno` set if it cannot be read.
    static func fileNames(in directory: String) -> [String]? {
        guard let stream = opendir(directory) else {
            return nil
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            names.append(name)
        }
        return names
    }

    /// Writes everything or returns `false` with `errno` set.
    static func writeAll(_ bytes: ArraySlice<UInt8>, to descriptor: CInt) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN {
                    // Somebody else has made the descriptor non-blocking.
                    _ = self.isWritable(descriptor, within: 1000)
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }

    /// Whether a write would find room, or fail, without waiting longer than this.
    static func isWritable(_ descriptor: CInt, within milliseconds: CInt) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }

    static func close(_ descriptor: CInt) {
        #if canImport(Darwin)
        _ = Darwin.close(descriptor)
        #elseif canImport(Musl)
        _ = Musl.close(descriptor)
        #else
        _ = Glibc.close(descriptor)
        #endif
    }

    // MARK: Sockets

    /// Sends to a connected socket.
    static func send(_ bytes: ArraySlice<UInt8>, to descriptor: CInt, waits: Bool) -> SendResult {
        #if canImport(Darwin)
        var flags: CInt = 0
        #else
        var flags = CInt(MSG_NOSIGNAL)
        #endif
        if !waits {
            flags |= CInt(MSG_DONTWAIT)
        }
        while true {
            let count = bytes.withUnsafeBytes { Self.systemSend(descriptor, $0.baseAddress, $0.count, flags) }
            if count >= 0 {
                return .sent(count)
            }
            switch errno {
            case EINTR: continue
            case EAGAIN, ENOBUFS: return .wouldWait
            default: return .failed
            }
        }
    }

    /// Sends what can be sent without waiting; what can never be sent counts as sent.
    static func sendAtOnce(_ bytes: ArraySlice<UInt8>, to descriptor: CInt) -> Int {
        var rest = bytes
        while !rest.isEmpty {
            switch self.send(rest, to: descriptor, waits: false) {
            case .sent(let count): rest = rest.dropFirst(count)
            case .wouldWait: return bytes.count - rest.count
            case .failed: return bytes.count
            }
        }
        return bytes.count
    }

    /// The name of this machine.
    static func hostName() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else {
            return "localhost"
        }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func systemSend(
        _ descriptor: CInt,
        _ bytes: UnsafeRawPointer?,
        _ count: Int,
        _ flags: CInt
    ) -> Int {
        #if canImport(Darwin)
        Darwin.send(descriptor, bytes, count, flags)
        #elseif canImport(Musl)
        Musl.send(descriptor, bytes, count, flags)
        #else
        Glibc.send(descriptor, bytes, count, flags)
        #endif
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
