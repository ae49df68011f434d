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
        /// Requests of this account whose latency is measured: who answers, by reply subject.
        var measured: [[UInt8]: [(exporter: Account, response: [UInt8])]] = [:]
    }

    let name: String
    let index: SubscriptionIndex
    let responses = ServiceResponses()
    private let state: NIOLockedValueBox<State>
    private let clients = Synchronization.Atomic<Int>(0)
    /// When the log last told of too many subscriptions, in nanoseconds.
    private let streamsVersion = Synchronization.Atomic<Int>(0)
    private let measuredCount = Synchronization.Atomic<Int>(0)
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
        self.state.withLockedValue { state in
            state.options = options
            state.updated = .now()
        }
        self.index.setMappings(SubjectMappings(options.mappings))
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
            state.services = state.options.exports.filter { $0.kind == .service }.map(ServiceExport.init)
        }
    }

    /// The export of a service that covers a subject; the exact one if there is.
    func service(_ subject: String) -> ServiceExport? {
        let services = self.state.withLockedValue { $0.services }
        if let exact = services.first(where: { $0.options.subject == subject }) { return exact }
        return services.filter { SubjectGrammar.isSubset(subject, of: $0.options.subject) }
            .min { $0.options.subject < $1.options.subject }
    }

    /// Imports what the configuration says.
    func linkImports(_ accounts: [String: Account]) {
        let imports = self.options.imports
        let streams = imports.filter { $0.kind == .stream }.compactMap { item in
            accounts[item.account].map { StreamImport(item, exporter: $0) }
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
            let old = state.requests
            // What stays the same is not interrupted.
            guard !Self.areSame(old, services) else { return ([], []) }
            state.requests = services.map { service in
                state.lastSid += 1
                return Subscription(
                    subject: Array(service.from.utf8),
                    sid: Array("\(state.lastSid)".utf8),
                    service: .request(service),
                    index: self.index
                )
            }
            return (old, state.requests)
        }
        self.index.remove(contentsOf: old)
        for subscription in new { _ = self.index.insert(subscription) }
    }

    private static func areSame(_ requests: [Subscription], _ services: [ServiceImport]) -> Bool {
        requests.elementsEqual(services) { subscription, service in
            if case .request(let known) = subscription.service { return known.isSame(as: service) }
            return false
        }
    }

    /// Lets go of other accounts, which may refer to this one.
    func unlink() {
        let old = self.state.withLockedValue { state in
            defer {
                state.requests = []
                state.answers = nil
                state.streams = []
                state.measured = [:]
            }
            return state.requests + [state.answers].compactMap { $0 }
        }
        self.index.remove(contentsOf: old)
        self.responses.removeAll()
    }

    /// A request to a service of this account has come from another one.
    ///
    /// - Parameters:
    ///   - reply: Its reply subject there.
    ///   - account: The other account.
    ///   - export: The service.
    ///   - probe: What its latency is measured with, if it is.
    ///   - now: The time.
    /// - Returns: the reply subject for the service; `nil` if too many answers are waited for.
    func addResponse(
        _ reply: [UInt8],
        in account: Account,
        _ export: ServiceExport,
        probe: LatencyProbe? = nil,
        now: NIODeadline
    ) -> [UInt8]? {
        let subscription = self.state.withLockedValue { state -> Subscription? in
            guard state.answers == nil else { return nil }
            state.lastSid += 1
            state.answers = Subscription(
                subject: self.responses.prefix + [UInt8(ascii: ">")],
                sid: Array("\(state.lastSid)".utf8),
                service: .answer(self.responses),
                index: self.index
            )
            return state.answers
        }
        if let subscription { _ = self.index.insert(subscription) }
        let response = self.responses.add(reply, in: account, of: export, exporter: self, probe: probe, now: now)
        if probe != nil, let response { account.measure(reply, exporter: self, response: response) }
        return response
    }

    // MARK: Measured requests

    /// More are not told apart by their reply subjects.
    private static let measuredMaximum = 1024

    private func measure(_ reply: [UInt8], exporter: Account, response: [UInt8]) {
        self.state.withLockedValue { state in
            guard state.measured.count < Self.measuredMaximum else { return }
            state.measured[reply, default: []].append((exporter, response))
            self.measuredCount.store(state.measured.count, ordering: .releasing)
        }
    }

    /// The answer to a request of this account has come, or will not.
    func measured(_ reply: [UInt8], response: [UInt8]) {
        self.state.withLockedValue { state in
            guard var entries = state.measured[reply] else { return }
            entries.removeAll { $0.response == response }
            state.measured[reply] = entries.isEmpty ? nil : entries
            self.measuredCount.store(state.measured.count, ordering: .releasing)
        }
    }

    /// Subscriptions have gone: takes the measured requests that nobody waits for any more.
    ///
    /// nats-server accounts.go checkForReverseEntry.
    func takeUnwanted() -> [(exporter: Account, response: [UInt8])] {
        guard self.measuredCount.load(ordering: .acquiring) > 0 else { return [] }
        let replies = self.state.withLockedValue { Array($0.measured.keys) }
        let lost = replies.filter { reply in
            reply.withUnsafeBufferPointer { self.index.withMatch($0) { match, _ in match.isEmpty } }
        }
        return self.state.withLockedValue { state in
            let entries = lost.flatMap { state.measured.removeValue(forKey: $0) ?? [] }
            self.measuredCount.store(state.measured.count, ordering: .releasing)
            return entries
        }
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
