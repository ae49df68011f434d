import NATSAuth
import NATSText
internal import NATSWire
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
        var services: [ServiceExport] = []
        var streams: [StreamImport] = []
        /// The subscriptions of imported services.
        var requests: [Subscription] = []
        /// The subscription for answers to requests of others.
        var answers: Subscription?
        var lastSid = 0
        /// Who may owe answers to this account.
        var askedAccounts: [Account] = []
        var isGone = false
        /// See ``Account/loopSubject``.
        var loopSubject: [UInt8] = []
        /// What the server itself listens to.
        var internalSubscriptions: [ObjectIdentifier: InternalSubscription] = [:]
    }

    let name: String
    /// Whether it looks at the server.
    let isSystem: Bool
    let index: SubscriptionIndex
    let responses = ServiceResponses()
    private let state: NIOLockedValueBox<State>
    private let currentStanding = NIOLockedValueBox(AccountStanding())
    private let clients = Synchronization.Atomic<Int>(0)
    private let leafs = Synchronization.Atomic<Int>(0)
    private let elsewhere = NIOLockedValueBox(RemoteConnections())
    /// What ``elsewhere`` counts.
    private let clientsElsewhere = Synchronization.Atomic<Int>(0)
    private let leafsElsewhere = Synchronization.Atomic<Int>(0)
    private let hasAskedElsewhere = Synchronization.Atomic<Bool>(false)
    private let isCounted = Synchronization.Atomic<Bool>(false)
    private let streamsVersion = Synchronization.Atomic<Int>(0)
    private let awaitsAnswers = Synchronization.Atomic<Bool>(false)
    /// Requests to other accounts that wait for their answers, and the bytes of their reply subjects.
    private let openRequests = Synchronization.Atomic<Int>(0)
    private let openRequestBytes = Synchronization.Atomic<Int>(0)
    /// When the log last told of too many subscriptions, in nanoseconds.
    private let subscriptionLimitLogged = Synchronization.Atomic<UInt64>(0)
    /// In nanoseconds (nats-server accounts.go maxSubLimitReportThreshold).
    private static let subscriptionLimitLogPeriod: UInt64 = 2_000_000_000

    init(_ options: AccountOptions, isSystem: Bool = false, hash: SubjectHash) {
        self.name = options.name
        self.isSystem = isSystem
        self.index = SubscriptionIndex(hash: hash, account: Array(options.name.utf8))
        self.state = NIOLockedValueBox(State(options: options, updated: .now()))
        self.index.setMappings(SubjectMappings(options.mappings))
    }

    var limits: AccountOptions.Limits { self.state.withLockedValue { $0.options.limits } }

    /// When the configuration last said what the account is.
    var updated: NIODeadline { self.state.withLockedValue { $0.updated } }

    /// The configuration has been loaded again.
    ///
    /// - Parameters:
    ///   - options: What the account is now.
    ///   - isNew: Whether anything has been said about it; else something else has changed that it depends on.
    func update(_ options: AccountOptions, isNew: Bool = true) {
        self.state.withLockedValue { state in
            state.options = options
            if isNew { state.updated = .now() }
        }
        self.index.setMappings(SubjectMappings(options.mappings))
    }

    /// The server begins to listen to something; until ``forget(_:)`` or ``unlink()``.
    ///
    /// - Returns: the name of the subscription.
    func register(_ subscription: InternalSubscription) -> [UInt8] {
        self.state.withLockedValue { state in
            state.lastSid += 1
            state.internalSubscriptions[ObjectIdentifier(subscription)] = subscription
            return Array("\(state.lastSid)".utf8)
        }
    }

    func forget(_ subscription: InternalSubscription) {
        self.state.withLockedValue { $0.internalSubscriptions[ObjectIdentifier(subscription)] = nil }
    }

    /// Subscriptions that no client has made.
    var ownSubscriptionCount: Int {
        self.state.withLockedValue { state in
            state.internalSubscriptions.count + state.requests.count + (state.answers == nil ? 0 : 1)
        }
    }

    // MARK: Claims

    /// What the account's JWT makes of it; nothing where accounts are configured.
    var standing: AccountStanding { self.currentStanding.withLockedValue { $0 } }

    func setStanding(_ standing: AccountStanding) { self.currentStanding.withLockedValue { $0 = standing } }

    /// How the log names the account (nats-server accounts.go traceLabel).
    var label: String { self.standing.authority?.label ?? self.name }

    /// How monitoring names it besides (nats-server accounts.go getNameTag).
    var nameTag: String {
        let tag = self.standing.authority?.claims.name ?? ""
        return tag.isEmpty ? self.name : tag
    }

    // MARK: Other accounts

    var options: AccountOptions { self.state.withLockedValue { $0.options } }

    /// The streams that it imports.
    var streams: [StreamImport] { self.state.withLockedValue { $0.streams } }

    /// Grows when ``streams`` change; 0 if there were never any.
    var currentStreamsVersion: Int { self.streamsVersion.load(ordering: .acquiring) }

    /// The services that it imports, and their subscriptions.
    var importedServices: [ServiceImport] {
        self.state.withLockedValue { state in
            state.requests.compactMap { subscription in
                if case .request(let service) = subscription.service { return service }
                return nil
            }
        }
    }

    /// Offers what the configuration says; before any account imports.
    func linkExports() {
        self.state.withLockedValue { state in
            let known = state.services
            state.services = state.options.exports.filter { $0.kind == .service }.map { options in
                // What stays the same is the same: imports are told apart by it.
                known.first { $0.options == options } ?? ServiceExport(options)
            }
        }
    }

    /// The export of a service that covers a subject; the exact one if there is.
    func service(_ subject: String) -> ServiceExport? {
        let services = self.state.withLockedValue { $0.services }
        if let exact = services.first(where: { $0.options.subject.isIdentical(to: subject) }) { return exact }
        return services.filter { SubjectGrammar.isSubset(subject, of: $0.options.subject) }
            .min { $0.options.subject < $1.options.subject }
    }

    /// Imports what the configuration says.
    func linkImports(_ accounts: [String: Account]) {
        let imports = self.options.imports.filter { !$0.isInvalid }
        let streams = imports.filter { $0.kind == .stream }.compactMap { item in
            accounts[item.account].map { StreamImport(item, exporter: $0, importer: self.name) }
        }
        let services = imports.filter { $0.kind == .service }.compactMap { item -> ServiceImport? in
            guard let exporter = accounts[item.account], let export = exporter.service(item.subject) else { return nil }
            return ServiceImport(item, importer: self, exporter: exporter, export: export)
        }
        let (old, new) = self.state.withLockedValue { state -> ([Subscription], [Subscription]) in
            if !state.streams.elementsEqual(streams, by: { $0.isSame(as: $1) }) {
                state.streams = streams
                self.streamsVersion.add(1, ordering: .releasing)
            }
            state.askedAccounts = []
            for service in services where !state.askedAccounts.contains(where: { $0 === service.exporter }) {
                state.askedAccounts.append(service.exporter)
            }
            // What stays the same is not interrupted.
            var old = state.requests
            var new: [Subscription] = []
            state.requests = services.map { service in
                if let kept = old.firstIndex(where: { Self.isRequest($0, to: service) }) { return old.remove(at: kept) }
                state.lastSid += 1
                let subscription = Subscription(
                    subject: Array(service.from.utf8),
                    sid: Array("\(state.lastSid)".utf8),
                    service: .request(service),
                    index: self.index
                )
                new.append(subscription)
                return subscription
            }
            return (old, new)
        }
        guard !old.isEmpty || !new.isEmpty else { return }
        _ = self.index.exchange(old, for: new)
    }

    private static func isRequest(_ subscription: Subscription, to service: ServiceImport) -> Bool {
        if case .request(let known) = subscription.service { return known.isSame(as: service) }
        return false
    }

    /// The account is no more: lets go of other accounts, which may refer to this one.
    func unlink() {
        for subscription in self.state.withLockedValue({ Array($0.internalSubscriptions.values) }) {
            subscription.cancel()
        }
        let (old, asked) = self.state.withLockedValue { state in
            let old = state.requests + [state.answers].compactMap { $0 }
            let asked = state.askedAccounts
            state.requests = []
            state.answers = nil
            state.streams = []
            state.askedAccounts = []
            state.isGone = true
            return (old, asked)
        }
        self.index.remove(contentsOf: old)
        self.responses.close()
        for account in asked { account.responses.removeAll(of: self) }
    }

    // MARK: Requests

    /// A request to a service of this account has come from another one.
    ///
    /// - Parameters:
    ///   - reply: Its reply subject there.
    ///   - account: The other account.
    ///   - export: The service.
    ///   - share: Whether the import tells more of the client than its account.
    ///   - probe: What its latency is measured with, if it is.
    ///   - trackedSuffix: What its reply subject ends in then.
    ///   - now: The time.
    /// - Returns: the reply subject for the service, `nil` if too many answers are waited for; and what the latencies of
    ///   requests were measured with whose time has been found to be over.
    func addResponse(
        _ reply: [UInt8],
        in account: Account,
        _ export: ServiceExport,
        share: Bool = false,
        probe: LatencyProbe? = nil,
        trackedSuffix: [UInt8] = [],
        now: NIODeadline
    ) -> (subject: [UInt8]?, expired: [LatencyProbe]) {
        if !self.awaitsAnswers.load(ordering: .acquiring) { self.awaitAnswers() }
        if account.isAtRequestLimit { account.forgetOldRequests(now: now) }
        return self.responses.add(
            reply,
            in: account,
            of: export,
            exporter: self,
            share: share,
            probe: probe,
            trackedSuffix: trackedSuffix,
            now: now
        )
    }

    private var isAtRequestLimit: Bool {
        self.openRequests.load(ordering: .relaxed) >= ServiceResponses.largestCount
            || self.openRequestBytes.load(ordering: .relaxed) >= ServiceResponses.largestSize
    }

    /// Requests whose time is over count until somebody asks the same account again: here that has to happen at once.
    private func forgetOldRequests(now: NIODeadline) {
        let asked = self.state.withLockedValue { $0.askedAccounts }
        for account in asked { account.responses.forgetExpired(now: now) }
    }

    /// The first request has come: from now on answers are for this account to forward.
    private func awaitAnswers() {
        self.state.withLockedValue { state in
            guard state.answers == nil, !state.isGone else { return }
            state.lastSid += 1
            let subscription = Subscription(
                subject: self.responses.prefix + [UInt8(ascii: ">")],
                sid: Array("\(state.lastSid)".utf8),
                service: .answer(self.responses),
                index: self.index
            )
            state.answers = subscription
            // Under the lock, so that no other loop sends a request before answers can come back.
            _ = self.index.insert(subscription)
            self.awaitsAnswers.store(true, ordering: .releasing)
        }
    }

    /// A request of this account begins to wait.
    ///
    /// - Returns: `false`, and it does not, if too many do.
    func openRequest(_ size: Int) -> Bool {
        let count = self.openRequests.add(1, ordering: .relaxed).newValue
        let bytes = self.openRequestBytes.add(size, ordering: .relaxed).newValue
        guard count <= ServiceResponses.largestCount, bytes <= ServiceResponses.largestSize else {
            self.closeRequest(size)
            return false
        }
        return true
    }

    func closeRequest(_ size: Int) {
        self.openRequests.subtract(1, ordering: .relaxed)
        self.openRequestBytes.subtract(size, ordering: .relaxed)
    }

    /// Whether any request of this account waits for an answer.
    var hasOpenRequests: Bool { self.openRequests.load(ordering: .relaxed) > 0 }

    /// An account that this one offers services to owes it answers, since an answer asked for more.
    func noteAsked(_ account: Account) {
        self.state.withLockedValue { state in
            guard !state.isGone, !state.askedAccounts.contains(where: { $0 === account }) else { return }
            state.askedAccounts.append(account)
        }
    }

    /// A subscription has gone: nobody may wait for the answers to some requests any more.
    ///
    /// nats-server accounts.go checkForReverseEntry.
    ///
    /// - Parameter subject: What was subscribed to.
    /// - Returns: what the latencies of these requests were measured with, and who would have answered.
    func endUnwantedRequests(_ subject: [UInt8]) -> [(exporter: Account, probe: LatencyProbe)] {
        guard self.hasOpenRequests else { return [] }
        let asked = self.state.withLockedValue { $0.askedAccounts }
        let hasWildcards = subject.withUnsafeBytes { SubjectGrammar.hasWildcards($0) }
        guard hasWildcards else {
            return self.isWanted(subject) ? [] : asked.flatMap { self.endRequests(with: subject, to: $0) }
        }
        return asked.flatMap { account in
            account.responses.replies(in: self)
                .filter { reply in
                    let isCovered = reply.withUnsafeBytes { reply in
                        subject.withUnsafeBytes { SubjectGrammar.matches(subject: reply, pattern: $0) }
                    }
                    return isCovered && !self.isWanted(reply)
                }
                .flatMap { self.endRequests(with: $0, to: account) }
        }
    }

    private func isWanted(_ subject: [UInt8]) -> Bool {
        subject.withUnsafeBufferPointer { self.index.withMatch($0) { match, _ in !match.isEmpty } }
    }

    private func endRequests(with reply: [UInt8], to account: Account) -> [(exporter: Account, probe: LatencyProbe)] {
        account.responses.remove(waitingFor: reply, in: self).map { (account, $0) }
    }

    // MARK: Connections

    var connectionCount: Int { self.clients.load(ordering: .relaxed) }

    /// A client comes in; leaf nodes of this server count as clients do (nats-server accounts.go
    /// MaxTotalConnectionsReached).
    ///
    /// - Returns: `false`, and it has not come in, if there are too many.
    func enter() -> Bool {
        let limit = self.limits.maxConnections
        let count = self.clients.add(1, ordering: .relaxed).newValue
        guard limit < 0 || count + self.leafNodeCount + self.remoteConnectionCount <= limit else {
            self.leave()
            return false
        }
        return true
    }

    /// Connections of clients on other servers of the cluster.
    var remoteConnectionCount: Int { self.clientsElsewhere.load(ordering: .relaxed) }

    /// How many other servers have connections of the account.
    var remoteServerCount: Int { self.elsewhere.withLockedValue { $0.serverCount } }

    /// Whether there are more connections than there may be, with those on other servers.
    var isTooFull: Bool {
        let limit = self.limits.maxConnections
        return limit >= 0 && self.connectionCount + self.leafNodeCount + self.remoteConnectionCount > limit
    }

    /// Whether there are more leaf nodes than there may be, with those on other servers.
    var hasTooManyLeafNodes: Bool {
        let limit = self.limits.maxLeafNodes
        return limit >= 0 && self.leafNodeCount + self.remoteLeafNodeCount > limit
    }

    /// Another server has told how many connections it has.
    func setConnections(_ counts: RemoteConnections.Counts, on server: String) {
        self.changeConnectionsElsewhere { $0.set(server, counts) }
    }

    /// Other servers are gone.
    func forgetConnections(on servers: [String]) {
        guard self.remoteConnectionCount + self.remoteLeafNodeCount > 0 else { return }
        self.changeConnectionsElsewhere { elsewhere in
            for server in servers { elsewhere.remove(server) }
        }
    }

    private func changeConnectionsElsewhere(_ change: (inout RemoteConnections) -> Void) {
        self.elsewhere.withLockedValue { elsewhere in
            change(&elsewhere)
            self.clientsElsewhere.store(elsewhere.all.clients, ordering: .relaxed)
            self.leafsElsewhere.store(elsewhere.all.leafNodes, ordering: .relaxed)
        }
    }

    func leave() {
        if self.clients.subtract(1, ordering: .relaxed).newValue == 0 {
            self.hasAskedElsewhere.store(false, ordering: .relaxed)
        }
    }

    /// Whether the other servers have to be asked how many connections they have, as they have not been since the first of
    /// those here came.
    func mustAskElsewhere() -> Bool { !self.hasAskedElsewhere.exchange(true, ordering: .relaxed) }

    /// Looks for connections that are too many, unless somebody else does; then ``endSurplus()`` has to be called.
    func beginSurplus() -> Bool {
        guard self.isInUse, self.isTooFull || self.hasTooManyLeafNodes else { return false }
        return !self.isCounted.exchange(true, ordering: .acquiringAndReleasing)
    }

    /// What changes from now on is another search's.
    func endSurplus() { self.isCounted.store(false, ordering: .releasing) }

    /// Connections of leaf nodes, on either side.
    var leafNodeCount: Int { self.leafs.load(ordering: .relaxed) }

    /// The same on other servers of the cluster.
    var remoteLeafNodeCount: Int { self.leafsElsewhere.load(ordering: .relaxed) }

    /// Whether clients or leaf nodes are connected to it here.
    var isInUse: Bool { self.connectionCount + self.leafNodeCount > 0 }

    /// A connection of a leaf node comes in.
    ///
    /// - Returns: `false`, and it has not come in, if there are too many.
    func enterAsLeafNode() -> Bool {
        let limit = self.limits.maxLeafNodes
        let count = self.leafs.add(1, ordering: .relaxed).newValue
        guard limit < 0 || count + self.remoteLeafNodeCount <= limit else {
            self.leaveAsLeafNode()
            return false
        }
        return true
    }

    func leaveAsLeafNode() { self.leafs.subtract(1, ordering: .relaxed) }

    /// What leaf nodes and hubs are told that this account wants, so that a loop shows when it comes back (nats-server
    /// leafnode.go initLeafNodeSmapAndSendSubs).
    var loopSubject: [UInt8] {
        self.state.withLockedValue { state in
            if state.loopSubject.isEmpty {
                var generator = SystemRandomNumberGenerator()
                var nuid = NUID(using: &generator)
                state.loopSubject = LeafAudience.loopPrefix + Array(nuid.next(using: &generator).utf8)
            }
            return state.loopSubject
        }
    }

    /// Whether the log may tell of too many subscriptions again.
    func shouldLogSubscriptionLimit(now: NIODeadline) -> Bool {
        let last = self.subscriptionLimitLogged.load(ordering: .relaxed)
        guard last == 0 || now.uptimeNanoseconds &- last >= Self.subscriptionLimitLogPeriod else { return false }
        self.subscriptionLimitLogged.store(now.uptimeNanoseconds, ordering: .relaxed)
        return true
    }
}
