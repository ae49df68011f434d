import NIOCore

/// The addresses of this machine, as others may know a listener by them.
enum LocalAddresses {
    /// Where a listener is reached on this machine; of one that listens everywhere, at every address.
    static func all(host: String, port: Int) -> Set<RouteAddress> {
        let hosts = self.isWildcard(host) ? self.hosts { _ in true } + ["localhost"] : [host]
        return Set(hosts.compactMap { RouteAddress(host: $0, port: port) })
    }

    /// `host:port` of a listener for others (nats-server server.go getConnectURLs): of one that listens everywhere at every
    /// address but those that mean something only here.
    static func connectURLs(host: String, port: Int) -> [String] {
        guard self.isWildcard(host) else { return [HostPort.join(host, port)] }
        let hosts = self.hosts { !self.isOnlyLocal($0) }
        return (hosts.isEmpty ? [host] : hosts).map { HostPort.join($0, port) }
    }

    private static func isWildcard(_ host: String) -> Bool { ["", "0.0.0.0", "::", "[::]"].contains(host) }

    private static func hosts(where isWanted: (SocketAddress) -> Bool) -> [String] {
        let devices = (try? System.enumerateDevices()) ?? []
        return devices.compactMap { device in
            guard let address = device.address, isWanted(address) else { return nil }
            return address.ipAddress
        }
    }

    /// Go's IsGlobalUnicast is false: loopback, link-local and multicast addresses.
    private static func isOnlyLocal(_ address: SocketAddress) -> Bool {
        guard let ip = address.ipAddress?.lowercased() else { return true }
        return ip.hasPrefix("127.") || ip.hasPrefix("169.254.") || ip == "::1" || ip.hasPrefix("fe8")
            || ip.hasPrefix("fe9") || ip.hasPrefix("fea") || ip.hasPrefix("feb") || ip.hasPrefix("ff")
    }
}
