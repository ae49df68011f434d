import NATSText

/// Account JWTs in files `<directory>/<public key>.jwt`, as the directory resolvers of the official server keep them
/// (nats-server dirstore.go), so that either server can take over the other's directory.
///
/// Every call may block on the disk for a moment. Times are nanoseconds since 1970.
package struct JWTDirectory: Sendable {
    /// What becomes of a JWT that is deleted.
    package enum Deletion: Sendable {
        case refused
        /// The file gets the further extension `.deleted`.
        case renames
        case removes
    }

    /// Why something was not done, in the official words.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
        /// Whether there is no such JWT.
        package let isMissing: Bool

        package init(_ description: String, isMissing: Bool = false) {
            self.description = description
            self.isMissing = isMissing
        }

        init(_ failure: SmallFile.Failure) { self.init(failure.description, isMissing: failure.isMissing) }
    }

    private static let filePermissions: UInt16 = 0o640
    private static let directoryPermissions: UInt16 = 0o750
    private static let suffix = ".jwt"

    private let path: String
    private let deletion: Deletion
    private var index: JWTIndex

    /// Opens a directory, which is made when it is not there, and takes note of what it holds.
    ///
    /// - Parameters:
    ///   - path: The directory.
    ///   - deletion: What becomes of JWTs that are deleted.
    ///   - limit: How many JWTs there may be; any number if not positive.
    ///   - evicts: Whether the one that was not used for longest makes room for a new one, as in a cache.
    ///   - timeToLive: How long, in nanoseconds, a JWT stays after its last use; until it expires if 0.
    ///   - now: The time.
    /// - Throws: ``Failure`` if the directory cannot be made or read.
    package init(
        path: String,
        deletion: Deletion,
        limit: Int,
        evicts: Bool,
        timeToLive: Int64,
        at now: Int64
    ) throws(Failure) {
        self.path = path
        self.deletion = deletion
        self.index = JWTIndex(
            limit: limit > 0 ? limit : .max,
            evicts: evicts,
            timeToLive: timeToLive == 0 ? nil : timeToLive
        )
        try Self.rethrowing { () throws(SmallFile.Failure) in
            try SmallFile.makeDirectories(path, permissions: .init(Self.directoryPermissions))
        }
        try self.reload(at: now)
    }

    /// How many JWTs there are.
    package var count: Int { self.index.count }

    /// The exclusive or of all JWTs' SHA-256: equal for equal contents.
    package var hash: [UInt8] { self.index.hash }

    /// How often ``removeExpired(at:)`` wants to be called, in nanoseconds (nats-server NewExpiringDirJWTStore).
    package var expiryInterval: Int64 {
        let minute: Int64 = 60_000_000_000
        guard let timeToLive = self.index.timeToLive, timeToLive / 2 > 0 else { return minute }
        return min(minute, timeToLive / 2)
    }

    // MARK: Reading

    /// The JWT of an account.
    ///
    /// - Throws: ``Failure`` if it is not there.
    package mutating func load(_ key: String, at now: Int64) throws(Failure) -> String {
        let jwt = try self.read(self.file(key))
        self.index.touch(key, at: now)
        return jwt
    }

    /// The public keys of all accounts, in order.
    package func keys() throws(Failure) -> [String] {
        try Self.rethrowing { () throws(SmallFile.Failure) in try SmallFile.names(in: self.path) }
            .filter { $0.hasSuffix(Self.suffix) }.map { String($0.dropLast(Self.suffix.utf8.count)) }
            .filter(self.index.contains)
    }

    /// Up to so many JWTs that are not expired, each behind its key and `|`; all of them if negative.
    package func pack(_ maximum: Int, at now: Int64) throws(Failure) -> [String] {
        var lines: [String] = []
        for key in try self.keys() where lines.count != maximum {
            guard let file = try? self.file(key), let jwt = try? self.read(file) else { continue }
            let expires = (try? GenericClaims.decode(jwt))?.registered.expires ?? 0
            if expires > 0, expires < now.dividedDown(by: 1_000_000_000) { continue }
            lines.append("\(key)|\(jwt)")
        }
        return lines
    }

    /// Takes note of files that were changed by others.
    ///
    /// - Returns: The keys whose JWTs are other ones than before; of a cache all, since it may have forgotten them.
    @discardableResult
    package mutating func reload(at now: Int64) throws(Failure) -> [String] {
        let before = self.index
        self.index = JWTIndex(limit: before.limit, evicts: before.evicts, timeToLive: before.timeToLive)
        var changed: [String] = []
        let names = try Self.rethrowing { () throws(SmallFile.Failure) in try SmallFile.names(in: self.path) }
        for name in names where name.hasSuffix(Self.suffix) {
            let key = String(name.dropLast(Self.suffix.utf8.count))
            guard let jwt = try? self.read("\(self.path)/\(name)") else { continue }
            self.index.track(key, jwt, at: now)
            if before.contains(key) ? !before.holds(jwt, of: key) : before.evicts { changed.append(key) }
        }
        return changed
    }

    // MARK: Writing

    /// Keeps a JWT.
    ///
    /// - Returns: Whether it is another one than before.
    /// - Throws: ``Failure`` if there is no room, or the disk refuses.
    @discardableResult
    package mutating func save(_ key: String, _ jwt: String, at now: Int64) throws(Failure) -> Bool {
        let file = try self.file(key)
        guard !jwt.isEmpty else { throw Failure("invalid JWT") }
        if self.index.contains(key) {
            self.index.touch(key, at: now)
            if self.index.holds(jwt, of: key) { return false }
        } else if self.index.count >= self.index.limit {
            guard self.index.evicts, let oldest = self.index.leastRecentlyUsed() else {
                throw Failure("jwt store is full")
            }
            let oldFile = try self.file(oldest)
            try Self.rethrowing { () throws(SmallFile.Failure) in try SmallFile.remove(oldFile) }
            self.index.untrack(oldest)
        }
        try Self.rethrowing { () throws(SmallFile.Failure) in
            try SmallFile.write(Array(jwt.utf8), to: file, permissions: .init(Self.filePermissions))
        }
        self.index.track(key, jwt, at: now)
        return true
    }

    /// Keeps a JWT unless the one that is there was issued later.
    ///
    /// - Returns: Whether it is another one than before.
    /// - Throws: ``Failure`` if it is none or about another account, there is no room, or the disk refuses.
    @discardableResult
    package mutating func saveIfNewer(_ key: String, _ jwt: String, at now: Int64) throws(Failure) -> Bool {
        let file = try self.file(key)
        if SmallFile.exists(file) {
            let new: GenericClaims
            do throws(JWTError) {
                new = try GenericClaims.decode(jwt)
            } catch {
                throw Failure(error.description)
            }
            if let old = try? GenericClaims.decode(try self.read(file)) {
                if old.registered.id == new.registered.id || old.registered.issuedAt > new.registered.issuedAt {
                    return false
                }
                if new.subject != key { throw Failure("jwt subject nkey and provided nkey do not match") }
                if old.subject != new.subject { throw Failure("subject of existing and new jwt do not match") }
            }
        }
        return try self.save(key, jwt, at: now)
    }

    /// Keeps what another server has packed.
    ///
    /// - Returns: The keys whose JWTs are other ones than before.
    /// - Throws: ``Failure`` at the first line that cannot be kept.
    @discardableResult
    package mutating func merge(_ pack: String, at now: Int64) throws(Failure) -> [String] {
        var changed: [String] = []
        for line in pack.utf8.split(separator: 0x0a).map({ String(Substring($0)) }) {
            let parts = line.utf8.split(separator: UInt8(ascii: "|"), maxSplits: 2, omittingEmptySubsequences: false)
                .map { String(Substring($0)) }
            guard parts.count == 2 else {
                throw Failure("line in package didn't contain 2 entries: \(GoString.quoted(line))")
            }
            guard NKey.isPublicKey(parts[0], of: .account) else {
                throw Failure("key to merge is not a valid public account key")
            }
            if try self.saveIfNewer(parts[0], parts[1], at: now) { changed.append(parts[0]) }
        }
        return changed
    }

    /// Deletes a JWT; one that is not there counts as deleted.
    ///
    /// - Returns: Whether it was there.
    /// - Throws: ``Failure`` if nothing is to be deleted here, or the disk refuses.
    @discardableResult
    package mutating func delete(_ key: String) throws(Failure) -> Bool {
        let file = try self.file(key)
        do throws(SmallFile.Failure) {
            switch self.deletion {
            case .refused: throw SmallFile.Failure("store is not set up to for delete")
            case .renames: try SmallFile.rename(file, to: file + ".deleted")
            case .removes: try SmallFile.remove(file)
            }
        } catch {
            if error.isMissing { return false }
            throw Failure(error)
        }
        self.index.untrack(key)
        return true
    }

    /// Removes what is expired, or was not used for too long.
    ///
    /// - Returns: The keys that are gone.
    @discardableResult
    package mutating func removeExpired(at now: Int64) -> [String] {
        var removed: [String] = []
        for key in self.index.expired(at: now) {
            guard let file = try? self.file(key), (try? SmallFile.remove(file)) != nil else { continue }
            self.index.untrack(key)
            removed.append(key)
        }
        return removed
    }

    // MARK: Files

    /// The file of a key: only a public key may become a part of a path.
    private func file(_ key: String) throws(Failure) -> String {
        guard (try? NKeyPublicKey(key)) != nil else { throw Failure("invalid public key") }
        return "\(self.path)/\(key)\(Self.suffix)"
    }

    private func read(_ file: String) throws(Failure) -> String {
        try Self.rethrowing { () throws(SmallFile.Failure) in
            String(decoding: try SmallFile.read(file, maximum: EncodedJWT.maximumSize), as: UTF8.self)
        }
    }

    private static func rethrowing<Value>(
        _ body: () throws(SmallFile.Failure) -> Value
    ) throws(Failure) -> Value {
        do throws(SmallFile.Failure) {
            return try body()
        } catch {
            throw Failure(error)
        }
    }
}
