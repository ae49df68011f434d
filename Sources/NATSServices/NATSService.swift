public import NATSClient
import NATSWire
import NIOConcurrencyHelpers

/// One instance of a service: subjects that answer requests, found and watched by any NATS tool (ADR-32).
///
/// `NATSClient.withService` runs a service for the time of a closure. For a service that runs as long as its
/// program, make one, add its endpoints and call ``run()``.
///
/// The service ends with its client, or by ``stop()``, and is not started again. It holds its client.
public final class NATSService: Sendable {
    /// A subscription and what is done with its messages.
    struct Served: Sendable {
        let subscription: NATSSubscription
        let concurrency: Int
        /// Endpoints are drained before the answers to questions about them.
        let isEndpoint: Bool
        let handler: @Sendable (NATSMessage) async -> Void
    }

    struct State {
        enum Phase {
            case idle
            case running
            case stopped
        }

        var phase = Phase.idle
        var failure: (any Error)?
        var wasStoppedBeforeRun = false
        var endpoints: [ServiceEndpoint] = []
        /// Until the service runs; then its tasks have them, so that nothing outlives them.
        var waiting: [(ServiceEndpoint, ServiceEndpoint.Handler)] = []
        var started = UTCTime.microsecondsSince1970()
    }

    /// What the service was made with.
    public let configuration: NATSServiceConfiguration
    /// Which instance of which service this is.
    public let identity: NATSServiceIdentity
    let client: NATSClient
    let state = NIOLockedValueBox(State())
    let additions: AsyncStream<Served>
    let added: AsyncStream<Served>.Continuation

    /// A service that does not run yet.
    ///
    /// - Parameters:
    ///   - configuration: What the service says about itself.
    ///   - client: Where it receives requests and sends responses.
    /// - Throws: `NATSError` with `invalidConfiguration` if the name has other than letters, digits, `-` and `_`, if the
    ///   version is no semantic version, if the API prefix is no subject; `badQueue`.
    public init(_ configuration: NATSServiceConfiguration, client: NATSClient) throws(NATSError) {
        guard ServiceRules.isValidName(configuration.name) else {
            throw NATSError(
                .invalidConfiguration,
                "the service name \"\(configuration.name)\" has other than letters, digits, - and _, or nothing"
            )
        }
        guard ServiceRules.isValidVersion(configuration.version) else {
            throw NATSError(
                .invalidConfiguration,
                "the version \"\(configuration.version)\" of the service is no semantic version"
            )
        }
        guard ServiceRules.isValidPrefix(configuration.apiPrefix) else {
            throw NATSError(.invalidConfiguration, "the prefix \"\(configuration.apiPrefix)\" is not a subject")
        }
        try ServiceRules.check(configuration.queueGroup)
        try ServiceRules.check(concurrency: configuration.concurrency)
        self.configuration = configuration
        self.client = client
        var nuid = NUID()
        self.identity = NATSServiceIdentity(
            name: configuration.name,
            id: nuid.next(),
            version: configuration.version,
            metadata: configuration.metadata
        )
        (self.additions, self.added) = AsyncStream.makeStream()
    }

    // MARK: Endpoints

    /// Adds a subject that the service answers on.
    ///
    /// If the service runs, it answers from now on, though this does not wait until the server knows; else once it runs.
    ///
    /// - Parameters:
    ///   - name: The name: letters, digits, `-` and `_`.
    ///   - subject: The subject, wildcards allowed; nil for the name.
    ///   - queueGroup: The queue group.
    ///   - metadata: What else is to be known about the endpoint.
    ///   - concurrency: How many requests are handled at a time; nil for ``NATSServiceConfiguration/concurrency``.
    ///   - limits: Pending limits; nil for those of the client.
    ///   - handler: Answers a request. What it throws is sent as the response: a `NATSServiceError` as it is, anything
    ///     else as ``NATSServiceConfiguration/describesError`` says. It should not hold the service.
    /// - Throws: `NATSError` with `invalidConfiguration`, `badSubject`, `badQueue`; `connectionClosed`,
    ///   `connectionDraining` if the service or its client has stopped.
    public func addEndpoint(
        _ name: String,
        subject: String? = nil,
        queueGroup: NATSServiceQueueGroup = .inherited,
        metadata: [String: String] = [:],
        concurrency: Int? = nil,
        limits: NATSClientConfiguration.PendingLimits? = nil,
        _ handler: @escaping @Sendable (NATSServiceRequest) async throws -> Void
    ) async throws(NATSError) {
        guard ServiceRules.isValidName(name) else {
            throw NATSError(
                .invalidConfiguration,
                "the endpoint name \"\(name)\" has other than letters, digits, - and _, or nothing"
            )
        }
        let subject = subject ?? name
        guard ServiceRules.isValidSubject(subject) else {
            throw NATSError(.badSubject, "cannot subscribe to \"\(subject)\"")
        }
        let queueGroup = queueGroup.resolved(in: self.configuration.queueGroup)
        try ServiceRules.check(queueGroup)
        let concurrency = concurrency ?? self.configuration.concurrency
        try ServiceRules.check(concurrency: concurrency)
        let endpoint = ServiceEndpoint(
            name: name,
            subject: subject,
            queueGroup: queueGroup,
            metadata: metadata,
            concurrency: concurrency,
            limits: limits
        )
        let phase = self.state.withLockedValue { state in
            if state.phase == .idle {
                state.endpoints.append(endpoint)
                state.waiting.append((endpoint, handler))
            }
            return state.phase
        }
        guard phase != .idle else {
            return
        }
        let stopped = NATSError(.connectionClosed, "the service \"\(self.identity.name)\" has stopped")
        guard phase == .running else {
            throw stopped
        }
        // If the service stops meanwhile, the subscription goes with its only reference.
        let served = try await self.subscribe(endpoint, handler)
        guard case .enqueued = self.added.yield(served) else {
            throw stopped
        }
        self.state.withLockedValue { $0.endpoints.append(endpoint) }
    }

    /// A group of endpoints with a prefix in front of their subjects.
    ///
    /// - Parameters:
    ///   - prefix: One or more tokens, or nothing at all.
    ///   - queueGroup: The queue group of endpoints that name none.
    /// - Returns: The group.
    /// - Throws: `NATSError` with `badSubject`, `badQueue`.
    public func group(
        _ prefix: String,
        queueGroup: NATSServiceQueueGroup = .inherited
    ) throws(NATSError) -> NATSServiceGroup {
        try NATSServiceGroup(
            service: self,
            prefix: prefix,
            queueGroup: queueGroup.resolved(in: self.configuration.queueGroup)
        )
    }

    // MARK: What it says about itself

    /// What the instance offers now.
    public var info: NATSServiceInfo {
        NATSServiceInfo(
            identity: self.identity,
            description: self.configuration.description,
            endpoints: self.state.withLockedValue { $0.endpoints.map(\.info) }
        )
    }

    /// What the instance has done since it was started or reset.
    public var statistics: NATSServiceStatistics {
        let (started, endpoints) = self.state.withLockedValue { ($0.started, $0.endpoints) }
        return NATSServiceStatistics(
            identity: self.identity,
            started: UTCTime.text(microsecondsSince1970: started),
            endpoints: endpoints.map { endpoint in
                var statistics = endpoint.statistics
                statistics.data = self.configuration.statisticsData?(statistics)
                return statistics
            }
        )
    }

    /// Sets all counters to zero, and the time of the start to now.
    public func reset() {
        let endpoints = self.state.withLockedValue { state in
            state.started = UTCTime.microsecondsSince1970()
            return state.endpoints
        }
        for endpoint in endpoints {
            endpoint.reset()
        }
    }

    // MARK: Life

    /// Whether ``run()`` has ended, or ``stop()`` was called before it.
    public var isStopped: Bool {
        self.state.withLockedValue { $0.phase == .stopped }
    }

    /// Answers requests until the service is stopped, its client ends or the task is cancelled.
    ///
    /// To be called once. Returns after ``stop()`` when the requests that had arrived are answered, and when the client was
    /// drained or closed. Cancelling the task ends the service at once: handlers are cancelled.
    ///
    /// - Throws: What ended one of its subscriptions, such as `NATSError` with `permissionViolation`, or `cancelled`;
    ///   `drainTimeout` if handlers were not done in time after ``stop()``; `connectionClosed` if the client is closed or
    ///   the service was stopped before.
    public func run() async throws {
        try await self.serve(self.start())
    }

    /// As ``run()``; a service that was stopped before has then ended in good order, with nothing to answer.
    package func runUnlessStopped() async throws {
        let served: [Served]
        do throws(NATSError) {
            served = try await self.start()
        } catch {
            if self.state.withLockedValue({ $0.wasStoppedBeforeRun }) {
                return
            }
            throw error
        }
        try await self.serve(served)
    }

    /// Lets the service end in good order: no new requests are asked for, those on their way are answered, then ``run()``
    /// returns.
    public func stop() {
        self.state.withLockedValue { state in
            if state.phase == .idle {
                state.phase = .stopped
                state.wasStoppedBeforeRun = true
                state.waiting = []
            }
        }
        self.added.finish()
    }
}
