import NATSWire

extension NATSClient {
    /// Subscribes to a subject.
    ///
    /// Returns without waiting for the server; a refusal ends the subscription with
    /// ``NATSError/Code/permissionViolation``. With `confirm` the server's answer is awaited and the refusal thrown here.
    ///
    /// - Parameters:
    ///   - subject: The subject; `*` stands for one token, `>` at the end for one or more.
    ///   - queue: A queue group: each message goes to one of its members.
    ///   - limits: Pending limits; nil for ``NATSClientConfiguration/pendingLimits``.
    ///   - confirm: Whether to wait until the server has accepted the subscription.
    /// - Returns: The subscription, to be iterated by one task.
    /// - Throws: ``NATSError/Code/badSubject``, ``NATSError/Code/badQueue``, ``NATSError/Code/connectionDraining``,
    ///   ``NATSError/Code/connectionClosed``; with `confirm` also as ``flush(timeout:)``, and
    ///   ``NATSError/Code/permissionViolation``.
    public func subscribe(
        _ subject: String,
        queue: String? = nil,
        limits: NATSClientConfiguration.PendingLimits? = nil,
        confirm: Bool = false
    ) async throws(NATSError) -> NATSSubscription {
        let subscription = try self.makeSubscription(subject, queue: queue, limits: limits)
        if confirm {
            try await self.flush()
            if let error = subscription.state.endError {
                throw error
            }
        }
        return subscription
    }

    /// Subscribes to a subject for the time that `body` runs.
    ///
    /// The subscription is ended in any case, also when `body` throws or its task is cancelled.
    ///
    /// - Parameters:
    ///   - subject: The subject; `*` stands for one token, `>` at the end for one or more.
    ///   - queue: A queue group: each message goes to one of its members.
    ///   - limits: Pending limits; nil for ``NATSClientConfiguration/pendingLimits``.
    ///   - confirm: Whether to wait until the server has accepted the subscription.
    ///   - isolation: Where `body` runs: on the caller's actor.
    ///   - body: Uses the subscription.
    /// - Returns: What `body` returns.
    /// - Throws: As ``subscribe(_:queue:limits:confirm:)``, and what `body` throws.
    public func subscribe<Result>(
        _ subject: String,
        queue: String? = nil,
        limits: NATSClientConfiguration.PendingLimits? = nil,
        confirm: Bool = false,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (NATSSubscription) async throws -> sending Result
    ) async throws -> sending Result {
        let subscription = try await self.subscribe(subject, queue: queue, limits: limits, confirm: confirm)
        defer {
            subscription.unsubscribe()
        }
        return try await body(subscription)
    }

    private func makeSubscription(
        _ subject: String,
        queue: String?,
        limits: NATSClientConfiguration.PendingLimits?
    ) throws(NATSError) -> NATSSubscription {
        guard SubjectRules.isValidSubscription(subject) else {
            throw NATSError(.badSubject, "cannot subscribe to \"\(subject)\"")
        }
        if let queue, !SubjectRules.isValidQueueGroup(queue) {
            throw NATSError(.badQueue, "\"\(queue)\" is not a queue group")
        }
        let limits = limits ?? self.core.configuration.pendingLimits
        try limits.check()
        let outbound = self.outbound
        let state = try outbound.subscribe(subject: subject, queueGroup: queue, limits: limits)
        return NATSSubscription(state: state, lifetime: self.lifetime)
    }
}
