import NATSCommandSupport
import NATSTop
import NIOConcurrencyHelpers

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What other threads tell the main thread.
enum Event: Sendable {
    case round(Round)
    case hostName(String?, address: String)
    /// The terminal may have another size.
    case resized
    case signal(Int32)
}

/// Holds events until the main thread takes them, which sleeps in `poll` meanwhile.
final class Mailbox: Sendable {
    private struct State {
        var events: [Event] = []
        /// Who waits until there is no round.
        var waiters: [@Sendable () -> Void] = []

        var hasRound: Bool { self.events.contains { if case .round = $0 { true } else { false } } }
    }

    private let state = NIOLockedValueBox(State())
    /// Readable when there may be events.
    let descriptor: Int32
    private let writer: Int32

    /// - Throws: `ToolFailure` if the system refuses a pipe.
    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw ToolFailure("cannot make a pipe: \(POSIX.describe(errno))") }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        self.descriptor = ends[0]
        self.writer = ends[1]
    }

    /// Adds an event.
    func post(_ event: Event) {
        self.state.withLockedValue { $0.events.append(event) }
        self.wake()
    }

    /// Puts events back that were taken, before what has come meanwhile.
    func putBack(_ taken: [Event]) {
        self.state.withLockedValue { $0.events.insert(contentsOf: taken, at: 0) }
        self.wake()
    }

    /// Calls `body` when all rounds are taken: who makes them waits for it, so that none is lost and none piles up.
    func whenRoundsAreTaken(_ body: @escaping @Sendable () -> Void) {
        let mustWait = self.state.withLockedValue { state in
            if state.hasRound { state.waiters.append(body) }
            return state.hasRound
        }
        if !mustWait { body() }
    }

    private func wake() {
        var byte: UInt8 = 1
        // A full pipe wakes the reader too.
        _ = write(self.writer, &byte, 1)
    }

    /// Takes what has come.
    func take() -> [Event] {
        var bytes: [UInt8] = Array(repeating: 0, count: 256)
        while read(self.descriptor, &bytes, bytes.count) == bytes.count {}
        let taken = self.state.withLockedValue { state in
            defer { state = State() }
            return state
        }
        for waiter in taken.waiters { waiter() }
        return taken.events
    }

    /// What ``wait(for:timeout:)`` saw.
    struct Wake {
        var hasInput = false
        /// The terminal, or who reads our output, is gone.
        var isHungUp = false
    }

    /// Waits for an event, for input, or for a hang-up.
    ///
    /// - Parameters:
    ///   - input: Descriptor of keys.
    ///   - output: Descriptor of which only the end is of interest.
    ///   - timeout: No longer than this; nil waits on.
    /// - Returns: What was there; nothing when the time passed.
    func wait(input: Int32? = nil, output: Int32? = nil, timeout: Duration?) -> Wake {
        var watched = [
            pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: input ?? -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: output ?? -1, events: 0, revents: 0),
        ]
        var milliseconds: Int32 = -1
        if let timeout {
            let parts = timeout.components
            let whole = parts.seconds > 3600 ? 3_600_000 : parts.seconds * 1000
            milliseconds = Int32(max(0, whole + parts.attoseconds / 1_000_000_000_000_000 + 1))
        }
        // A signal may end it early, as when the program is continued: the caller looks at everything anyway.
        guard poll(&watched, nfds_t(watched.count), milliseconds) > 0 else { return Wake() }
        let end = Int16(POLLERR | POLLHUP | POLLNVAL)
        return Wake(
            hasInput: watched[1].revents & Int16(POLLIN) != 0,
            isHungUp: (watched[1].revents | watched[2].revents) & end != 0
        )
    }
}
