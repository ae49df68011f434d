import NIOCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The clock of all measurements, which never goes back.
enum BenchClock {
    /// Nanoseconds.
    static var now: UInt64 { NIODeadline.now().uptimeNanoseconds }

    /// What the system says of its steps, in nanoseconds.
    static var resolution: UInt64 {
        var step = timespec()
        guard clock_getres(CLOCK_MONOTONIC, &step) == 0 else { return 0 }
        return UInt64(clamping: Int(step.tv_sec) * 1_000_000_000 + Int(step.tv_nsec))
    }
}
