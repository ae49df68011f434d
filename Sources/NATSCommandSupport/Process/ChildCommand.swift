import NIOConcurrencyHelpers
package import NIOCore

// For environ, which nothing here changes.
#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
@preconcurrency import Musl
#else
@preconcurrency import Glibc
#endif

/// One run of a command by the shell, its standard input given and its standard output taken.
package struct ChildCommand: Sendable {
    /// Why there is no output.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package var description: String

        init(_ description: String) {
            self.description = description
        }

        /// A system call was refused.
        init(_ call: String, errno: Int32) {
            self.description = "\(call): \(POSIX.describe(errno))"
        }
    }

    /// Longer output is refused: a command that never stops to write does not fill the memory.
    private static let maximumOutput = 64 << 20
    package var command: String
    /// Variables beside those of this process.
    package var environment: [(name: String, value: String)]

    package init(command: String, environment: [(name: String, value: String)] = []) {
        self.command = command
        self.environment = environment
    }

    /// Runs it, and waits for its end.
    ///
    /// It is killed when `stop` is requested; what it has started itself is left alone.
    ///
    /// - Returns: What it wrote.
    /// - Throws: `Failure` if it cannot be started, writes too much, is stopped or does not end with status 0.
    package func run(input: ByteBuffer, stop: ChildStop) throws(Failure) -> ByteBuffer {
        guard !stop.isRequested else { throw Failure("stopped") }
        let (child, writer, reader) = try self.start()
        stop.add(child)
        defer { close(reader) }
        let output = Self.exchange(input, writer: writer, reader: reader, stop: stop)
        if output == nil { kill(child, SIGKILL) }
        // It may close its output and go on. Its number is nobody else's until it is waited for a second time.
        var information = siginfo_t()
        while waitid(P_PID, id_t(child), &information, WEXITED | WNOWAIT) < 0, errno == EINTR {}
        stop.remove(child)
        var status: Int32 = 0
        var ended = waitpid(child, &status, 0)
        while ended < 0, errno == EINTR { ended = waitpid(child, &status, 0) }
        guard ended > 0 else { throw Failure("waitpid", errno: errno) }
        if stop.isRequested, output == nil || status != 0 { throw Failure("stopped") }
        guard let output else { throw Failure("it writes more than \(Self.maximumOutput) bytes") }
        if status & 0x7F != 0 { throw Failure("signal \(status & 0x7F)") }
        let code = status >> 8 & 0xFF
        guard code == 0 else { throw Failure("exit status \(code)") }
        return output
    }

    /// One at a time: no child may inherit an end of another's pipes before it is marked to be closed on exec, or the
    /// other would never see the end of its input.
    private static let starting = NIOLock()

    /// Starts the command; gives its process, where its input goes and where its output comes from.
    private func start() throws(Failure) -> (child: pid_t, writer: Int32, reader: Int32) {
        Self.starting.lock()
        defer { Self.starting.unlock() }
        var input: [Int32] = [-1, -1]
        var output: [Int32] = [-1, -1]
        guard pipe(&input) == 0 else { throw Failure("pipe", errno: errno) }
        guard pipe(&output) == 0 else {
            let error = errno
            for end in input { close(end) }
            throw Failure("pipe", errno: error)
        }
        for end in input + output { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // The child has its own.
        defer { for end in [input[0], output[1]] { close(end) } }
        do throws(Failure) {
            let child = try self.spawn(input: input[0], output: output[1])
            return (child, input[1], output[0])
        } catch {
            for end in [input[1], output[0]] { close(end) }
            throw error
        }
    }

    /// Writes `input` and reads what comes, as either side is ready; closes `writer`.
    ///
    /// - Returns: What came; nil if it is too much, or `stop` is requested.
    private static func exchange(
        _ input: ByteBuffer,
        writer: Int32,
        reader: Int32,
        stop: ChildStop
    ) -> ByteBuffer? {
        var input = input
        var output = ByteBuffer()
        var isWriting = true
        func stopWriting() {
            if isWriting { close(writer) }
            isWriting = false
        }
        defer { stopWriting() }
        _ = fcntl(writer, F_SETFL, O_NONBLOCK)
        while true {
            if isWriting, input.readableBytes == 0 { stopWriting() }
            var watched = [
                pollfd(fd: reader, events: Int16(POLLIN), revents: 0),
                pollfd(fd: isWriting ? writer : -1, events: Int16(POLLOUT), revents: 0),
                pollfd(fd: stop.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            // Without a descriptor that tells, a look now and then has to do.
            guard poll(&watched, nfds_t(watched.count), stop.descriptor < 0 ? 100 : -1) >= 0 else {
                if errno == EINTR { continue }
                return output
            }
            if stop.isRequested { return nil }
            if isWriting, watched[1].revents != 0 {
                let written = input.withUnsafeReadableBytes { write(writer, $0.baseAddress, $0.count) }
                if written > 0 {
                    input.moveReaderIndex(forwardBy: min(written, input.readableBytes))
                } else if errno != EAGAIN, errno != EINTR {
                    // A command need not read what it is given.
                    stopWriting()
                }
            }
            guard watched[0].revents != 0 else { continue }
            var count = 0
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: 64 * 1024) { space in
                count = POSIX.readSome(from: reader, into: space)
                return max(0, count)
            }
            if count <= 0 { return output }
            if output.readableBytes > Self.maximumOutput { return nil }
        }
    }

    private func spawn(input: Int32, output: Int32) throws(Failure) -> pid_t {
        #if canImport(Darwin)
        var actions: posix_spawn_file_actions_t?
        var attributes: posix_spawnattr_t?
        #else
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The tool blocks the signals that it waits for and ignores SIGPIPE; the command is a program like any other.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let names = self.environment.map(\.name)
        let inherited = Self.currentEnvironment.filter { entry in
            !names.contains { entry.utf8.starts(with: "\($0)=".utf8) }
        }
        let variables = inherited + self.environment.map { "\($0.name)=\($0.value)" }
        let words: [String] = ["/bin/sh", "-c", self.command]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var environment: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        defer { for text in arguments + environment { free(text) } }
        var child: pid_t = 0
        let result = posix_spawn(&child, "/bin/sh", &actions, &attributes, &arguments, &environment)
        guard result == 0 else { throw Failure("/bin/sh", errno: result) }
        return child
    }

    private static var currentEnvironment: [String] {
        var variables: [String] = []
        #if canImport(Darwin)
        guard var next = _NSGetEnviron().pointee else { return [] }
        #else
        var next = environ
        #endif
        while let variable = next.pointee {
            variables.append(String(cString: variable))
            next += 1
        }
        return variables
    }
}
