/// Public keys whose claims up to a time no longer count.
package struct RevocationList: Sendable, Equatable {
    /// Stands for all keys.
    package static let all = "*"

    /// By public key, seconds since 1970.
    package var times: [String: Int64]

    package init(_ times: [String: Int64] = [:]) {
        self.times = times
    }

    /// Takes back what was issued for a key up to a time; an existing later time stays.
    package mutating func revoke(_ key: String, upTo time: Int64) {
        self.times[key] = max(time, self.times[key] ?? time)
    }

    /// Whether claims about a key, issued at a time, were taken back.
    package func isRevoked(_ key: String, issuedAt time: Int64) -> Bool {
        [Self.all, key].contains { name in self.times[name].map { $0 >= time } ?? false }
    }

    /// Whether claims were taken back; those that do not say when they were issued, or about whom, always are.
    package func isRevoked(_ claims: some ClaimSet) -> Bool {
        guard claims.registered.issuedAt != 0, !claims.subject.isEmpty else { return true }
        return self.isRevoked(claims.subject, issuedAt: claims.registered.issuedAt)
    }
}
