#if os(Linux) || os(macOS)
import NATSAuth
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Another program, whose output goes to a file; it is always reaped and never outlives this process.
///
/// A shell stands by at its side: when this process dies without stopping the program, the connection between them ends
/// and the shell kills it.
package final class SpawnedProcess: Sendable {
    private struct State {
        /// What `waitpid` has said.
        var status: CInt?
        var waiters: [@Sendable (CInt) -> Void] = []
        /// Our end of the connection to the shell that stands by.
        var standby: CInt?
    }

    package let processID: Int
    private let state: NIOLockedValueBox<State>

    private static let spawning = NIOLock()
    /// Time from SIGTERM to SIGKILL.
    private static let patience: Duration = .seconds(10)

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - path: Where it is.
    ///   - arguments: Behind its name.
    ///   - environment: All of its variables, `NAME=value` each.
    ///   - output: The file to which its standard output and standard error are appended.
    /// - Throws: ``NATSTestServerError`` if there is no process; a program that is not there ends with status 127.
    package init(_ path: String, _ arguments: [String] = [], environment: [String] = [], output: String) throws {
        // The word that arrives means a regular end, the mere end of the connection means that we are gone.
        let script = "(read -r word <&3 || kill -9 $$) >/dev/null 2>&1 & exec 3<&-; exec \"$0\" \"$@\""
        // One at a time: our end must not reach another child before it is marked to be closed on exec.
        let (processID, standby) = try Self.spawning.withLock {
            var ends: [CInt] = [0, 0]
            guard socketpair(AF_UNIX, streamKind, 0, &ends) == 0 else { throw Self.failure("socketpair", errno) }
            defer { closeDescriptor(ends[0]) }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            do {
                let command = ["/bin/sh", "-c", script, path] + arguments
                return (try Self.spawn(command, environment, standby: ends[0], output: output), ends[1])
            } catch {
                closeDescriptor(ends[1])
                throw error
            }
        }
        self.processID = Int(processID)
        let state = NIOLockedValueBox(State(standby: standby))
        self.state = state
        // A thread of its own: it waits for as long as the program runs.
        let reaper = NIOThreadPool(numberOfThreads: 1)
        reaper.start()
        reaper.submit { _ in
            var status: CInt = 0
            while waitpid(processID, &status, 0) < 0, errno == EINTR {}
            let waiters = state.withLockedValue { state in
                state.status = status
                defer { state.waiters = [] }
                return state.waiters
            }
            Self.dismissStandby(state)
            for waiter in waiters { waiter(status) }
            reaper.shutdownGracefully { _ in }
        }
    }

    deinit {
        self.send(SIGKILL)
        Self.dismissStandby(self.state)
    }

    /// What `waitpid` has said; `nil` while the program runs.
    package var status: CInt? { self.state.withLockedValue { $0.status } }

    /// Calls back once the program has ended and has been reaped, at once if it has; on any thread.
    package func whenEnded(_ body: @escaping @Sendable (CInt) -> Void) {
        let status = self.state.withLockedValue { state in
            if state.status == nil { state.waiters.append(body) }
            return state.status
        }
        if let status { body(status) }
    }

    /// Waits for the end of the program; also a cancelled task waits.
    ///
    /// - Returns: What `waitpid` has said.
    @discardableResult
    package func waitForEnd() async -> CInt {
        await withCheckedContinuation { continuation in self.whenEnded { continuation.resume(returning: $0) } }
    }

    /// Sends a signal, unless the program has ended.
    package func send(_ number: CInt) {
        self.state.withLockedValue { state in
            // Inside the lock: the thread that reaps cannot have announced the end yet. (It may have reaped already; a
            // process id is not used again within that moment.)
            if state.status == nil { _ = kill(pid_t(self.processID), number) }
        }
    }

    /// Asks the program to end (SIGTERM), waits, and kills it if it does not.
    package func stop() async {
        self.send(SIGTERM)
        let deadline = MultiThreadedEventLoopGroup.singleton.next()
            .scheduleTask(in: .init(Self.patience)) { self.send(SIGKILL) }
        await self.waitForEnd()
        deadline.cancel()
    }

    private static func dismissStandby(_ state: NIOLockedValueBox<State>) {
        guard let end = state.withLockedValue({ $0.standby.take() }) else { return }
        sendWord("ended\n", to: end)
        closeDescriptor(end)
    }

    private static func spawn(
        _ command: [String],
        _ environment: [String],
        standby: CInt,
        output: String
    ) throws -> pid_t {
        #if canImport(Darwin)
        var actions: posix_spawn_file_actions_t?
        #else
        var actions = posix_spawn_file_actions_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        posix_spawn_file_actions_adddup2(&actions, standby, 3)
        // Sockets of servers and clients in this process are not for the child: it would keep ports and connections open.
        #if !canImport(Darwin)
        // Other threads open more until the child exists, hence the margin; closing what is not open does no harm.
        let open = (try? SmallFile.names(in: "/proc/self/fd")) ?? []
        for descriptor in 4..<((open.compactMap { CInt($0) }.max() ?? 4) + 256) {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        #endif

        #if canImport(Darwin)
        var attributes: posix_spawnattr_t?
        #else
        var attributes = posix_spawnattr_t()
        #endif
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var defaults = sigset_t()
        sigemptyset(&defaults)
        sigaddset(&defaults, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        var blocked = sigset_t()
        sigemptyset(&blocked)
        posix_spawnattr_setsigmask(&attributes, &blocked)
        var flags = Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)
        #if canImport(Darwin)
        flags |= Int16(POSIX_SPAWN_CLOEXEC_DEFAULT)
        #endif
        posix_spawnattr_setflags(&attributes, flags)

        let argumentPointers = command.map { strdup($0) } + [nil]
        let variablePointers = environment.map { strdup($0) } + [nil]
        defer {
            for pointer in argumentPointers + variablePointers { free(pointer) }
        }
        var processID: pid_t = 0
        let result = posix_spawn(&processID, "/bin/sh", &actions, &attributes, argumentPointers, variablePointers)
        guard result == 0 else { throw Self.failure("posix_spawn", result) }
        return processID
    }

    private static func failure(_ call: String, _ code: CInt) -> NATSTestServerError {
        NATSTestServerError(message: "\(call): \(String(cString: strerror(code)))")
    }
}

#if canImport(Glibc)
private let streamKind = CInt(SOCK_STREAM.rawValue)
#else
private let streamKind = SOCK_STREAM
#endif

private func closeDescriptor(_ descriptor: CInt) { _ = close(descriptor) }

/// Writes without SIGPIPE to a shell that is gone.
private func sendWord(_ word: String, to descriptor: CInt) {
    #if canImport(Darwin)
    var isOn: CInt = 1
    _ = setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &isOn, socklen_t(MemoryLayout<CInt>.size))
    let flags: CInt = 0
    #else
    let flags = CInt(MSG_NOSIGNAL)
    #endif
    _ = send(descriptor, word, word.utf8.count, flags)
}
#endif
