public import NATSClient

/// Endpoints of a service with a common prefix in front of their subjects.
public struct NATSServiceGroup: Sendable {
    private let service: NATSService
    /// The tokens in front of the subjects; empty if there are none.
    public let prefix: String
    /// The queue group of endpoints that name none.
    public let queueGroup: NATSServiceQueueGroup

    init(service: NATSService, prefix: String, queueGroup: NATSServiceQueueGroup) throws(NATSError) {
        guard prefix.isEmpty || ServiceRules.isValidPrefix(prefix) else {
            throw NATSError(.badSubject, "\"\(prefix)\" is not the beginning of a subject")
        }
        try ServiceRules.check(queueGroup)
        self.service = service
        self.prefix = prefix
        self.queueGroup = queueGroup
    }

    /// A group within this one: its prefix comes behind this group's.
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
        guard prefix.isEmpty || ServiceRules.isValidPrefix(prefix) else {
            throw NATSError(.badSubject, "\"\(prefix)\" is not the beginning of a subject")
        }
        return try NATSServiceGroup(
            service: self.service,
            prefix: self.joined(prefix),
            queueGroup: queueGroup.resolved(in: self.queueGroup)
        )
    }

    /// Adds a subject that the service answers on.
    ///
    /// - Parameters:
    ///   - name: The name: letters, digits, `-` and `_`.
    ///   - subject: What comes behind the prefix; nil for the name.
    ///   - queueGroup: The queue group.
    ///   - metadata: What else is to be known about the endpoint.
    ///   - concurrency: How many requests are handled at a time; nil for ``NATSServiceConfiguration/concurrency``.
    ///   - limits: Pending limits; nil for those of the client.
    ///   - handler: Answers a request.
    /// - Throws: As
    ///   ``NATSService/addEndpoint(_:subject:queueGroup:metadata:concurrency:limits:_:)``.
    public func addEndpoint(
        _ name: String,
        subject: String? = nil,
        queueGroup: NATSServiceQueueGroup = .inherited,
        metadata: [String: String] = [:],
        concurrency: Int? = nil,
        limits: NATSClientConfiguration.PendingLimits? = nil,
        _ handler: @escaping @Sendable (NATSServiceRequest) async throws -> Void
    ) async throws(NATSError) {
        try await self.service.addEndpoint(
            name,
            subject: self.joined(subject ?? name),
            queueGroup: queueGroup.resolved(in: self.queueGroup),
            metadata: metadata,
            concurrency: concurrency,
            limits: limits,
            handler
        )
    }

    private func joined(_ subject: String) -> String {
        if self.prefix.isEmpty || subject.isEmpty {
            return self.prefix + subject
        }
        return self.prefix + "." + subject
    }
}
