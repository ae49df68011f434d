extension NATSClient {
    /// Calls a handler for each message of a subject, for several messages at a time.
    ///
    /// Returns when the subscription ends, which it does when the client is drained or closed; cancel the task to end it
    /// earlier. Draining the client waits for the handlers that run. With more than one at a time, messages may be finished
    /// in another order than they arrived in.
    ///
    /// - Parameters:
    ///   - subject: The subject; `*` stands for one token, `>` at the end for one or more.
    ///   - queue: A queue group: each message goes to one of its members.
    ///   - limits: Pending limits; nil for ``NATSClientConfiguration/pendingLimits``.
    ///   - concurrency: How many handlers may run at a time; the next message waits for one of them to return.
    ///   - handler: Gets a message. What it throws ends the subscription, after the other handlers were cancelled.
    /// - Throws: As ``subscribe(_:queue:limits:confirm:)``; the error that ended the subscription, among them
    ///   ``NATSError/Code/cancelled``; what `handler` throws; ``NATSError/Code/invalidConfiguration`` if `concurrency` is
    ///   below one.
    public func handle(
        _ subject: String,
        queue: String? = nil,
        limits: NATSClientConfiguration.PendingLimits? = nil,
        concurrency: Int = 1,
        _ handler: @escaping @Sendable (NATSMessage) async throws -> Void
    ) async throws {
        guard concurrency > 0 else {
            throw NATSError(.invalidConfiguration, "a handler must be allowed to run at least once at a time")
        }
        let subscription = try await self.subscribe(subject, queue: queue, limits: limits)
        defer {
            subscription.unsubscribe()
        }
        try await subscription.handle(concurrency: concurrency, handler)
    }
}
