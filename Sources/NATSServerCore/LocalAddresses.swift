import NIOCore

/// The addresses under which this machine is reached.
package enum LocalAddresses {
    /// `host:port` for each address that a listener answers on: all of this machine's if it listens on all (nats-server
    /// server.go resolveHostPorts).
    package static func hostPorts(host: String, port: Int) -> [String] {
        guard self.isEverything(host) else { return [HostPort.join(host, port)] }
        return self.hosts { _ in true }.map { HostPort.join($0, port) }
    }

    /// The same for others: without the addresses that mean something only here (nats-server server.go getConnectURLs).
    static func connectURLs(host: String, port: Int) -> [String] {
        guard self.isEverything(host) else { return [HostPort.join(host, port)] }
        return self.hosts { !self.isOnlyLocal($0) }.map { HostPort.join($0, port) }
    }

    /// The same as addresses of routes; this machine's own name for itself among them.
    static func routes(host: String, port: Int) -> Set<RouteAddress> {
        let hosts = self.isEverything(host) ? self.hosts { _ in true } + ["localhost"] : [host]
        return Set(hosts.compactMap { RouteAddress(host: $0, port: port) })
    }

    private static func isEverything(_ host: String) -> Bool { ["", "0.0.0.0", "::"].contains(host) }

    private static func hosts(where isWanted: (String) -> Bool) -> [String] {
        let devices = (try? System.enumerateDevices()) ?? []
        return devices.compactMap(\.address?.ipAddress).filter(isWanted)
    }

    /// Go's IsGlobalUnicast is false: loopback, link-local and multicast addresses.
    private static func isOnlyLocal(_ ip: String) -> Bool {
        let prefixes = ["127.", "169.254.", "fe8", "fe9", "fea", "feb", "ff"]
        return ip == "::1" || prefixes.contains { ip.hasPrefix($0) }
    }
}
