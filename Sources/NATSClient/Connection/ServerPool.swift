import NIOCore

/// The servers a client may connect to: the configured ones and those the cluster announced.
///
/// Decides who is next and who is given up; knows no sockets. Time and randomness are arguments.
struct ServerPool {
    /// A refused server comes back after this long, if it was configured rather than discovered.
    static let explicitServerRest = TimeAmount.minutes(10)

    /// So many servers are known as "seen before"; beyond, the memory begins anew.
    private static let maximumRemembered = 10_000

    /// So many discovered servers are in the pool at most, whatever a server announces.
    static let maximumDiscovered = 1000

    struct Server: Equatable {
        var address: ServerAddress
        /// Announced by the cluster, not configured.
        var isImplicit = false
        /// Attempts that failed in a row.
        var failures = 0
        /// Its newest authentication error, until a connection to it lasts.
        var lastAuthError: NATSError.Code?
        /// When it was given up.
        var givenUpAt: NIODeadline?
        /// It said that it is full, and is left alone until then.
        var restsUntil: NIODeadline?
    }

    /// What an authentication error means for the client.
    enum AuthErrorAction: Equatable {
        case tryAgain
        /// The same error twice in a row from the same server.
        case giveUp
    }

    private(set) var servers: [Server]
    /// Whom the client is, or was last, connected or connecting to.
    private(set) var current: ServerAddress?
    private let maxReconnects: Int?
    private let randomize: Bool
    private let ignoreDiscovered: Bool
    private let ignoreAuthErrorAbort: Bool
    private var everSeen: Set<String>

    init(
        addresses: [ServerAddress],
        randomize: Bool,
        ignoreDiscovered: Bool,
        maxReconnects: Int?,
        ignoreAuthErrorAbort: Bool = false,
        random: inout some RandomNumberGenerator
    ) {
        self.servers = addresses.map { Server(address: $0) }
        self.maxReconnects = maxReconnects
        self.randomize = randomize
        self.ignoreDiscovered = ignoreDiscovered
        self.ignoreAuthErrorAbort = ignoreAuthErrorAbort
        self.everSeen = Set(addresses.map(\.identity))
        if randomize {
            self.servers.shuffle(using: &random)
        }
    }

    /// Starts a pass: the servers to try, in order.
    ///
    /// The one used last goes to the end. Servers given up are left out; a configured one comes back after its rest, a
    /// discovered one when it is announced again.
    mutating func beginPass(now: NIODeadline) -> [ServerAddress] {
        for index in self.servers.indices {
            guard let givenUpAt = self.servers[index].givenUpAt, !self.servers[index].isImplicit,
                now >= givenUpAt + Self.explicitServerRest
            else {
                continue
            }
            self.servers[index].givenUpAt = nil
            self.servers[index].failures = 0
        }
        if let current = self.current, let index = self.index(of: current) {
            let server = self.servers.remove(at: index)
            self.servers.append(server)
        }
        let tryable = self.servers.filter { $0.givenUpAt == nil }
        let rested = tryable.filter { ($0.restsUntil ?? now) <= now }
        return (rested.isEmpty ? tryable : rested).map(\.address)
    }

    /// A server said that it is full: it is left alone until then, unless there is no other.
    mutating func rest(_ address: ServerAddress, until end: NIODeadline) {
        if let index = self.index(of: address) {
            self.servers[index].restsUntil = end
        }
    }

    /// How long it takes until a server may be tried: nothing, unless all of them are full.
    func restOfAll(now: NIODeadline) -> TimeAmount {
        let tryable = self.servers.filter { $0.givenUpAt == nil }
        return tryable.map { max(.zero, ($0.restsUntil ?? now) - now) }.min() ?? .zero
    }

    /// The servers that may be connected to beside the one in use.
    func candidates(now: NIODeadline) -> [ServerAddress] {
        self.servers.filter { $0.givenUpAt == nil && ($0.restsUntil ?? now) <= now }.map(\.address)
    }

    func contains(_ address: ServerAddress) -> Bool {
        self.index(of: address) != nil
    }

    /// The client turns to a server.
    mutating func attempting(_ address: ServerAddress) {
        self.current = address
    }

    /// The server accepted the client.
    ///
    /// It may refuse it again a moment later: see ``connectionLasted(_:)``.
    ///
    /// One that was connected to securely is not connected to in clear any more.
    mutating func connected(_ address: ServerAddress, isSecure: Bool = false) {
        self.current = address
        self.current?.isSecure = isSecure || address.isSecure
        guard let index = self.index(of: address) else {
            return
        }
        self.servers[index].address.isSecure = isSecure || self.servers[index].address.isSecure
        self.servers[index].failures = 0
        self.servers[index].givenUpAt = nil
        self.servers[index].restsUntil = nil
    }

    /// A connection to the server lasted, and so its credentials were in order for a while.
    mutating func connectionLasted(_ address: ServerAddress) {
        if let index = self.index(of: address) {
            self.servers[index].lastAuthError = nil
        }
    }

    /// An attempt on the server failed.
    mutating func failed(_ address: ServerAddress, isFatal: Bool, now: NIODeadline) {
        guard let index = self.index(of: address) else {
            return
        }
        self.servers[index].failures += 1
        let isOverLimit = self.maxReconnects.map { self.servers[index].failures >= $0 } ?? false
        if isFatal || isOverLimit {
            self.servers[index].givenUpAt = now
        }
    }

    /// The server refused the client's credentials, while connecting or later.
    mutating func authenticationFailed(_ address: ServerAddress, code: NATSError.Code) -> AuthErrorAction {
        guard let index = self.index(of: address) else {
            return .tryAgain
        }
        let previous = self.servers[index].lastAuthError
        self.servers[index].lastAuthError = code
        return previous == code && !self.ignoreAuthErrorAbort ? .giveUp : .tryAgain
    }

    /// The user gives other servers: all are configured ones now, in their order; what is known of those that stay is kept.
    ///
    /// The connection in use stays, whether its server is among them or not.
    mutating func replace(_ addresses: [ServerAddress], random: inout some RandomNumberGenerator) {
        let before = self.servers
        self.servers = addresses.map { address in
            var server = before.first { $0.address.isSameServer(as: address) } ?? Server(address: address)
            let wasSecure = server.address.isSecure
            server.address = address
            // Once secured, never in clear again.
            server.address.isSecure = address.isSecure || wasSecure
            server.isImplicit = false
            return server
        }
        if self.randomize {
            self.servers.shuffle(using: &random)
        }
        self.everSeen.formUnion(addresses.map(\.identity))
    }

    /// What the pool knows of a server now; nil if it is not in the pool or has been given up.
    ///
    /// Its credentials are those of the pool; if either side wants TLS, TLS it is.
    func known(_ address: ServerAddress) -> ServerAddress? {
        guard let index = self.index(of: address), self.servers[index].givenUpAt == nil else {
            return nil
        }
        var known = self.servers[index].address
        known.isSecure = known.isSecure || address.isSecure
        return known
    }

    /// The server of the pool that a URL names, as ``known(_:)`` gives it.
    func server(url: String) -> ServerAddress? {
        (try? ServerAddress(parsing: url, like: self.servers.first?.address)).flatMap { self.known($0) }
    }

    /// Takes over the servers of an `INFO`; returns all known ones if some were never seen before.
    ///
    /// nats.go processInfo: an empty list changes nothing; discovered servers that are no longer listed go, except the
    /// one in use; configured ones always stay; new ones inherit the userinfo of the URL in use, whether it is secured, and
    /// the name on the certificate if they are bare addresses. A discovered server that
    /// was given up and is announced again is tried again. All names of this machine are one.
    mutating func merge(connectURLs: [String], random: inout some RandomNumberGenerator) -> [String]? {
        guard !self.ignoreDiscovered, !connectURLs.isEmpty else {
            return nil
        }
        let announced = connectURLs.compactMap(ServerAddress.init(discovered:))
        // Sets, because a hostile INFO may name tens of thousands.
        let announcedNames = Set(announced.map(\.identity))
        let current = self.current
        self.servers.removeAll { server in
            server.isImplicit && current?.isSameServer(as: server.address) != true
                && !announcedNames.contains(server.address.identity)
        }
        for index in self.servers.indices where self.servers[index].isImplicit && self.servers[index].givenUpAt != nil {
            self.servers[index].givenUpAt = nil
            self.servers[index].failures = 0
        }
        if let current, current.isSecure {
            // Those that were first announced in clear, among them.
            for index in self.servers.indices
            where self.servers[index].isImplicit && !self.servers[index].address.isSecure {
                self.servers[index].address.inheritSecurity(from: current)
            }
        }
        let userinfo = current.flatMap { address in
            self.index(of: address).map { self.servers[$0].address } ?? address
        }
        var known = Set(self.servers.map(\.address.identity))
        if self.everSeen.count > Self.maximumRemembered {
            self.everSeen = known
        }
        var isNew = false
        var room = Self.maximumDiscovered - self.servers.count(where: \.isImplicit)
        for var address in announced where room > 0 && known.insert(address.identity).inserted {
            address.user = userinfo?.user
            address.password = userinfo?.password
            if let current {
                address.inheritSecurity(from: current)
            }
            self.servers.append(Server(address: address, isImplicit: true))
            room -= 1
            if self.everSeen.insert(address.identity).inserted {
                isNew = true
            }
        }
        guard isNew else {
            return nil
        }
        if self.randomize, self.servers.count > 2 {
            self.servers[1...].shuffle(using: &random)
        }
        return self.servers.map(\.address.hostAndPort)
    }

    /// Whether any server is left that has not been given up.
    var hasServerToTry: Bool {
        self.servers.contains { $0.givenUpAt == nil }
    }

    private func index(of address: ServerAddress) -> Int? {
        self.servers.firstIndex { $0.address.isSameServer(as: address) && $0.address.path == address.path }
            ?? self.servers.firstIndex { $0.address.isSameServer(as: address) }
    }
}
