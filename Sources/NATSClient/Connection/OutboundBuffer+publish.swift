import NATSWire
import NIOCore

extension OutboundBuffer {
    /// Appends a message; waits above the high-water mark.
    @inlinable
    func publish(
        _ payload: some NATSPayload,
        to subject: String,
        reply: String?,
        headers: NATSHeaders
    ) async throws(NATSError) {
        while true {
            let outcome = self.enqueue(payload, to: subject, reply: reply, headers: headers)
            if case .accepted = outcome {
                return
            }
            try await self.waitOrThrow(outcome, payload, subject, reply, headers)
        }
    }

    /// Appends a message or says why not.
    @inlinable
    @inline(__always)
    func enqueue(
        _ payload: some NATSPayload,
        to subject: String,
        reply: String?,
        headers: NATSHeaders
    ) -> PublishOutcome {
        guard reply == nil, headers.isEmpty else {
            return self.enqueueSlowly(payload, to: subject, reply: reply, headers: headers)
        }
        var subject = subject
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        return subject.withUTF8 { subject in
            payload.withPayloadBytes { payload in
                self.publish(subject: UnsafeRawBufferPointer(subject), reply: none, headers: none, payload: payload)
            }
        }
    }

    @usableFromInline
    func enqueueSlowly(
        _ payload: some NATSPayload,
        to subject: String,
        reply: String?,
        headers: NATSHeaders
    ) -> PublishOutcome {
        if let refusal = Self.refusal(reply: reply, headers: headers) {
            return refusal
        }
        return Self.withBytes(subject, reply, headers) { subject, reply, headers in
            payload.withPayloadBytes { payload in
                self.publish(subject: subject, reply: reply, headers: headers, payload: payload)
            }
        }
    }

    /// Appends messages whose payloads are slices of `buffer`; returns how many were accepted.
    func enqueue(
        _ payloads: ArraySlice<Range<Int>>,
        of buffer: ByteBuffer,
        to subject: String,
        reply: String?,
        headers: NATSHeaders
    ) -> Int {
        guard Self.refusal(reply: reply, headers: headers) == nil else {
            return 0
        }
        return Self.withBytes(subject, reply, headers) { subject, reply, headers in
            buffer.withUnsafeReadableBytes { bytes in
                self.publish(subject: subject, reply: reply, headers: headers, payloads: payloads, of: bytes)
            }
        }
    }

    private static func refusal(reply: String?, headers: NATSHeaders) -> PublishOutcome? {
        guard HeaderBlock.firstInvalidField(in: headers) == nil else {
            return .badHeader
        }
        // An empty reply subject is refused, not taken for none.
        if let reply, reply.isEmpty {
            return .badReply
        }
        return nil
    }

    /// Lends the bytes of what stands before a payload.
    private static func withBytes<Result>(
        _ subject: String,
        _ reply: String?,
        _ headers: NATSHeaders,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Result
    ) -> Result {
        let headerBytes = headers.isEmpty ? [] : HeaderBlock.encode(headers)
        var subject = subject
        var reply = reply ?? ""
        return subject.withUTF8 { subject in
            reply.withUTF8 { reply in
                headerBytes.withUnsafeBytes { headers in
                    body(UnsafeRawBufferPointer(subject), UnsafeRawBufferPointer(reply), headers)
                }
            }
        }
    }

    /// The error for an outcome that is not ``PublishOutcome/accepted``.
    @usableFromInline
    func error(
        _ outcome: PublishOutcome,
        _ payload: some NATSPayload,
        _ subject: String,
        _ reply: String?,
        _ headers: NATSHeaders
    ) -> NATSError {
        if case .badHeader = outcome {
            let name = HeaderBlock.firstInvalidField(in: headers)?.name ?? ""
            return NATSError(.badHeader, "the header \"\(name)\" has an invalid name, or a line break in its value")
        }
        let headerLength = headers.isEmpty ? 0 : HeaderBlock.encode(headers).count
        let bodyLength = headerLength + payload.withPayloadBytes { $0.count }
        return self.error(for: outcome, subject: subject, reply: reply, bodyLength: bodyLength)
    }

    @usableFromInline
    func waitOrThrow(
        _ outcome: PublishOutcome,
        _ payload: some NATSPayload,
        _ subject: String,
        _ reply: String?,
        _ headers: NATSHeaders
    ) async throws(NATSError) {
        guard case .full = outcome else {
            throw self.error(outcome, payload, subject, reply, headers)
        }
        try await self.waitForRoom(until: nil)
    }

    /// Waits until the event loop has taken what is there, or `deadline`.
    func waitForRoom(until deadline: NIODeadline?) async throws(NATSError) {
        switch await self.wait(until: deadline, on: self.eventLoop) {
        case .resumed: return
        case .cancelled: throw NATSError(.cancelled, "cancelled while waiting to publish")
        case .timedOut: throw NATSError(.timeout, "the bytes that wait to be written left no room in time")
        }
    }
}

extension OutboundBuffer: WaiterHolder {}
