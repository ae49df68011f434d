#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// How many descriptors this process may have open.
enum OpenFileLimit {
    /// What the process needs beside its connections: event loops, listener, log, standard streams.
    static let reserve = 64

    /// Raises the soft limit to the hard one, as the Go runtime does, and returns what holds now; `nil` means no limit.
    static func raise() -> Int? {
        var limit = rlimit()
        guard Self.get(&limit) else {
            return nil
        }
        if limit.rlim_cur != limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            #if canImport(Darwin)
            // Apple's kernels refuse a soft limit above OPEN_MAX.
            raised.rlim_cur = min(limit.rlim_max, rlim_t(OPEN_MAX))
            #endif
            if raised.rlim_cur > limit.rlim_cur, Self.set(&raised) {
                limit = raised
            }
        }
        return Int(exactly: limit.rlim_cur)
    }

    /// The warning if so many connections cannot be open at once.
    static func warning(limit: Int?, maximumConnections: Int) -> String? {
        guard let limit, limit - Self.reserve < maximumConnections else {
            return nil
        }
        return "Open file limit of \(limit) is too low for max_connections of \(maximumConnections)"
    }

    private static func get(_ limit: inout rlimit) -> Bool {
        #if canImport(Glibc)
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        #else
        getrlimit(RLIMIT_NOFILE, &limit) == 0
        #endif
    }

    private static func set(_ limit: inout rlimit) -> Bool {
        #if canImport(Glibc)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        #else
        setrlimit(RLIMIT_NOFILE, &limit) == 0
        #endif
    }
}
