public import NATSClient

/// Asks the services of the system, in any language, who they are and how they do (ADR-32).
public struct NATSServiceDiscovery: Sendable {
    /// Who is asked.
    public enum Scope: Sendable, Hashable {
        /// All services.
        case all
        /// All instances of the service of this name.
        case service(String)
        /// One instance.
        case instance(name: String, id: String)
    }

    /// Payloads of the answers to one question.
    private static let maximumBytes = 64 << 20

    private let client: NATSClient
    private let apiPrefix: String

    /// Asks through a client.
    ///
    /// - Parameters:
    ///   - client: The connection.
    ///   - apiPrefix: Where services answer: `$SRV`, or what an account that imports it maps that to.
    public init(_ client: NATSClient, apiPrefix: String = "$SRV") {
        self.client = client
        self.apiPrefix = apiPrefix
    }

    /// The instances that are there.
    ///
    /// - Parameters:
    ///   - scope: Who is asked.
    ///   - timeout: How long to wait for all answers together.
    ///   - stall: How long to wait after an answer for the next.
    ///   - maximum: How many answers are enough; one instance gives one.
    /// - Returns: The answers in the order in which they came, those that cannot be read left out, and those beyond 64 MiB or
    ///   beyond what the pending limits let wait; none if there is no such service.
    /// - Throws: `NATSError` with `badSubject` if a name cannot be one; as `NATSClient.requestMany`.
    public func ping(
        _ scope: Scope = .all,
        timeout: Duration = .seconds(2),
        stall: Duration = .milliseconds(500),
        maximum: Int = 10_000
    ) async throws(NATSError) -> [NATSServiceIdentity] {
        try await self.ask(.ping, scope, timeout, stall, maximum) { ServiceDocuments.readIdentity($0) }
    }

    /// What the instances offer.
    ///
    /// - Parameters:
    ///   - scope: Who is asked.
    ///   - timeout: How long to wait for all answers together.
    ///   - stall: How long to wait after an answer for the next.
    ///   - maximum: How many answers are enough; one instance gives one.
    /// - Returns: As ``ping(_:timeout:stall:maximum:)``.
    /// - Throws: As ``ping(_:timeout:stall:maximum:)``.
    public func info(
        _ scope: Scope = .all,
        timeout: Duration = .seconds(2),
        stall: Duration = .milliseconds(500),
        maximum: Int = 10_000
    ) async throws(NATSError) -> [NATSServiceInfo] {
        try await self.ask(.info, scope, timeout, stall, maximum) { ServiceDocuments.readInfo($0) }
    }

    /// What the instances have done.
    ///
    /// - Parameters:
    ///   - scope: Who is asked.
    ///   - timeout: How long to wait for all answers together.
    ///   - stall: How long to wait after an answer for the next.
    ///   - maximum: How many answers are enough; one instance gives one.
    /// - Returns: As ``ping(_:timeout:stall:maximum:)``.
    /// - Throws: As ``ping(_:timeout:stall:maximum:)``.
    public func statistics(
        _ scope: Scope = .all,
        timeout: Duration = .seconds(2),
        stall: Duration = .milliseconds(500),
        maximum: Int = 10_000
    ) async throws(NATSError) -> [NATSServiceStatistics] {
        try await self.ask(.statistics, scope, timeout, stall, maximum) { ServiceDocuments.readStatistics($0) }
    }

    private func ask<Answer>(
        _ verb: ControlVerb,
        _ scope: Scope,
        _ timeout: Duration,
        _ stall: Duration,
        _ maximum: Int,
        _ read: (UnsafeRawBufferPointer) -> Answer?
    ) async throws(NATSError) -> [Answer] {
        let subject: String
        var maximum = maximum
        switch scope {
        case .all:
            subject = verb.subject(prefix: self.apiPrefix)
        case .service(let name):
            try Self.check(name)
            subject = verb.subject(prefix: self.apiPrefix, name: name)
        case .instance(let name, let id):
            try Self.check(name)
            try Self.check(id)
            subject = verb.subject(prefix: self.apiPrefix, name: name, id: id)
            maximum = min(maximum, 1)
        }
        // The replies' own time does not count what reading them takes, and what was read is kept.
        let deadline = ContinuousClock.now + timeout
        var bytesLeft = Self.maximumBytes
        let replies = try await self.client.requestMany(
            "" as StaticString,
            to: subject,
            timeout: timeout,
            stall: stall,
            maximum: maximum
        )
        var answers: [Answer] = []
        do throws(NATSError) {
            for try await reply in replies {
                bytesLeft -= reply.payloadSize
                guard bytesLeft >= 0 else {
                    break
                }
                if let answer = reply.withPayloadBytes({ read($0) }) {
                    answers.append(answer)
                }
                guard ContinuousClock.now < deadline else {
                    break
                }
            }
        } catch {
            // More came than may wait: too much, as above.
            guard error.code == .slowConsumer else {
                throw error
            }
        }
        return answers
    }

    /// More tokens, or wildcards, would ask others.
    private static func check(_ name: String) throws(NATSError) {
        guard ServiceRules.isValidName(name) else {
            throw NATSError(.badSubject, "\"\(name)\" is no name of a service or an instance")
        }
    }
}

extension NATSClient {
    /// Asks the services of the system who they are and how they do.
    public var services: NATSServiceDiscovery {
        NATSServiceDiscovery(self)
    }
}
