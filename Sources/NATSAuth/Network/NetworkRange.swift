/// The addresses of a network in CIDR form, `192.168.0.0/16`.
package struct NetworkRange: Sendable, Hashable {
    private let address: IPAddress
    /// How many leading bits the addresses share.
    private let length: Int

    /// Reads what Go's `net.ParseCIDR` reads; `nil` for anything else.
    package init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let bytes = IPAddress.parse(Substring(parts[0])),
            let length = Self.number(Substring(parts[1])), length <= bytes.count * 8
        else { return nil }
        let masked = Self.masked(bytes, length)
        self.address = IPAddress(bytes: masked)
        // IPv4 inside IPv6 is IPv4 only as long as the mask covers what says so.
        self.length = self.address.bytes.count == bytes.count ? length : length - 96
    }

    /// As many zeros as one likes may stand before it.
    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let digits = text.utf8.drop { $0 == 0x30 }
        return digits.isEmpty ? 0 : digits.count > 7 ? nil : Int(Substring(digits))
    }

    private static func masked(_ bytes: [UInt8], _ length: Int) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            let bits = min(8, max(0, length - index * 8))
            return byte & ~UInt8(truncatingIfNeeded: 0xff >> bits)
        }
    }

    /// Whether an address belongs to the network.
    package func contains(_ other: IPAddress) -> Bool {
        guard other.bytes.count == self.address.bytes.count else { return false }
        return Self.masked(other.bytes, self.length) == self.address.bytes
    }
}

extension UserLimits {
    /// Whether the user may come from a host, given as an IP address (nats-server jwt.go validateSrc).
    ///
    /// An address that cannot be read, and networks that cannot, permit nothing.
    package func permits(host: String) -> Bool {
        guard !self.sources.isEmpty else { return true }
        guard let address = IPAddress(host) else { return false }
        for source in self.sources {
            guard let range = NetworkRange(source) else { return false }
            if range.contains(address) { return true }
        }
        return false
    }
}
