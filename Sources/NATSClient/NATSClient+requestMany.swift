import NIOCore

extension NATSClient {
    /// Sends a request to which many may reply, or one may reply many times (ADR-47).
    ///
    /// The replies arrive on a subscription of their own. They end with the first of: so many replies, a pause between two,
    /// a reply that is the sign of the end, no responders, the time for all of them. They end at once with an error,
    /// behind the replies that have arrived, when the server forbids the subject
    /// (``NATSError/Code/permissionViolation``) or the connection is lost to which the request was given
    /// (``NATSError/Code/disconnected``).
    ///
    /// - Parameters:
    ///   - payload: The bytes.
    ///   - subject: Where to; no wildcards, no empty tokens, no white space.
    ///   - headers: Headers; need a server that supports them.
    ///   - timeout: How long to wait for room in the buffer and for all replies together, not counting what the consumer
    ///     does in between; nil for ``NATSClientConfiguration/requestTimeout``.
    ///   - stall: How long to wait after a reply for the next; none if it is below 1 ms, or not below `timeout`.
    ///   - maximum: How many replies are wanted.
    ///   - isWanted: Whether a reply is one; the first for which it says no is the sign of the end and not given out.
    ///     ADR-47's own sign is the empty payload: `while: { $0.payloadSize > 0 }`.
    /// - Returns: The replies.
    /// - Throws: As ``publish(_:to:reply:headers:)`` and ``subscribe(_:queue:limits:confirm:)``;
    ///   ``NATSError/Code/invalidConfiguration`` if `maximum` is below one; ``NATSError/Code/timeout`` if there was no room
    ///   in the buffer in time. That nobody is subscribed to `subject` is no error: see ``NATSReplies/endReason``.
    public func requestMany(
        _ payload: some NATSPayload,
        to subject: String,
        headers: NATSHeaders = NATSHeaders(),
        timeout: Duration? = nil,
        stall: Duration? = nil,
        maximum: Int? = nil,
        while isWanted: (@Sendable (NATSMessage) -> Bool)? = nil
    ) async throws(NATSError) -> NATSReplies {
        if let maximum, maximum < 1 {
            throw NATSError(.invalidConfiguration, "the number of replies that are wanted must be above zero")
        }
        // If anything throws, the subscription goes with its only reference.
        let request = try InboxRequest(self, subject: subject, maximum: maximum, isAwaited: false)
        let total = timeout ?? self.core.configuration.requestTimeout
        let deadline = NIODeadline.now() + total.timeAmount
        try await request.send(payload, to: subject, headers: headers, outbound: self.outbound, deadline: deadline)
        let machine = RequestManyStateMachine(
            total: max(.zero, .nanoseconds((deadline - NIODeadline.now()).nanoseconds)),
            stall: stall,
            maximum: maximum
        )
        return NATSReplies(request: request, machine: machine, isWanted: isWanted)
    }
}
