import Crypto

/// What a directory of JWTs holds, when it goes away, and what was used last (nats-server dirstore.go
/// expirationTracker).
///
/// Knows no files: says what is to be removed, and is told what was. Times are nanoseconds since 1970.
struct JWTIndex {
    private struct Item {
        var expires: Int64
        var hash: [UInt8]
        /// Its place in ``uses`` that counts.
        var use: UInt64
    }

    /// How many JWTs there may be.
    let limit: Int
    /// Whether the one that was not used for longest makes room for a new one.
    let evicts: Bool
    /// How long a JWT stays after its last use; until it expires if `nil`.
    let timeToLive: Int64?
    /// The exclusive or of all JWTs' SHA-256: equal for equal contents.
    private(set) var hash = [UInt8](repeating: 0, count: 32)

    private var items: [String: Item] = [:]
    /// Keys from the one used longest ago to the last; entries whose number is not the item's are void.
    private var uses: [(key: String, use: UInt64)] = []
    private var firstUse = 0
    private var lastUse: UInt64 = 0

    init(limit: Int, evicts: Bool, timeToLive: Int64?) {
        self.limit = limit
        self.evicts = evicts
        self.timeToLive = timeToLive
    }

    var count: Int { self.items.count }

    func contains(_ key: String) -> Bool { self.items[key] != nil }

    static func hash(of jwt: String) -> [UInt8] { Array(SHA256.hash(data: Array(jwt.utf8))) }

    /// Whether a JWT is here, byte for byte.
    func holds(_ jwt: String, of key: String) -> Bool { self.items[key].map { $0.hash == Self.hash(of: jwt) } ?? false }

    /// Takes note of a new or changed JWT.
    mutating func track(_ key: String, _ jwt: String, at now: Int64) {
        var hash = Self.hash(of: jwt)
        let expires: Int64
        if let timeToLive {
            expires = Self.sum(now, timeToLive)
        } else {
            let seconds = (try? GenericClaims.decode(jwt))?.registered.expires ?? 0
            let (nanoseconds, hasOverflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
            expires = nanoseconds == 0 || hasOverflow ? .max : nanoseconds
        }
        self.toggle(hash)
        swap(&hash, &self.items[key, default: Item(expires: 0, hash: [], use: 0)].hash)
        self.toggle(hash)
        self.items[key]?.expires = expires
        if self.items[key]?.use == 0 { self.use(key) }
    }

    /// Takes note that a JWT was asked for or written.
    mutating func touch(_ key: String, at now: Int64) {
        guard self.items[key] != nil else { return }
        if let timeToLive { self.items[key]?.expires = Self.sum(now, timeToLive) }
        if self.evicts { self.use(key) }
    }

    /// Forgets a JWT.
    mutating func untrack(_ key: String) {
        guard let item = self.items.removeValue(forKey: key) else { return }
        self.toggle(item.hash)
        if self.items.isEmpty { (self.uses, self.firstUse) = ([], 0) }
    }

    /// The key that was not used for longest.
    mutating func leastRecentlyUsed() -> String? {
        while self.firstUse < self.uses.count {
            let entry = self.uses[self.firstUse]
            if self.items[entry.key]?.use == entry.use { return entry.key }
            self.firstUse += 1
        }
        return nil
    }

    /// Keys whose time is over, the earliest first.
    func expired(at now: Int64) -> [String] {
        self.items.filter { $0.value.expires <= now }.sorted { ($0.value.expires, $0.key) < ($1.value.expires, $1.key) }
            .map(\.key)
    }

    private mutating func use(_ key: String) {
        self.lastUse += 1
        self.items[key]?.use = self.lastUse
        // Void entries must not pile up.
        if self.uses.count > 64 + 2 * self.items.count {
            self.uses = self.uses[self.firstUse...].filter { self.items[$0.key]?.use == $0.use }
            self.firstUse = 0
        }
        self.uses.append((key, self.lastUse))
    }

    private mutating func toggle(_ hash: [UInt8]) {
        for (index, byte) in hash.enumerated() { self.hash[index] ^= byte }
    }

    private static func sum(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, hasOverflow) = left.addingReportingOverflow(right)
        return hasOverflow ? .max : sum
    }
}
