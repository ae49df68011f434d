import Foundation
import NIOConcurrencyHelpers

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Another program, whose output goes to a file; it is always reaped and never outlives the test.
///
/// A shell stands by at its side: when this process dies without stopping the program, the pipe between them
/// closes and the shell kills it.
package final class ChildProcess: Sendable {
    /// How the program ended.
    package enum Exit: Sendable, Equatable {
        case exited(Int)
        case signaled(Int)
    }

    package let processID: Int
    private let directory: TemporaryDirectory
    private let exit = Watched<Exit?>(nil)
    private let standby: NIOLockedValueBox<CInt?>

    private static let spawning = NIOLock()

    /// Starts the program at a path, with `environment` added to this process's environment.
    package init(_ path: String, _ arguments: [String] = [], environment: [String: String] = [:]) throws {
        let directory = try TemporaryDirectory()
        // The word that arrives means a regular end, the mere end of the pipe means that we are gone.
        let script = "(read -r word <&3 || kill -9 $$) >/dev/null 2>&1 & exec 3<&-; exec \"$0\" \"$@\""
        // One at a time: a pipe must not reach another child before it is marked to be closed on exec.
        let (processID, standby) = try Self.spawning.withLock {
            // Writing to a shell that is gone must not kill the tests.
            ignoreBrokenPipes()
            var ends: [CInt] = [0, 0]
            guard pipe(&ends) == 0 else {
                throw SystemError("pipe")
            }
            defer { closeDescriptor(ends[0]) }
            _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
            _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
            do {
                let processID = try Self.spawn(
                    ["/bin/sh", "-c", script, path] + arguments,
                    environment: environment,
                    standby: ends[0],
                    output: directory.path + "/output"
                )
                return (processID, ends[1])
            } catch {
                closeDescriptor(ends[1])
                throw error
            }
        }
        self.directory = directory
        self.processID = Int(processID)
        self.standby = NIOLockedValueBox(standby)
        let exit = self.exit
        Thread.detachNewThread {
            var status: CInt = 0
            while waitpid(processID, &status, 0) < 0, errno == EINTR {}
            let result: Exit =
                status & 0x7f == 0 ? .exited(Int(status >> 8) & 0xff) : .signaled(Int(status & 0x7f))
            exit.update { $0 = result }
        }
    }

    deinit {
        self.signal(SIGKILL)
        self.dismissStandby()
    }

    /// Everything the program has printed so far, to standard output and standard error.
    package var output: String { self.directory.read("output") }

    /// True until the program has ended and has been reaped.
    package var isRunning: Bool { self.exit.value == nil }

    /// Sends a signal, unless the program has ended.
    package func signal(_ number: CInt) {
        self.exit.update { exit in
            // Inside the lock: the thread that reaps cannot have announced the end yet. (It may have reaped already;
            // a process id is not used again within that moment.)
            if exit == nil {
                _ = kill(pid_t(self.processID), number)
            }
        }
    }

    /// Waits for the end; nil when `timeout` has passed.
    package func waitForExit(timeout: Duration = .seconds(60)) async -> Exit? {
        _ = await self.exit.wait(timeout: timeout) { $0 != nil }
        let exit = self.exit.value
        if exit != nil {
            self.dismissStandby()
        }
        return exit
    }

    /// Asks the program to end (SIGTERM), waits, and kills it if it does not.
    package func stop(timeout: Duration = .seconds(10)) async {
        self.signal(SIGTERM)
        if await self.waitForExit(timeout: timeout) == nil {
            self.signal(SIGKILL)
            _ = await self.waitForExit()
        }
    }

    private func dismissStandby() {
        self.standby.withLockedValue { end in
            if let descriptor = end {
                _ = write(descriptor, "ended\n", 6)
                closeDescriptor(descriptor)
                end = nil
            }
        }
    }

    private static func spawn(
        _ command: [String],
        environment: [String: String],
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
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
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

        var variables = ProcessInfo.processInfo.environment
        variables.merge(environment) { $1 }
        let argumentPointers = command.map { strdup($0) } + [nil]
        let variablePointers = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer {
            for pointer in argumentPointers + variablePointers {
                free(pointer)
            }
        }
        var processID: pid_t = 0
        let result = posix_spawn(&processID, "/bin/sh", &actions, &attributes, argumentPointers, variablePointers)
        guard result == 0 else {
            throw SystemError("posix_spawn \(command)", code: result)
        }
        return processID
    }
}

// ``ChildProcess`` has a method of the same name, which hides the global function.
private func ignoreBrokenPipes() {
    _ = signal(SIGPIPE, SIG_IGN)
}
