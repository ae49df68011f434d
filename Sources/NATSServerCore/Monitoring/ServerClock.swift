import NIOCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#elseif canImport(Glibc)
import Glibc
#endif

/// Wall-clock times of moments that were taken from the monotonic clock.
///
/// Anchored once, so that one moment has one time however often it is asked for.
struct ServerClock: Sendable, Equatable {
    /// Nanoseconds since 1970 and since boot, of one moment.
    private let wall: Int64
    private let uptime: Int64

    init(wallNanoseconds: Int64, uptime: NIODeadline) {
        self.wall = wallNanoseconds
        self.uptime = Int64(truncatingIfNeeded: uptime.uptimeNanoseconds)
    }

    static func now() -> Self { Self(wallNanoseconds: self.systemTime(), uptime: .now()) }

    /// Nanoseconds since 1970.
    func wallNanoseconds(_ moment: NIODeadline) -> Int64 {
        self.wall + (Int64(truncatingIfNeeded: moment.uptimeNanoseconds) - self.uptime)
    }

    /// Whether the system's clock has been set to another time since.
    func isOff(from other: Self) -> Bool {
        abs((self.wall - self.uptime) - (other.wall - other.uptime)) > 500_000_000
    }

    private static func systemTime() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
