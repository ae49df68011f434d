import NIOCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#elseif canImport(Glibc)
import Glibc
#endif

/// What the process takes of the machine.
struct ProcessUsage: Sendable, Equatable {
    /// Memory in bytes: resident, and address space.
    var residentMemory = 0
    var virtualMemory = 0
    /// Percent of one core over the last second or so, with one decimal (nats-server pse_linux.go).
    var processorPercent = 0.0
}

/// Takes samples of the processor time, so that the share of the recent past is known when somebody asks.
///
/// Pure: the readings come from outside.
struct ProcessorSampler: Sendable, Equatable {
    private var lastTime: NIODeadline?
    private var lastNanoseconds: Int64 = 0
    private(set) var percent = 0.0

    /// - Parameters:
    ///   - nanoseconds: Processor time of the process up to now.
    ///   - now: The time of the reading.
    mutating func sample(_ nanoseconds: Int64, now: NIODeadline) {
        defer {
            self.lastTime = now
            self.lastNanoseconds = nanoseconds
        }
        guard let lastTime = self.lastTime, now > lastTime else { return }
        let share = Double(max(0, nanoseconds - self.lastNanoseconds)) / Double((now - lastTime).nanoseconds)
        self.percent = (share * 1000).rounded() / 10
    }
}

/// Readings from the system.
enum SystemUsage {
    /// Processor time of the process, user and system, in nanoseconds.
    static func processorNanoseconds() -> Int64 {
        guard let usage = self.usage() else { return 0 }
        func nanoseconds(_ time: timeval) -> Int64 { Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_usec) * 1000 }
        return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)
    }

    /// Resident memory and address space, in bytes.
    static func memory() -> (resident: Int, virtual: Int) {
        #if os(Linux)
        // Two numbers of pages at the start of the file.
        let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return (0, 0) }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 128)
        let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { return (0, 0) }
        let fields = buffer[..<count].split(separator: 0x20).map { Int(String(decoding: $0, as: UTF8.self)) ?? 0 }
        guard fields.count >= 2 else { return (0, 0) }
        let page = max(1, sysconf(CInt(_SC_PAGESIZE)))
        return (fields[1] * page, fields[0] * page)
        #else
        // The largest resident size so far; there is no public call for the present one but Mach's.
        let resident = self.usage().map { Int($0.ru_maxrss) } ?? 0
        return (resident, resident)
        #endif
    }

    private static func usage() -> rusage? {
        var usage = rusage()
        // RUSAGE_SELF, whose type differs between the systems.
        return getrusage(0, &usage) == 0 ? usage : nil
    }
}
