import Logging
import NIOCore
import NATSWire
import NIOConcurrencyHelpers
import Synchronization

/// What all connections of a server share: immutable settings, the subscriptions, and a few counters.
final class ServerShared: Sendable {
    let options: ServerOptions
    let identity: ServerIdentity
    let globalAccount: SubscriptionIndex
    let policy: AuthenticationPolicy
    let writeDeadline: TimeAmount
    let logger: Logger
    /// INFO without what differs between connections; set once, when the port is known.
    private let info = NIOLockedValueBox(ServerInfo())
    /// The official server's internal clients take the first four.
    private let lastClientID = Atomic<UInt64>(4)
    private let open = Atomic<Int>(0)
    private let ending = Atomic<Bool>(false)
    private let accepted = Atomic<UInt64>(0)

    init(options: ServerOptions) {
        var generator = SystemRandomNumberGenerator()
        self.options = options
        self.identity = ServerIdentity(using: &generator)
        self.globalAccount = SubscriptionIndex(hash: SubjectHash(using: &generator))
        self.policy = AuthenticationPolicy(options)
        self.writeDeadline = TimeAmount(options.writeDeadline)
        self.logger = options.logger
    }

    var serverName: String { self.options.serverName ?? self.identity.id }
    /// The event loops are about to end: nothing may be given to another one any more.
    var isEnding: Bool { self.ending.load(ordering: .relaxed) }

    func end() { self.ending.store(true, ordering: .relaxed) }

    var connectionCount: Int { self.open.load(ordering: .relaxed) }
    var totalConnections: UInt64 { self.accepted.load(ordering: .relaxed) }

    func setInfo(port: Int) {
        self.info.withLockedValue { info in
            info.serverID = self.identity.id
            info.serverName = self.serverName
            info.version = ServerVersion.compatible
            info.proto = 1
            info.goVersion = ServerVersion.go
            info.host = self.options.host
            info.port = port
            info.headers = !self.options.noHeaderSupport
            info.authRequired = self.policy.isRequired
            info.maxPayload = self.options.maxPayload
            info.apiLevel = ServerVersion.apiLevel
        }
    }

    func makeInfo(clientID: UInt64, clientIP: String) -> ServerInfo {
        var info = self.info.withLockedValue { $0 }
        info.clientID = clientID
        info.clientIP = clientIP
        return info
    }

    func nextClientID() -> UInt64 { self.lastClientID.add(1, ordering: .relaxed).newValue }

    /// A connection was accepted.
    ///
    /// - Returns: `false` if there are too many now; it still has to be given back with ``connectionClosed()``.
    func connectionOpened() -> Bool {
        self.accepted.add(1, ordering: .relaxed)
        return self.open.add(1, ordering: .relaxed).newValue <= self.options.maxConnections
    }

    func connectionClosed() { self.open.subtract(1, ordering: .relaxed) }
}
