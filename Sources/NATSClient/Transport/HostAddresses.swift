import NIOCore

/// The addresses of a host, in the order in which they are tried: by turns from two lists, the first one first.
struct HostAddresses: Equatable {
    var first: [SocketAddress] = []
    var second: [SocketAddress] = []

    init() {}

    /// Arranges what a look-up has brought.
    ///
    /// - Parameters:
    ///   - found: The addresses, in the system's order.
    ///   - order: Which families are wanted, and which of them first.
    ///   - shuffles: Whether the addresses of a family are tried in random order, to spread clients over the servers that
    ///     have one name (ADR-11).
    ///   - random: Where the order comes from.
    init(
        _ found: [SocketAddress],
        order: NATSClientConfiguration.AddressOrder,
        shuffles: Bool,
        random: inout some RandomNumberGenerator
    ) {
        var v4: [SocketAddress] = []
        var v6: [SocketAddress] = []
        for address in found {
            switch address.protocol {
            case .inet where !v4.contains(address): v4.append(address)
            case .inet6 where !v6.contains(address): v6.append(address)
            default: break
            }
        }
        if shuffles {
            v4.shuffle(using: &random)
            v6.shuffle(using: &random)
        }
        switch order {
        case .any where found.first?.protocol == .inet, .ipv4First: (self.first, self.second) = (v4, v6)
        case .any, .ipv6First: (self.first, self.second) = (v6, v4)
        case .ipv4Only: self.first = v4
        case .ipv6Only: self.first = v6
        }
    }
}
