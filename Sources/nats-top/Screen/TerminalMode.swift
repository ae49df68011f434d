import NIOConcurrencyHelpers

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// How the terminal treated keys and lines before it was taken: what a shell needs back, whatever happens.
enum TerminalMode {
    private static let saved = NIOLockedValueBox<termios?>(nil)

    /// Before ncurses takes the terminal.
    static func remember() {
        var mode = termios()
        guard tcgetattr(0, &mode) == 0 else { return }
        let found = mode
        Self.saved.withLockedValue { $0 = found }
    }

    /// ncurses has given the terminal back.
    static func forget() { Self.saved.withLockedValue { $0 = nil } }

    /// Gives the terminal back without writing to it, which might block; from any thread.
    ///
    /// In the background it is somebody else's.
    static func giveBack() {
        guard var mode = Self.saved.withLockedValue({ $0.take() }), tcgetpgrp(0) == getpgrp() else { return }
        tcsetattr(0, TCSANOW, &mode)
    }
}
