import NATSCommandSupport

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Signals come as events; only ^Z goes to the main thread, where ncurses gives the terminal back before the stop.
enum Signals {
    /// Those that end the program; a `SIGHUP` that is ignored stays so (`nohup`).
    private static let ending = [SIGINT, SIGTERM, SIGQUIT] + (ToolProcess.ignoresHangUp ? [] : [SIGHUP])
    /// A second signal within this time is the first one's echo.
    private static let patience: Duration = .seconds(1)
    /// How long the main thread has after the first one: it may be stuck in a terminal, or in a pipe, that takes nothing.
    private static let limitMilliseconds: Int32 = 2000

    /// Blocks them; before any other thread is started.
    static func block() {
        signal(SIGPIPE, SIG_IGN)
        Self.mask(Self.ending + [SIGWINCH, SIGTSTP], SIG_BLOCK)
    }

    /// Starts the thread that waits for them.
    ///
    /// - Throws: `ToolFailure` if the system refuses a thread.
    static func deliver(to mailbox: Mailbox) throws {
        let started = POSIX.startThread {
            var set = Self.set(Self.ending + [SIGWINCH])
            var firstAt: ContinuousClock.Instant?
            while true {
                var number: Int32 = 0
                guard sigwait(&set, &number) == 0 else { continue }
                if number == SIGWINCH {
                    mailbox.post(.resized)
                } else if let first = firstAt {
                    if ContinuousClock.now - first > Self.patience { Self.end(number) }
                } else {
                    firstAt = .now
                    mailbox.post(.signal(number))
                    Self.endLater(number)
                }
            }
        }
        guard started else { throw ToolFailure("cannot start a thread") }
    }

    private static func endLater(_ number: Int32) {
        _ = POSIX.startThread {
            _ = poll(nil, 0, Self.limitMilliseconds)
            Self.end(number)
        }
    }

    /// Ends the process without the main thread: what it has not written by now nobody takes.
    private static func end(_ number: Int32) -> Never {
        TerminalMode.giveBack()
        ToolProcess.end(.signal(number))
    }

    /// Lets ^Z stop the program, by the main thread.
    static func allowStops() { Self.mask([SIGTSTP], SIG_UNBLOCK) }

    /// Runs the body, which starts a thread, so that ^Z never goes there.
    static func withoutStops(_ body: () -> Void) {
        Self.mask([SIGTSTP], SIG_BLOCK)
        body()
        Self.allowStops()
    }

    private static func set(_ numbers: [Int32]) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in numbers { sigaddset(&set, number) }
        return set
    }

    private static func mask(_ numbers: [Int32], _ how: Int32) {
        var set = Self.set(numbers)
        pthread_sigmask(how, &set, nil)
    }
}
