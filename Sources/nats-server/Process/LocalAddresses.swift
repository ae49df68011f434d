import NATSServerCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The addresses under which this machine is reached.
enum LocalAddresses {
    /// `host:port` for each address that a listener answers on: all of this machine's if it listens on all.
    ///
    /// nats-server server.go resolveHostPorts.
    static func hostPorts(host: String, port: Int) -> [String] {
        guard ["0.0.0.0", "::", ""].contains(host) else { return [HostPort.join(host, port)] }
        return Self.all().map { HostPort.join($0, port) }
    }

    /// The addresses of all interfaces.
    static func all() -> [String] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var result: [String] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ifa_next
            guard let address = entry.ifa_addr else { continue }
            let length: Int
            switch CInt(address.pointee.sa_family) {
            case AF_INET: length = MemoryLayout<sockaddr_in>.size
            case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
            default: continue
            }
            guard let host = InternetSocket.host(address, socklen_t(length)) else { continue }
            // Go's IPNet has no zone.
            result.append(String(host.prefix { $0 != "%" }))
        }
        return result
    }
}
