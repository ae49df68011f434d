import NIOConcurrencyHelpers

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Ends all runs of a command, and keeps those to come from starting.
package final class ChildStop: Sendable {
    private struct State {
        var isRequested = false
        var children: Set<pid_t> = []
    }

    private let state = NIOLockedValueBox(State())
    /// Readable as soon as the stop is requested; -1 if the system has no pipe left, and then only the kill tells.
    let descriptor: Int32
    private let writer: Int32

    package init() {
        var ends: [Int32] = [-1, -1]
        _ = pipe(&ends)
        for end in ends where end >= 0 { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (self.descriptor, self.writer) = (ends[0], ends[1])
    }

    deinit {
        for end in [self.descriptor, self.writer] where end >= 0 { close(end) }
    }

    /// Kills what runs.
    package func request() {
        self.state.withLockedValue { state in
            guard !state.isRequested else { return }
            state.isRequested = true
            // Within the lock: a child that is here has not been waited for, and so its number is its own.
            for child in state.children { kill(child, SIGKILL) }
        }
        var byte: UInt8 = 1
        if self.writer >= 0 { _ = write(self.writer, &byte, 1) }
    }

    package var isRequested: Bool { self.state.withLockedValue { $0.isRequested } }

    /// A child was started.
    func add(_ child: pid_t) {
        self.state.withLockedValue { state in
            state.children.insert(child)
            if state.isRequested { kill(child, SIGKILL) }
        }
    }

    /// A child has ended, and is about to be waited for.
    func remove(_ child: pid_t) {
        self.state.withLockedValue { _ = $0.children.remove(child) }
    }
}
