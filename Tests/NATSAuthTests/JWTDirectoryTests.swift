import NATSAuth
import NATSTestSupport
import Testing

@Suite("Directories of JWTs")
struct JWTDirectoryTests {
    private static let second: Int64 = 1_000_000_000
    private let directory: TemporaryDirectory

    init() throws { self.directory = try TemporaryDirectory() }

    private var path: String { self.directory.path + "/a/jwt" }

    private func open(
        _ deletion: JWTDirectory.Deletion = .renames,
        limit: Int = 0,
        evicts: Bool = false,
        timeToLive: Int64 = 0,
        at now: Int64 = 0
    ) throws -> JWTDirectory {
        try JWTDirectory(
            path: self.path,
            deletion: deletion,
            limit: limit,
            evicts: evicts,
            timeToLive: timeToLive,
            at: now
        )
    }

    private func jwt(_ number: UInt8, issued: Int64 = 1, expires: Int64 = 0, name: String = "") throws -> String {
        var claims = AccountClaims(subject: try TestKeys.text(.account, number), name: name)
        claims.registered.expires = expires
        return try claims.encoded(signedBy: TestKeys.pair(.operator), at: issued)
    }

    @Test("what is saved is in the official files and is found by the next server")
    func files() throws {
        var store = try self.open()
        let key = try TestKeys.text(.account, 1)
        let jwt = try self.jwt(1)
        #expect(try store.save(key, jwt, at: 0))
        #expect(!(try store.save(key, jwt, at: 0)))
        #expect(self.directory.names(in: "a/jwt") == ["\(key).jwt"])
        #expect(self.directory.read("a/jwt/\(key).jwt") == jwt)
        var next = try self.open()
        #expect(next.count == 1 && next.hash == store.hash)
        #expect(try next.load(key, at: 0) == jwt)
        #expect(try next.keys() == [key])
        #expect(throws: JWTDirectory.Failure.self) { try next.load(TestKeys.text(.account, 2), at: 0) }
    }

    @Test(
        "only public keys become files",
        arguments: ["", "A", "../x", "a/b", "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"]
    )
    func names(key: String) throws {
        var store = try self.open()
        let jwt = try self.jwt(1)
        #expect(throws: JWTDirectory.Failure("invalid public key")) { try store.save(key, jwt, at: 0) }
        #expect(throws: JWTDirectory.Failure("invalid public key")) { try store.load(key, at: 0) }
        #expect(throws: JWTDirectory.Failure("invalid public key")) { try store.delete(key) }
        #expect(self.directory.names(in: "a/jwt") == [])
    }

    @Test("the hash tells different contents apart, whatever their history")
    func hashes() throws {
        var store = try self.open(.removes)
        let empty = store.hash
        let keys = try (1...3).map { try TestKeys.text(.account, $0) }
        for (index, key) in keys.enumerated() { try store.save(key, self.jwt(UInt8(index + 1)), at: 0) }
        let full = store.hash
        try store.save(keys[0], self.jwt(1, name: "x"), at: 0)
        #expect(store.hash != full)
        try store.save(keys[0], self.jwt(1), at: 0)
        #expect(store.hash == full)
        for key in keys { #expect(try store.delete(key)) }
        #expect(!(try store.delete(keys[0])))
        #expect(store.hash == empty && store.count == 0)
    }

    @Test("deleted files are renamed, removed or kept")
    func deletion() throws {
        let key = try TestKeys.text(.account)
        var store = try self.open(.refused)
        try store.save(key, self.jwt(1), at: 0)
        #expect(throws: JWTDirectory.Failure("store is not set up to for delete")) { try store.delete(key) }
        store = try self.open(.renames)
        try store.delete(key)
        #expect(self.directory.names(in: "a/jwt") == ["\(key).jwt.deleted"])
        #expect(try self.open().count == 0)
    }

    @Test("a full directory refuses, a full cache forgets what was not used for longest")
    func limits() throws {
        let keys = try (1...4).map { try TestKeys.text(.account, $0) }
        var full = try self.open(limit: 2)
        try full.save(keys[0], self.jwt(1), at: 0)
        try full.save(keys[1], self.jwt(2), at: 0)
        #expect(throws: JWTDirectory.Failure("jwt store is full")) { try full.save(keys[2], self.jwt(3), at: 0) }
        #expect(try full.save(keys[1], self.jwt(2, name: "x"), at: 0))
        var cache = try self.open(limit: 3, evicts: true)
        try cache.save(keys[2], self.jwt(3), at: 0)
        let inOrder = try cache.keys()
        // Of what it found on the disk the first file counts as the oldest; then it is used.
        let first = try #require(inOrder.first { $0 != keys[2] })
        _ = try cache.load(first, at: 0)
        try cache.save(keys[3], self.jwt(4), at: 0)
        let left = try cache.keys()
        #expect(left.count == 3 && left.contains(first) && left.contains(keys[2]) && left.contains(keys[3]))
        for _ in 0..<500 { _ = try cache.load(first, at: 0) }
        #expect(try cache.save(keys[0] == first ? keys[1] : keys[0], self.jwt(keys[0] == first ? 2 : 1), at: 0))
        #expect(!(try cache.keys().contains(keys[2])))
    }

    @Test("JWTs go when they expire, in a cache when they were not used")
    func expiry() throws {
        let keys = try (1...2).map { try TestKeys.text(.account, $0) }
        var store = try self.open()
        try store.save(keys[0], self.jwt(1, expires: 100), at: 0)
        try store.save(keys[1], self.jwt(2), at: 0)
        #expect(store.removeExpired(at: 100 * Self.second - 1) == [])
        #expect(try store.pack(-1, at: 101 * Self.second).count == 1)
        #expect(store.removeExpired(at: 100 * Self.second) == [keys[0]])
        #expect(store.removeExpired(at: .max - 1) == [] && store.count == 1)

        var cache = try self.open(timeToLive: 10 * Self.second, at: 0)
        try cache.save(keys[0], self.jwt(1, expires: 3), at: 5 * Self.second)
        #expect(cache.expiryInterval == 5 * Self.second && store.expiryInterval == 60 * Self.second)
        _ = try cache.load(keys[1], at: 7 * Self.second)
        #expect(cache.removeExpired(at: 15 * Self.second) == [keys[0]])
        #expect(cache.removeExpired(at: 17 * Self.second) == [keys[1]])
        #expect(self.directory.names(in: "a/jwt") == [])
        var forever = try self.open(timeToLive: .max, at: 5)
        try forever.save(keys[0], self.jwt(1, expires: 3), at: 5)
        #expect(forever.removeExpired(at: .max - 1) == [])
    }

    @Test("packs of other servers are merged, newer JWTs stay")
    func packs() throws {
        let keys = try (1...2).map { try TestKeys.text(.account, $0) }
        var store = try self.open()
        try store.save(keys[0], self.jwt(1, issued: 10, name: "a"), at: 0)
        try store.save(keys[1], self.jwt(2, issued: 10), at: 0)
        let pack = try store.pack(-1, at: 0).joined(separator: "\n")
        #expect(try store.pack(1, at: 0).count == 1 && store.pack(0, at: 0) == [])
        #expect(try store.merge(pack + "\n\n", at: 0) == [])
        #expect(try store.merge("\(keys[0])|\(self.jwt(1, issued: 9, name: "old"))", at: 0) == [])
        #expect(try store.merge("\(keys[0])|\(self.jwt(1, issued: 11, name: "new"))", at: 0) == [keys[0]])
        #expect(throws: JWTDirectory.Failure("jwt subject nkey and provided nkey do not match")) {
            try store.merge("\(keys[0])|\(self.jwt(2, issued: 12))", at: 0)
        }
        #expect(throws: JWTDirectory.Failure("expected 3 chunks")) { try store.merge("\(keys[0])|x", at: 0) }
        #expect(throws: JWTDirectory.Failure("key to merge is not a valid public account key")) {
            try store.merge("\(TestKeys.text(.user))|x", at: 0)
        }
        #expect(throws: JWTDirectory.Failure("line in package didn't contain 2 entries: \"a|b|c\"")) {
            try store.merge("a|b|c", at: 0)
        }
        let other = try TemporaryDirectory()
        var copy = try JWTDirectory(
            path: other.path,
            deletion: .refused,
            limit: 0,
            evicts: false,
            timeToLive: 0,
            at: 0
        )
        #expect(try copy.merge(store.pack(-1, at: 0).joined(separator: "\n"), at: 0).count == 2)
        #expect(copy.hash == store.hash)
    }

    @Test("changes by others are noticed")
    func reload() throws {
        let keys = try (1...2).map { try TestKeys.text(.account, $0) }
        var store = try self.open()
        try store.save(keys[0], self.jwt(1), at: 0)
        try self.directory.write(self.jwt(1, name: "x"), to: "a/jwt/\(keys[0]).jwt")
        try self.directory.write(self.jwt(2), to: "a/jwt/\(keys[1]).jwt")
        try self.directory.write("no JWT", to: "a/jwt/other.txt")
        #expect(try store.reload(at: 0) == [keys[0]])
        #expect(store.count == 2)
        #expect(try store.reload(at: 0) == [])
    }

    @Test("what is no directory is refused")
    func noDirectory() throws {
        try self.directory.write("x", to: "a")
        #expect(throws: JWTDirectory.Failure.self) { try self.open() }
        #expect(throws: JWTDirectory.Failure("path is not specified")) {
            try JWTDirectory(path: "", deletion: .refused, limit: 0, evicts: false, timeToLive: 0, at: 0)
        }
    }
}
