import NATSAuth
internal import NATSServerConfig
import NIOConcurrencyHelpers
import NIOCore
import NIOSSL

/// Where the JWTs of accounts come from.
///
/// Everything here may wait for a disk or another server: never to be called on an event loop.
final class AccountResolver: Sendable {
    /// Why there is no JWT, in the official words.
    struct Failure: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    private enum Store: Sendable {
        case memory(NIOLockedValueBox<[String: String]>)
        case directory(NIOLockedValueBox<ClaimsService>)
        case url(URLAccountSource)
    }

    private let store: Store
    /// Whether it is a directory that has all accounts.
    let isFull: Bool
    /// The line that the log has when the server starts.
    let startLine: String?

    /// Opens the resolver.
    ///
    /// - Parameters:
    ///   - resolver: What the configuration says.
    ///   - tls: How connections to another server are secured; by the system's authorities if `nil`.
    ///   - operatorClaims: Those of the first operator; a directory is of no use without.
    ///   - systemAccount: Public key of the system account.
    ///   - now: Nanoseconds since 1970.
    /// - Throws: ``Failure`` in the words of a failed start.
    init(
        _ resolver: ResolverConfiguration,
        tls: ResolverTLS? = nil,
        operatorClaims: OperatorClaims?,
        systemAccount: String,
        now: Int64
    ) throws(Failure) {
        switch resolver {
        case .memory:
            self.store = .memory(NIOLockedValueBox([:]))
            self.isFull = false
            self.startLine = nil
        case .url(let url):
            self.store = .url(URLAccountSource(url, try Self.context(tls)))
            self.isFull = false
            self.startLine = nil
        case .full(let options), .cache(let options):
            guard let operatorClaims, !operatorClaims.trustedKeys.isEmpty else {
                throw Failure(description: "Could not start resolver: no operator key found")
            }
            let isFull = if case .full = resolver { true } else { false }
            self.isFull = isFull
            self.store = .directory(
                NIOLockedValueBox(
                    ClaimsService(
                        directory: try Self.open(options, isFull: isFull, now: now),
                        kind: isFull ? .full : .cache,
                        allowsDeletion: isFull ? options.allowDelete : true,
                        operatorClaims: operatorClaims,
                        systemAccount: systemAccount
                    )
                )
            )
            self.startLine =
                isFull
                ? "Managing all jwt in exclusive directory \(options.dir)"
                : "Managing some jwt in exclusive directory \(options.dir)"
        }
    }

    private static func context(_ tls: ResolverTLS?) throws(Failure) -> NIOSSLContext? {
        guard let tls else { return nil }
        do throws(TLSContext.LoadError) {
            return try TLSContext.client(tls.options, isInsecure: tls.isInsecure)
        } catch {
            throw Failure(description: error.description)
        }
    }

    /// Secures new connections to another server with something else; files are read again.
    func use(_ tls: ResolverTLS?) throws(Failure) {
        guard case .url(let source) = self.store else { return }
        source.use(try Self.context(tls))
    }

    private static func open(
        _ options: ResolverConfiguration.Directory,
        isFull: Bool,
        now: Int64
    ) throws(Failure) -> JWTDirectory {
        do throws(JWTDirectory.Failure) {
            guard isFull else {
                return try JWTDirectory(
                    path: options.dir,
                    deletion: .removes,
                    limit: options.limit > 0 ? options.limit : 1000,
                    evicts: true,
                    timeToLive: TimeAmount(options.ttl).nanoseconds,
                    at: now
                )
            }
            return try JWTDirectory(
                path: options.dir,
                deletion: options.allowDelete ? (options.hardDelete ? .removes : .renames) : .refused,
                limit: options.limit,
                evicts: false,
                timeToLive: 0,
                at: now
            )
        } catch {
            throw Failure(description: error.description)
        }
    }

    /// Whether it keeps what it is given, and only in memory.
    var isMemory: Bool { if case .memory = self.store { true } else { false } }

    /// Whether requests about claims are answered.
    var isDirectory: Bool { if case .directory = self.store { true } else { false } }

    /// How often ``removeExpired(at:)`` wants to be called, in nanoseconds; never if `nil`.
    var expiryInterval: Int64? {
        guard case .directory(let service) = self.store else { return nil }
        return service.withLockedValue { $0.directory.expiryInterval }
    }

    /// The JWT of an account (nats-server accounts.go fetchAccount).
    func fetch(_ name: String, now: Int64) throws(Failure) -> String {
        guard NKey.isPublicKey(name, of: .account) else {
            throw Failure(description: "will only fetch valid account keys")
        }
        switch self.store {
        case .memory(let accounts):
            guard let jwt = accounts.withLockedValue({ $0[name] }) else {
                throw Failure(description: "account missing")
            }
            return jwt
        case .directory(let service):
            // Other servers, which the official server asks then, there are none.
            guard let jwt = service.withLockedValue({ try? $0.directory.load(name, at: now) }) else {
                throw Failure(description: "account jwt not found")
            }
            return jwt
        case .url(let source):
            return try source.fetch(name)
        }
    }

    /// Keeps the JWTs that a configuration brings along (nats-server server.go configureResolver).
    func store(_ preload: [String: String], now: Int64) {
        switch self.store {
        case .memory(let accounts): accounts.withLockedValue { $0 = preload }
        case .directory(let service):
            service.withLockedValue { service in
                for (key, jwt) in preload { _ = try? service.directory.saveIfNewer(key, jwt, at: now) }
            }
        case .url: break
        }
    }

    /// Whether somebody is there to be asked; only matters where that is another server.
    func check() throws(Failure) {
        if case .url(let source) = self.store { _ = try source.fetch("") }
    }

    /// Looks at the files again.
    ///
    /// - Returns: accounts whose JWTs others have changed.
    func reload(now: Int64) -> [String] {
        guard case .directory(let service) = self.store else { return [] }
        return service.withLockedValue { (try? $0.directory.reload(at: now)) ?? [] }
    }

    /// Removes what is expired, or was not used for too long.
    ///
    /// - Returns: accounts that are gone.
    func removeExpired(now: Int64) -> [String] {
        guard case .directory(let service) = self.store else { return [] }
        return service.withLockedValue { $0.directory.removeExpired(at: now) }
    }

    /// Lets the service about claims answer; `nil` if there is none.
    func withService<Answer>(_ body: (inout ClaimsService) -> Answer) -> Answer? {
        guard case .directory(let service) = self.store else { return nil }
        return service.withLockedValue { body(&$0) }
    }

    /// The server ends.
    func end() {
        if case .url(let source) = self.store { source.end() }
    }
}
