#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The sockets of this process.
package enum OpenSockets {
    /// How many TCP sockets of this process have one of these ports on either side.
    package static func count(ports: [Int]) -> Int {
        var limit = rlimit()
        #if canImport(Glibc)
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #else
        getrlimit(RLIMIT_NOFILE, &limit)
        #endif
        return (0..<CInt(clamping: min(limit.rlim_cur, 8192))).count { descriptor in
            Self.ports(of: descriptor).contains(where: ports.contains)
        }
    }

    private static func ports(of descriptor: CInt) -> [Int] {
        [getsockname, getpeername].compactMap { ask in
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let result = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { ask(descriptor, $0, &length) }
            }
            guard result == 0, Int32(address.sin_family) == AF_INET else { return nil }
            return Int(UInt16(bigEndian: address.sin_port))
        }
    }
}
