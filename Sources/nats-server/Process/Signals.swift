#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The signals that the program answers, taken one by one by the thread that waits for them.
///
/// No handler runs anywhere: the signals are blocked in every thread, so nothing that they do is restricted to what is
/// safe in a handler.
struct Signals {
    enum Signal: CaseIterable, Sendable {
        case interrupt, terminate, quit, hangup, user1, user2

        var number: CInt {
            switch self {
            case .interrupt: SIGINT
            case .terminate: SIGTERM
            case .quit: SIGQUIT
            case .hangup: SIGHUP
            case .user1: SIGUSR1
            case .user2: SIGUSR2
            }
        }

        /// Go's name, which the log shows.
        var name: String {
            switch self {
            case .interrupt: "interrupt"
            case .terminate: "terminated"
            case .quit: "quit"
            case .hangup: "hangup"
            case .user1: "user defined signal 1"
            case .user2: "user defined signal 2"
            }
        }
    }

    private var set: sigset_t

    /// Blocks the signals.
    ///
    /// Call it before any other thread exists: threads inherit the mask.
    init() {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in Signal.allCases {
            // A shell starts background jobs with SIGINT ignored, and an ignored signal may never become pending.
            Self.setDisposition(signal.number, SIG_DFL)
            sigaddset(&set, signal.number)
        }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        self.set = set
        // A client that is gone is an error of the write, not a reason to die.
        Self.setDisposition(SIGPIPE, SIG_IGN)
    }

    /// Waits on the calling thread for the next of the signals.
    mutating func next() -> Signal {
        while true {
            var number: CInt = 0
            guard sigwait(&self.set, &number) == 0 else { continue }
            if let signal = Signal.allCases.first(where: { $0.number == number }) {
                return signal
            }
        }
    }

    #if canImport(Darwin)
    private static func setDisposition(_ number: CInt, _ handler: sig_t?) {
        signal(number, handler)
    }
    #elseif canImport(Musl)
    private static func setDisposition(_ number: CInt, _ handler: (@convention(c) (CInt) -> Void)?) {
        signal(number, handler)
    }
    #else
    private static func setDisposition(_ number: CInt, _ handler: __sighandler_t?) {
        signal(number, handler)
    }
    #endif
}
