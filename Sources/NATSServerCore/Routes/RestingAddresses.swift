internal import NIOCore

/// Addresses heard of by gossip where nobody was found who was not connected already: they are left alone for a while, each
/// time for longer.
struct RestingAddresses {
    private struct Rest {
        var until: NIODeadline
        var strikes: Int
    }

    private static let most = 1024
    private static let first: TimeAmount = .seconds(1)
    private static let longestDoublings = 6
    /// An address that was left alone for so much longer than it had to be is like a new one.
    private static let memory: TimeAmount = .minutes(5)

    private var rests: [RouteAddress: Rest] = [:]

    /// When an address may be dialled, if not at once.
    func end(of address: RouteAddress, now: NIODeadline) -> NIODeadline? {
        self.rests[address].flatMap { $0.until > now ? $0.until : nil }
    }

    /// A dial was in vain.
    mutating func strike(_ address: RouteAddress, now: NIODeadline) {
        if self.rests[address] == nil, self.rests.count >= Self.most {
            self.rests = self.rests.filter { $0.value.until > now }
            guard self.rests.count < Self.most else { return }
        }
        var strikes = self.rests[address]?.strikes ?? 0
        if let until = self.rests[address]?.until, now > until + Self.memory { strikes = 0 }
        let wait = Self.first * (1 << min(strikes, Self.longestDoublings))
        self.rests[address] = Rest(until: now + wait, strikes: strikes + 1)
    }

    /// A server was found there.
    mutating func clear(_ address: RouteAddress) { self.rests[address] = nil }
}
