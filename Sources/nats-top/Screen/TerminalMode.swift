import NIOConcurrencyHelpers

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// How the terminal was before it was taken: what a shell needs back, whatever happens.
enum TerminalMode {
    private struct Saved {
        var mode: termios
        /// Shows the usual screen and the cursor again.
        var farewell: [UInt8] = []
    }

    private static let saved = NIOLockedValueBox<Saved?>(nil)

    /// Before ncurses takes the terminal.
    static func remember() {
        var mode = termios()
        guard tcgetattr(0, &mode) == 0 else { return }
        let found = mode
        Self.saved.withLockedValue { $0 = Saved(mode: found) }
    }

    /// What to write when the terminal is given back without ncurses.
    static func remember(farewell: [UInt8]) { Self.saved.withLockedValue { $0?.farewell = farewell } }

    /// ncurses has given the terminal back.
    static func forget() { Self.saved.withLockedValue { $0 = nil } }

    /// Gives the terminal back without ever waiting for it; from any thread.
    ///
    /// In the background it is somebody else's.
    static func giveBack() {
        guard var saved = Self.saved.withLockedValue({ $0.take() }), tcgetpgrp(0) == getpgrp() else { return }
        // Opened anew: whether a write waits is a property of what the shell has open too.
        let terminal = open("/dev/tty", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        if terminal >= 0 {
            let farewell = saved.farewell
            if write(terminal, farewell, farewell.count) < farewell.count {
                // What is on its way is of a screen that ends; the rest of a sequence may stand before it.
                tcflush(terminal, TCOFLUSH)
                _ = write(terminal, farewell, farewell.count)
            }
            close(terminal)
        }
        tcsetattr(0, TCSANOW, &saved.mode)
    }
}
