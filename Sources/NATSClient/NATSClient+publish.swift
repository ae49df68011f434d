package import NIOCore

extension NATSClient {
    /// Publishes a message.
    ///
    /// Normally returns without waiting: the message is copied into a buffer that the event loop writes. Waits while more
    /// than ``NATSClientConfiguration/publishHighWaterMark`` is not written yet. Messages of one task are sent in order.
    /// While there is no connection, ``NATSClientConfiguration/disconnectedPublish`` says what happens.
    ///
    /// - Parameters:
    ///   - payload: The bytes.
    ///   - subject: Where to; no wildcards, no empty tokens, no white space.
    ///   - reply: Where a response is expected, if one is.
    ///   - headers: Headers; need a server that supports them.
    /// - Throws: ``NATSError/Code/badSubject``, ``NATSError/Code/badHeader``,
    ///   ``NATSError/Code/maximumPayloadExceeded``, ``NATSError/Code/headersNotSupported``,
    ///   ``NATSError/Code/reconnectBufferExceeded``, ``NATSError/Code/disconnected``, ``NATSError/Code/connectionDraining``,
    ///   ``NATSError/Code/connectionClosed``; ``NATSError/Code/cancelled`` if the task was cancelled while it waited, and
    ///   then the message is not sent.
    @inlinable
    public func publish(
        _ payload: some NATSPayload,
        to subject: String,
        reply: String? = nil,
        headers: NATSHeaders = NATSHeaders()
    ) async throws(NATSError) {
        let outcome = self.outbound.enqueue(payload, to: subject, reply: reply, headers: headers)
        if case .accepted = outcome {
            return
        }
        try await self.outbound.waitOrThrow(outcome, payload, subject, reply, headers)
        try await self.outbound.publish(payload, to: subject, reply: reply, headers: headers)
    }

    /// Publishes a message without ever waiting.
    ///
    /// - Parameters:
    ///   - payload: The bytes.
    ///   - subject: Where to; no wildcards, no empty tokens, no white space.
    ///   - reply: Where a response is expected, if one is.
    ///   - headers: Headers; need a server that supports them.
    /// - Throws: As ``publish(_:to:reply:headers:)``, and ``NATSError/Code/publishBufferFull`` where that would wait; the
    ///   message is not sent then, and `publish` waits for room.
    @inlinable
    public func tryPublish(
        _ payload: some NATSPayload,
        to subject: String,
        reply: String? = nil,
        headers: NATSHeaders = NATSHeaders()
    ) throws(NATSError) {
        let outcome = self.outbound.enqueue(payload, to: subject, reply: reply, headers: headers)
        if case .accepted = outcome {
            return
        }
        throw self.outbound.error(outcome, payload, subject, reply, headers)
    }

    /// Publishes slices of a buffer, each as a message of its own, without ever waiting, under one lock.
    ///
    /// - Parameters:
    ///   - payloads: Where the payloads are in the buffer's readable bytes.
    ///   - buffer: The bytes.
    ///   - subject: Where to.
    ///   - reply: Where responses are expected, if they are.
    ///   - headers: Headers of every message.
    /// - Returns: How many messages were accepted, from the first on; publishing the next one by itself tells why not all.
    package func tryPublish(
        _ payloads: ArraySlice<Range<Int>>,
        of buffer: ByteBuffer,
        to subject: String,
        reply: String? = nil,
        headers: NATSHeaders = NATSHeaders()
    ) -> Int {
        self.outbound.enqueue(payloads, of: buffer, to: subject, reply: reply, headers: headers)
    }
}
