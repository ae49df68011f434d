import NATSWire
import NIOCore

extension NATSClient {
    /// Sends a request and waits for its first reply.
    ///
    /// All requests of a client share one subscription, unless `ownInbox` says otherwise. A reply that comes too late is
    /// dropped.
    ///
    /// - Parameters:
    ///   - payload: The bytes.
    ///   - subject: Where to; no wildcards, no empty tokens, no white space.
    ///   - headers: Headers; need a server that supports them.
    ///   - timeout: How long to wait for room in the buffer and for the reply; nil for
    ///     ``NATSClientConfiguration/requestTimeout``.
    ///   - ownInbox: Whether the reply has a subject and subscription of its own (the old style of request), for a
    ///     responder or permissions that want that; costs the server and the client a subscription each time.
    /// - Returns: The reply.
    /// - Throws: ``NATSError/Code/noResponders`` if nobody is subscribed to `subject`; ``NATSError/Code/timeout``;
    ///   ``NATSError/Code/disconnected`` if the connection was lost after the request was sent;
    ///   ``NATSError/Code/permissionViolation`` if the server forbids the subject; ``NATSError/Code/cancelled``; and as
    ///   ``publish(_:to:reply:headers:)``.
    public func request(
        _ payload: some NATSPayload,
        to subject: String,
        headers: NATSHeaders = NATSHeaders(),
        timeout: Duration? = nil,
        ownInbox: Bool = false
    ) async throws(NATSError) -> NATSMessage {
        if HeaderBlock.firstInvalidField(in: headers) != nil {
            throw self.outbound.error(.badHeader, payload, subject, nil, headers)
        }
        let headerBytes = headers.isEmpty ? [] : HeaderBlock.encode(headers)
        let deadline = NIODeadline.now() + (timeout ?? self.core.configuration.requestTimeout).timeAmount
        if ownInbox {
            return try await self.request(onOwnInbox: payload, to: subject, headers: headers, deadline: deadline)
        }
        let requests = self.core.requests
        while true {
            let token = requests.makeToken()
            let outcome = await withTaskCancellationHandler {
                await withUnsafeContinuation { (waiter: RequestCenter.Waiter) in
                    requests.send(
                        payload,
                        to: subject,
                        headers: headerBytes,
                        token: token,
                        deadline: deadline,
                        waiter: waiter
                    )
                }
            } onCancel: {
                requests.cancel(token, subject: subject)
            }
            requests.resumed()
            switch outcome {
            case .reply(let message):
                if message.payloadSize == 0, message.status == 503 {
                    throw NATSError(.noResponders, "nobody is subscribed to \"\(subject)\"")
                }
                return message
            case .failed(let error):
                throw error
            case .notSent(let outcome):
                guard case .full = outcome else {
                    throw self.outbound.error(outcome, payload, subject, nil, headers)
                }
                try await self.outbound.waitForRoom(until: deadline)
            }
        }
    }

    private func request(
        onOwnInbox payload: some NATSPayload,
        to subject: String,
        headers: NATSHeaders,
        deadline: NIODeadline
    ) async throws(NATSError) -> NATSMessage {
        let request = try InboxRequest(self, subject: subject, maximum: 1, isAwaited: true)
        // Unsubscribes in every case: the reference is the only one.
        defer {
            withExtendedLifetime(request) {}
        }
        try await request.send(payload, to: subject, headers: headers, outbound: self.outbound, deadline: deadline)
        let remaining = Duration.nanoseconds(max(0, (deadline - NIODeadline.now()).nanoseconds))
        let reply: NATSMessage?
        do throws(NATSError) {
            reply = try await request.subscription.next(timeout: remaining)
        } catch {
            switch error.code {
            case .timeout:
                throw NATSError(.timeout, "no reply from \"\(subject)\" in time", cause: error)
            case .cancelled:
                throw NATSError(.cancelled, "the request to \"\(subject)\" was cancelled")
            default:
                throw error
            }
        }
        guard let reply else {
            throw self.outbound.refusalError()
        }
        if reply.payloadSize == 0, reply.status == 503 {
            throw NATSError(.noResponders, "nobody is subscribed to \"\(subject)\"")
        }
        return reply
    }
}
