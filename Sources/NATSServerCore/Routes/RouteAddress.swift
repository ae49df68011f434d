/// Where a server accepts routes.
struct RouteAddress: Hashable, Sendable, CustomStringConvertible {
    private static let longestHost = 255
    private static let schemeEnd = "://"

    /// A name or an address, in lower case, without brackets.
    let host: String
    let port: Int

    /// An address; `nil` if it is none.
    ///
    /// - Parameters:
    ///   - host: Letters, digits and `.-_:%`.
    ///   - port: 1 to 65535.
    init?(host: String, port: Int) {
        let host = host.lowercased()
        guard (1...65_535).contains(port), !host.isEmpty, host.utf8.count <= Self.longestHost,
            host.utf8.allSatisfy(Self.isHostByte)
        else { return nil }
        self.host = host
        self.port = port
    }

    /// The `ip` of an INFO: `nats-route://host:port/`, without user and password.
    ///
    /// `nil` also for an address that means all of them: to somebody else it would mean himself.
    init?(url: String) {
        guard let scheme = url.firstRange(of: Self.schemeEnd) else { return nil }
        var rest = url[scheme.upperBound...]
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard let parts = try? HostPort.split(String(rest)), let port = Int(parts.port) else { return nil }
        guard !["0.0.0.0", "::"].contains(parts.host) else { return nil }
        self.init(host: parts.host, port: port)
    }

    var description: String { HostPort.join(self.host, self.port) }

    /// As it stands in the `ip` of an INFO.
    var url: String { "nats-route\(Self.schemeEnd)\(self)/" }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "%"): true
        default: false
        }
    }
}
