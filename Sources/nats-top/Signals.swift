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
                    // The main thread may be stuck in a terminal that takes nothing.
                    if ContinuousClock.now - first > Self.patience { ToolProcess.end(.signal(number)) }
                } else {
                    firstAt = .now
                    mailbox.post(.signal(number))
                }
            }
        }
        guard started else { throw ToolFailure("cannot start a thread") }
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
