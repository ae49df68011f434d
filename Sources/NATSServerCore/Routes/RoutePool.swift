/// Which connection of a pool an account belongs to.
enum RoutePool {
    private static let offsetBasis: UInt32 = 2_166_136_261
    private static let prime: UInt32 = 16_777_619

    /// The slot of an account: FNV-1a of its name, modulo the sender's own pool size.
    ///
    /// Each side sends on the slot that it computes, and takes what comes on any (nats-server route.go computeRoutePoolIdx).
    static func slot(of account: String, size: Int) -> Int {
        guard size > 1 else { return 0 }
        let hash = account.utf8.reduce(Self.offsetBasis) { ($0 ^ UInt32($1)) &* Self.prime }
        return Int(hash) % size
    }

    /// Connections between two servers; 0 if one of them has no pool and a single connection is for everything.
    static func size(own: Int, peer: Int, most: Int) -> Int {
        own > 0 && peer > 0 ? min(max(own, peer), max(own, most)) : 0
    }
}
