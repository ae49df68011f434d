import NIOConcurrencyHelpers
import NIOCore
import Synchronization

/// A space of subjects of its own, with the connections that belong to it.
///
/// Lives as long as anything refers to it; a reload that keeps the account's name changes it in place.
final class Account: Sendable {
    /// The account of everybody who has no other.
    static let globalName = "$G"
    /// The account that looks at the server, unless another one is named for it.
    static let systemName = "$SYS"

    private struct State {
        var options: AccountOptions
        var updated: NIODeadline
    }

    let name: String
    let index: SubscriptionIndex
    private let state: NIOLockedValueBox<State>
    private let clients = Synchronization.Atomic<Int>(0)
    /// When the log last told of too many subscriptions, in nanoseconds.
    private let subscriptionLimitLogged = Synchronization.Atomic<UInt64>(0)
    /// In nanoseconds (nats-server accounts.go maxSubLimitReportThreshold).
    private static let subscriptionLimitLogPeriod: UInt64 = 2_000_000_000

    init(_ options: AccountOptions, hash: SubjectHash) {
        self.name = options.name
        self.index = SubscriptionIndex(hash: hash)
        self.state = NIOLockedValueBox(State(options: options, updated: .now()))
        self.index.setMappings(SubjectMappings(options.mappings))
    }

    var limits: AccountOptions.Limits { self.state.withLockedValue { $0.options.limits } }

    /// When the configuration last said what the account is.
    var updated: NIODeadline { self.state.withLockedValue { $0.updated } }

    /// The configuration has been loaded again.
    func update(_ options: AccountOptions) {
        self.state.withLockedValue { $0 = State(options: options, updated: .now()) }
        self.index.setMappings(SubjectMappings(options.mappings))
    }

    // MARK: Connections

    var connectionCount: Int { self.clients.load(ordering: .relaxed) }

    /// A client comes in.
    ///
    /// - Returns: `false`, and it has not come in, if there are too many.
    func enter() -> Bool {
        let limit = self.limits.maxConnections
        guard self.clients.add(1, ordering: .relaxed).newValue <= limit || limit < 0 else {
            self.leave()
            return false
        }
        return true
    }

    func leave() { self.clients.subtract(1, ordering: .relaxed) }

    /// Whether the log may tell of too many subscriptions again.
    func shouldLogSubscriptionLimit(now: NIODeadline) -> Bool {
        let last = self.subscriptionLimitLogged.load(ordering: .relaxed)
        guard last == 0 || now.uptimeNanoseconds &- last >= Self.subscriptionLimitLogPeriod else { return false }
        self.subscriptionLimitLogged.store(now.uptimeNanoseconds, ordering: .relaxed)
        return true
    }
}
