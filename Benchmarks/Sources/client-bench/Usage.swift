#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Processor time of this process and the clock, in seconds.
struct Usage {
    let user: Double
    let system: Double
    let wall: Double

    static func now() -> Usage {
        var resources = rusage()
        // RUSAGE_SELF, whose type differs from system to system.
        getrusage(0, &resources)
        return Usage(
            user: Double(resources.ru_utime.tv_sec) + Double(resources.ru_utime.tv_usec) / 1e6,
            system: Double(resources.ru_stime.tv_sec) + Double(resources.ru_stime.tv_usec) / 1e6,
            wall: Double(Self.clock()) / 1e9
        )
    }

    /// Nanoseconds of the monotonic clock.
    static func clock() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    /// Resident bytes of this process (Linux).
    static func resident() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, 128, file) != nil else { return 0 }
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// One line of JSON, written at once even into a pipe.
    static func write(_ line: String) {
        print(line)
        fflush(nil)
    }

    static func report(from: Usage, to: Usage, messages: Int, latencies: [Int] = []) {
        let sorted = latencies.sorted()
        let p50 = sorted.isEmpty ? 0 : Double(sorted[sorted.count / 2]) / 1e3
        let p99 = sorted.isEmpty ? 0 : Double(sorted[sorted.count * 99 / 100]) / 1e3
        self.write(
            """
            {"messages":\(messages),"seconds":\(to.wall - from.wall),"user":\(to.user - from.user),\
            "sys":\(to.system - from.system),"p50_us":\(p50),"p99_us":\(p99)}
            """
        )
    }
}
