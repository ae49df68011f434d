import NATSWire
import NIOCore

/// One request whose replies arrive on a subscription of its own.
///
/// While it exists, the subscription ends with an error as soon as there can be no reply: the server forbids the subject,
/// or the connection that the request was given to is lost.
final class InboxRequest: Sendable {
    let subscription: NATSSubscription
    private let requests: RequestCenter
    private let token: UInt64

    /// Makes the inbox; `isAwaited` if a draining client is to wait for it.
    init(_ client: NATSClient, subject: String, maximum: Int?, isAwaited: Bool) throws(NATSError) {
        let core = client.core
        let state = try core.outbound.subscribe(
            subject: client.newInbox(),
            queueGroup: nil,
            limits: core.configuration.pendingLimits,
            isRequestInbox: isAwaited
        )
        self.subscription = NATSSubscription(state: state, lifetime: client.lifetime)
        self.requests = core.requests
        self.token = core.requests.makeToken()
        self.requests.register(self.token, inboxOf: state, subject: subject, isAwaited: isAwaited)
        if let maximum {
            self.subscription.unsubscribe(after: UInt64(maximum))
        }
    }

    deinit {
        self.requests.forget(self.token)
    }

    /// Sends the request; waits for room in the buffer, at most until `deadline`.
    func send(
        _ payload: some NATSPayload,
        to subject: String,
        headers: NATSHeaders,
        outbound: OutboundBuffer,
        deadline: NIODeadline
    ) async throws(NATSError) {
        let inbox = self.subscription.subject
        if HeaderBlock.firstInvalidField(in: headers) != nil {
            throw outbound.error(.badHeader, payload, subject, inbox, headers)
        }
        let headerBytes = headers.isEmpty ? [] : HeaderBlock.encode(headers)
        while true {
            let outcome = self.requests.send(
                payload,
                to: subject,
                inbox: inbox,
                headers: headerBytes,
                token: self.token
            )
            if case .accepted = outcome {
                return
            }
            guard case .full = outcome else {
                throw outbound.error(outcome, payload, subject, inbox, headers)
            }
            try await outbound.waitForRoom(until: deadline)
        }
    }
}
